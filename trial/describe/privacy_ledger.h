#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "trial/describe/privacy_accountant.h"
#include "tuner/base/json.h"

namespace hyperfd {

// What a data set has disclosed so far, over all experiments, and what it may disclose. A file remembers it: one line
// of JSON for every release, {"noise_multiplier"} and, of a number that is told again for nothing, {"name", "value"},
// on disk before the release. Programs that serve the data set at the same time share it.
class PrivacyLedger {
 public:
  // Reads what earlier runs spent. Throws InputError that names the file.
  PrivacyLedger(std::string file, double epsilon, double delta);

  double epsilon() const { return epsilon_; }
  double delta() const { return delta_; }
  double spent() const { return spent_.epsilon(delta_); }
  // Whether so many more releases stay within the budget.
  bool has_room(double noise_multiplier, std::int64_t releases) const;
  // One release. Throws wire::OrderRefused over budget, InputError when it cannot be written:
  // then nothing must be released.
  void spend(double noise_multiplier);
  // What was told under this name, before this program was started or since.
  std::optional<double> told(const std::string& name) const;
  // The number told under this name: the one of the first time, or else this one, which is a release. Throws as spend().
  double tell(const std::string& name, double value, double noise_multiplier);

 private:
  // A release that is noted with more than its noise; nothing where its name was told before.
  void add(double noise_multiplier, Json entry);
  // What stands in the file behind `bytes_`.
  void add_lines(const std::string& content);

  std::string file_;
  double epsilon_, delta_;
  PrivacyAccountant spent_;
  std::map<std::string, double> told_;
  std::size_t bytes_ = 0, lines_ = 0;  // of the file, that `spent_` holds
};

}  // namespace hyperfd
