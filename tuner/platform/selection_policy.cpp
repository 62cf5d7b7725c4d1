#include "tuner/platform/selection_policy.h"

#include <map>
#include <type_traits>

#include "tuner/base/error.h"
#include "tuner/base/names.h"
#include "tuner/baselines/average_rank_policy.h"
#include "tuner/baselines/best_on_source_policy.h"
#include "tuner/baselines/gradient_boosting_policy.h"
#include "tuner/baselines/greedy_portfolio_policy.h"
#include "tuner/baselines/hyperstar_policy.h"
#include "tuner/baselines/nearest_task_policy.h"
#include "tuner/baselines/random_policy.h"
#include "tuner/baselines/rgpe_policy.h"
#include "tuner/baselines/scot_policy.h"
#include "tuner/baselines/tr_automl_policy.h"
#include "tuner/platform/hyperfd_policy.h"
#include "tuner/platform/policy_options.h"

namespace hyperfd {
namespace {

using Factory = std::unique_ptr<SelectionPolicy> (*)(PolicyOptions&);

template <typename Policy>
std::unique_ptr<SelectionPolicy> make([[maybe_unused]] PolicyOptions& options) {
  if constexpr (std::is_constructible_v<Policy, PolicyOptions&>) {
    return std::make_unique<Policy>(options);
  } else {
    return std::make_unique<Policy>();
  }
}

const std::map<std::string, Factory>& factories() {
  static const std::map<std::string, Factory> table = {
      {"average_rank", make<AverageRankPolicy>},
      {"best_on_source", make<BestOnSourcePolicy>},
      {"gradient_boosting", make<GradientBoostingPolicy>},
      {"greedy_portfolio", make<GreedyPortfolioPolicy>},
      {"hyperfd", make<HyperFdPolicy>},
      {"hyperstar", make<HyperStarPolicy>},
      {"nearest_task", make<NearestTaskPolicy>},
      {"paper", make<PaperPolicy>},
      {"random", make<RandomPolicy>},
      {"rgpe", make<RgpePolicy>},
      {"scot", make<ScotPolicy>},
      {"tr_automl", make<TrAutoMlPolicy>},
  };
  return table;
}

}  // namespace

std::vector<std::string> policy_names() {
  std::vector<std::string> names;
  for (const auto& entry : factories()) names.push_back(entry.first);
  return names;
}

std::unique_ptr<SelectionPolicy> make_policy(const std::string& text) {
  std::string name;
  PolicyOptions options = PolicyOptions::parse(text, &name);
  const auto found = factories().find(name);
  if (found == factories().end()) throw InputError(unknown_name_message("policy", name, policy_names()));
  try {
    std::unique_ptr<SelectionPolicy> policy = found->second(options);
    options.check_all_known();
    return policy;
  } catch (const InputError& error) {
    throw InputError(name + ": " + error.what());
  }
}

}  // namespace hyperfd
