#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace hyperfd {

// What stands behind a policy's name in `name:key=value:key=value`. The policy's factory reads the keys it knows; what
// nobody asked for is an error. Every method throws InputError that names the key.
class PolicyOptions {
 public:
  PolicyOptions() = default;
  // Splits `text`; `name` gets the part before the first colon.
  static PolicyOptions parse(const std::string& text, std::string* name);

  double number(const std::string& key, double if_absent, double low, double high);
  std::int64_t integer(const std::string& key, std::int64_t if_absent, std::int64_t low, std::int64_t high);
  std::string word(const std::string& key, const std::string& if_absent, const std::vector<std::string>& allowed);
  // Everything that was not asked for yet, for a reader with keys of its own (parse_ranker_options).
  std::map<std::string, std::string> take_rest();

  // Throws for a key that was given and never asked for, suggesting the nearest that was.
  void check_all_known() const;

 private:
  const std::string* find(const std::string& key);

  std::map<std::string, std::string> values_;
  std::set<std::string> known_;
};

}  // namespace hyperfd
