#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hyperfd {

// SHA-256 as 64 lower-case hexadecimal digits.
std::string sha256(std::string_view bytes);

// The first eight bytes of SHA-256, for buckets and seeds that must be the same on every machine.
std::uint64_t stable_hash(std::string_view bytes);

}  // namespace hyperfd
