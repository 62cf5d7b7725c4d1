#include "tuner/base/digest.h"

#include <array>

#include <sodium.h>

namespace hyperfd {
namespace {

std::array<unsigned char, crypto_hash_sha256_BYTES> digest(std::string_view bytes) {
  std::array<unsigned char, crypto_hash_sha256_BYTES> out{};
  crypto_hash_sha256(out.data(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  return out;
}

}  // namespace

std::string sha256(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : digest(bytes)) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::uint64_t stable_hash(std::string_view bytes) {
  const auto out = digest(bytes);
  std::uint64_t value = 0;
  for (int i = 0; i < 8; ++i) value = value << 8 | out[static_cast<std::size_t>(i)];
  return value;
}

}  // namespace hyperfd
