#include "trial/training/zip_archive.h"

#include <cstring>

#include <boost/crc.hpp>

#include "tuner/base/error.h"

namespace hyperfd {
namespace {

// Signatures and sizes of APPNOTE.TXT 6.3.10, §4.3.
constexpr std::uint32_t kLocalHeader = 0x04034b50, kDirectoryEntry = 0x02014b50, kDirectoryEnd = 0x06054b50,
                        kDirectoryEnd64 = 0x06064b50;
constexpr std::size_t kDirectoryEndSize = 22, kLocator64Size = 20, kLongestComment = 65535;
constexpr std::uint32_t kInExtraField = 0xffffffff;  // the number stands in the zip64 extra field
constexpr std::uint16_t kExtraFieldZip64 = 1;

template <typename Number>
Number number_at(std::string_view bytes, std::uint64_t at) {
  if (at > bytes.size() || bytes.size() - at < sizeof(Number)) throw InputError("the archive ends in the middle");
  Number number;
  std::memcpy(&number, bytes.data() + at, sizeof number);  // little-endian, as is every machine LibTorch runs on
  return number;
}

std::string_view part(std::string_view bytes, std::uint64_t at, std::uint64_t size) {
  if (at > bytes.size() || size > bytes.size() - at) throw InputError("the archive ends in the middle");
  return bytes.substr(at, size);
}

// The numbers of the zip64 extra field, in the order in which the entry leaves them out.
class Zip64Numbers {
 public:
  explicit Zip64Numbers(std::string_view extra) {
    for (std::size_t at = 0; at + 4 <= extra.size();) {
      const auto kind = number_at<std::uint16_t>(extra, at), size = number_at<std::uint16_t>(extra, at + 2);
      if (kind == kExtraFieldZip64) numbers_ = part(extra, at + 4, size);
      at += 4u + size;
    }
  }
  std::uint64_t resolve(std::uint32_t number) {
    if (number != kInExtraField) return number;
    const auto whole = number_at<std::uint64_t>(numbers_, 0);
    numbers_.remove_prefix(sizeof whole);
    return whole;
  }

 private:
  std::string_view numbers_;
};

std::size_t find_directory_end(std::string_view bytes) {
  if (bytes.size() >= kDirectoryEndSize) {
    std::size_t at = bytes.size() - kDirectoryEndSize;
    const std::size_t first = at > kLongestComment ? at - kLongestComment : 0;
    for (;; --at) {
      if (number_at<std::uint32_t>(bytes, at) == kDirectoryEnd) return at;
      if (at == first) break;
    }
  }
  throw InputError("the archive has no directory at its end: was it cut off?");
}

}  // namespace

ZipArchive::ZipArchive(std::string_view bytes) : bytes_(bytes) {
  const std::size_t end = find_directory_end(bytes);
  std::uint64_t count = number_at<std::uint16_t>(bytes, end + 10), at = number_at<std::uint32_t>(bytes, end + 16);
  if (count == 0xffff || at == kInExtraField) {
    if (end < kLocator64Size) throw InputError("the archive ends in the middle");
    const auto end64 = number_at<std::uint64_t>(bytes, end - kLocator64Size + 8);
    if (number_at<std::uint32_t>(bytes, end64) != kDirectoryEnd64)
      throw InputError("the archive's directory is broken");
    count = number_at<std::uint64_t>(bytes, end64 + 32);
    at = number_at<std::uint64_t>(bytes, end64 + 48);
  }
  for (std::uint64_t i = 0; i < count; ++i) {
    if (number_at<std::uint32_t>(bytes, at) != kDirectoryEntry) throw InputError("the archive's directory is broken");
    const auto name_size = number_at<std::uint16_t>(bytes, at + 28),
               extra_size = number_at<std::uint16_t>(bytes, at + 30),
               comment_size = number_at<std::uint16_t>(bytes, at + 32);
    const std::string name(part(bytes, at + 46, name_size));
    Zip64Numbers numbers(part(bytes, at + 46 + name_size, extra_size));
    const std::uint64_t size = numbers.resolve(number_at<std::uint32_t>(bytes, at + 24)),
                        stored = numbers.resolve(number_at<std::uint32_t>(bytes, at + 20)),
                        header = numbers.resolve(number_at<std::uint32_t>(bytes, at + 42));
    if (number_at<std::uint16_t>(bytes, at + 10) != 0 || size != stored) {
      throw InputError("record " + name + " is compressed, which PyTorch's are not");
    }
    records_[name] = {header, size, number_at<std::uint32_t>(bytes, at + 16)};
    at += 46u + name_size + extra_size + comment_size;
  }
}

std::string_view ZipArchive::record(const std::string& name) const {
  const auto found = records_.find(name);
  if (found == records_.end()) throw InputError("record " + name + " is missing");
  const Record& record = found->second;
  if (number_at<std::uint32_t>(bytes_, record.header) != kLocalHeader) {
    throw InputError("record " + name + " is not where the archive's directory says");
  }
  const std::uint64_t content = record.header + 30u + number_at<std::uint16_t>(bytes_, record.header + 26) +
                                number_at<std::uint16_t>(bytes_, record.header + 28);
  const std::string_view bytes = part(bytes_, content, record.size);
  boost::crc_32_type checksum;
  checksum.process_bytes(bytes.data(), bytes.size());
  if (checksum.checksum() != record.checksum) throw InputError("record " + name + " is damaged (wrong checksum)");
  return bytes;
}

std::string ZipArchive::folder() const {
  const std::string ending = "/data.pkl";
  for (const auto& item : records_) {
    const std::string& name = item.first;
    if (name.size() > ending.size() && name.compare(name.size() - ending.size(), ending.size(), ending) == 0) {
      return name.substr(0, name.size() - ending.size() + 1);
    }
  }
  throw InputError("the archive holds no data.pkl");
}

}  // namespace hyperfd
