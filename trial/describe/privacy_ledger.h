#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "trial/describe/privacy_accountant.h"

namespace hyperfd {

// What a data set has disclosed so far, over all experiments, and what it may disclose. A file remembers it: one line
// of JSON for every release, {"noise_multiplier"}, on disk before the release. Programs that serve the data set at the
// same time share it.
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

 private:
  // What stands in the file behind `bytes_`.
  void add_lines(const std::string& content);

  std::string file_;
  double epsilon_, delta_;
  PrivacyAccountant spent_;
  std::size_t bytes_ = 0, lines_ = 0;  // of the file, that `spent_` holds
};

}  // namespace hyperfd
