#pragma once

#include <cstdint>
#include <string>

#include "tuner/wire/messages.h"

namespace hyperfd::wire {

// The bundle that a server gives to every client that asks, part by part: what its operator names, read once. No
// experience of clients may be in it. Thread-safe.
class BundleOffer {
 public:
  static constexpr std::size_t kPartBytes = 256u << 10;

  // Throws StoreError when the file is no store, InputError when it is in use or holds other than offline tasks.
  explicit BundleOffer(const std::string& file);

  // At most kPartBytes from there on. Throws InputError for an offset that is none.
  BundlePart part(std::int64_t offset) const;

 private:
  std::string bytes_, digest_;
};

}  // namespace hyperfd::wire
