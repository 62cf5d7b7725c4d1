#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace hyperfd {

// Words that are the same on the wire, in the store and in the code.

enum class OptimizeMode { kMaximize, kMinimize };
enum class MetricKind { kFinal, kPeriodical, kRequestParameter };
enum class TrialOutcome { kSucceeded, kFailed, kUserCanceled, kSysCanceled, kEarlyStopped };
// Where a configuration came from: the policy; a user or NNI (customised or re-run trial); the client's own sampling
// while the server was away; results from elsewhere.
enum class ConfigurationSource { kAlgorithm, kCustomized, kFallback, kImported };

// The words of an enumeration, in the order of its values.
constexpr std::array<const char*, 2> words(OptimizeMode) {
  return {"maximize", "minimize"};
}
constexpr std::array<const char*, 3> words(MetricKind) {
  return {"FINAL", "PERIODICAL", "REQUEST_PARAMETER"};
}
constexpr std::array<const char*, 5> words(TrialOutcome) {
  return {"SUCCEEDED", "FAILED", "USER_CANCELED", "SYS_CANCELED", "EARLY_STOPPED"};
}
constexpr std::array<const char*, 4> words(ConfigurationSource) {
  return {"algorithm", "customized", "fallback", "imported"};
}

template <typename Enumeration>
std::string to_word(Enumeration value) {
  return words(value)[static_cast<std::size_t>(value)];
}

// nullopt when `word` is not one of the enumeration's words.
template <typename Enumeration>
std::optional<Enumeration> from_word(std::string_view word) {
  const auto known = words(Enumeration{});
  for (std::size_t i = 0; i < known.size(); ++i) {
    if (word == known[i]) return static_cast<Enumeration>(i);
  }
  return std::nullopt;
}

}  // namespace hyperfd
