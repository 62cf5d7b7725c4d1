#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "tuner/base/json.h"

namespace hyperfd {

// One point of a search space: what NNI calls *parameters*, in exactly the shape NNI's built-in tuners give
// (`{"lr": 0.001, "layer": {"_name": "conv", "kernel": 3}}`).
using Configuration = Json;

// Text that is equal exactly for equal configurations (keys sorted, 1.0 and 1 alike).
std::string fingerprint(const Configuration& configuration);

// A hash that is equal for equal configurations, of whichever notation: many times cheaper to make and to look up than
// the text. Two others have the same one about once in 2^64 pairs. Not for files: its numbers may change.
using ConfigurationKey = std::uint64_t;
ConfigurationKey configuration_key(const Configuration& configuration);

// A set of them that only grows, in one piece of memory: a task of ten thousand trials is asked a thousand times for
// each suggestion, and what a set of nodes costs then is waiting for memory.
class ConfigurationKeys {
 public:
  ConfigurationKeys() = default;
  ConfigurationKeys(std::initializer_list<ConfigurationKey> keys);

  // False when it is in already.
  bool insert(ConfigurationKey key);
  bool contains(ConfigurationKey key) const { return !slots_.empty() && slots_[find(key)] == key; }
  std::size_t size() const { return size_; }

 private:
  static constexpr ConfigurationKey kEmpty = 0;  // configuration_key() never gives it

  // The slot that has the key, or the empty one where it would be.
  std::size_t find(ConfigurationKey key) const;
  void grow();

  std::vector<ConfigurationKey> slots_;  // a power of two, half of them empty or more; one after another from key on
  std::size_t size_ = 0;
};

}  // namespace hyperfd
