#pragma once

#include <cstdint>
#include <limits>
#include <optional>

namespace hyperfd {

// Numbers of configurations: nullopt is "continuous", and kCountLimit is "that many or more".
using Count = std::optional<std::uint64_t>;
constexpr std::uint64_t kCountLimit = std::numeric_limits<std::uint64_t>::max();

inline Count sum(Count a, Count b) {
  if (!a || !b) return std::nullopt;
  std::uint64_t result = 0;
  if (__builtin_add_overflow(*a, *b, &result)) return kCountLimit;
  return result;
}

inline Count product(Count a, Count b) {
  if (!a || !b) return std::nullopt;
  std::uint64_t result = 0;
  if (__builtin_mul_overflow(*a, *b, &result)) return kCountLimit;
  return result;
}

}  // namespace hyperfd
