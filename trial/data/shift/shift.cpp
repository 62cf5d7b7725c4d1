#include "trial/data/shift/shift.h"

#include <algorithm>

#include "tuner/base/error.h"
#include "tuner/base/names.h"

namespace hyperfd {

const std::vector<ShiftKind>& shift_kinds() {
  static const std::vector<ShiftKind> kinds = [] {
    std::vector<ShiftKind> all = occluding_kinds();
    const auto append = [&](std::vector<ShiftKind> more) { all.insert(all.end(), more.begin(), more.end()); };
    append(framing_kinds());
    append({fisheye_kind()});
    append(style_kinds());
    append(quality_kinds());
    return all;
  }();
  return kinds;
}

const ShiftKind& shift_kind(const std::string& name, const std::string& place) {
  std::vector<std::string> names;
  for (const ShiftKind& kind : shift_kinds()) {
    if (kind.name == name) return kind;
    names.push_back(kind.name);
  }
  throw InputError(place + ": " + unknown_name_message("kind", name, names));
}

}  // namespace hyperfd
