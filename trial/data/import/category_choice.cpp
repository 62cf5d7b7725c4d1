#include "trial/data/import/category_choice.h"

#include <algorithm>
#include <utility>

#include "trial/data/import/text_file.h"
#include "tuner/base/error.h"

namespace hyperfd {

CategoryChoice::CategoryChoice(std::vector<std::string> chosen, const std::string& usual) : chosen_(std::move(chosen)) {
  if (chosen_.empty()) chosen_ = {usual};
}

bool CategoryChoice::takes(const std::string& category, const std::string& example, Warnings& warnings) {
  ++seen_[category];
  for (const std::string& chosen : chosen_) {
    if (chosen == category || chosen == "any") return took_one_ = true;
  }
  warnings.add("objects of another category, skipped", example + ": " + quoted(category));
  return false;
}

void CategoryChoice::check(const std::string& source) const {
  if (seen_.empty() || took_one_) return;
  std::vector<std::pair<std::size_t, std::string>> by_count;
  for (const auto& [name, count] : seen_) by_count.emplace_back(count, name);
  std::sort(by_count.rbegin(), by_count.rend());
  constexpr std::size_t kMost = 10;
  std::string there;
  for (std::size_t i = 0; i < std::min(by_count.size(), kMost); ++i) {
    there += (i ? ", " : "") + by_count[i].second + " (" + std::to_string(by_count[i].first) + ")";
  }
  if (by_count.size() > kMost) there += ", …";
  std::string wanted;
  for (const std::string& chosen : chosen_) wanted += (wanted.empty() ? "" : ", ") + chosen;
  throw InputError(source + ": no object is of category " + wanted + "; there are " + there +
                   ": choose with --category, which may be repeated, or take all with --category any");
}

}  // namespace hyperfd
