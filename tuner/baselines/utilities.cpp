#include "tuner/baselines/utilities.h"

#include <cmath>
#include <unordered_map>

#include "tuner/baselines/surrogate.h"

namespace hyperfd {

std::vector<double> utilities_on(const PastTask& task, const std::vector<ConfigurationKey>& keys,
                                 const std::vector<std::vector<float>>& encodings) {
  const auto known = task.memo().get("utilities", [&] {
    std::unordered_map<ConfigurationKey, double> by_key;
    for (std::size_t i = 0; i < task.size(); ++i) by_key[task.keys()[i]] = 1 - task.ranks()[i];
    return by_key;
  });
  std::vector<double> utilities(keys.size());
  std::vector<std::size_t> unknown;
  std::vector<std::vector<float>> unknown_rows;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto found = known->find(keys[i]);
    if (found != known->end()) {
      utilities[i] = found->second;
    } else {
      unknown.push_back(i);
      unknown_rows.push_back(encodings[i]);
    }
  }
  if (unknown.empty()) return utilities;
  const Eigen::VectorXd scores = surrogate_of(task)->predict(as_matrix(unknown_rows)).mean;
  for (std::size_t i = 0; i < unknown.size(); ++i) {
    utilities[unknown[i]] = 0.5 * std::erfc(-scores(static_cast<Eigen::Index>(i)) / std::sqrt(2.0));
  }
  return utilities;
}

}  // namespace hyperfd
