#include "tuner/base/names.h"

#include <algorithm>
#include <numeric>

namespace hyperfd {
namespace {

std::size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substitution = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substitution});
    }
  }
  return row.back();
}

}  // namespace

std::string nearest_name(const std::string& name, const std::vector<std::string>& known) {
  const std::size_t tolerance = std::max<std::size_t>(2, name.size() / 3);
  std::string best;
  std::size_t best_distance = tolerance + 1;
  for (const std::string& candidate : known) {
    const std::size_t distance = edit_distance(name, candidate);
    if (distance < best_distance && distance < candidate.size()) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

std::string unknown_name_message(const std::string& kind, const std::string& whole_name,
                                 const std::vector<std::string>& known) {
  constexpr std::size_t kLongest = 100;  // longer ones would cost time and tell nothing
  std::string name = whole_name;
  if (name.size() > kLongest) {
    std::size_t end = kLongest;
    while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0) == 0x80) --end;  // within a character of UTF-8
    name = name.substr(0, end) + "...";
  }
  const std::string start = "unknown " + kind + " \"" + name + "\"; ";
  const std::string near = nearest_name(name, known);
  if (!near.empty()) return start + "did you mean \"" + near + "\"?";
  std::string list;
  for (const std::string& candidate : known) list += (list.empty() ? "" : ", ") + candidate;
  return start + "known: " + list;
}

}  // namespace hyperfd
