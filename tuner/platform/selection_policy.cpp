#include "tuner/platform/selection_policy.h"

#include <map>

#include "tuner/base/error.h"
#include "tuner/base/names.h"
#include "tuner/platform/hyperfd_policy.h"
#include "tuner/platform/random_policy.h"

namespace hyperfd {
namespace {

using Factory = std::unique_ptr<SelectionPolicy> (*)();

template <typename Policy>
std::unique_ptr<SelectionPolicy> make() {
  return std::make_unique<Policy>();
}

const std::map<std::string, Factory>& factories() {
  static const std::map<std::string, Factory> table = {
      {"hyperfd", make<HyperFdPolicy>},
      {"random", make<RandomPolicy>},
  };
  return table;
}

}  // namespace

std::vector<std::string> policy_names() {
  std::vector<std::string> names;
  for (const auto& entry : factories()) names.push_back(entry.first);
  return names;
}

std::unique_ptr<SelectionPolicy> make_policy(const std::string& name) {
  const auto found = factories().find(name);
  if (found == factories().end()) throw InputError(unknown_name_message("policy", name, policy_names()));
  return found->second();
}

}  // namespace hyperfd
