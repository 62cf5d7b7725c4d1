#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace hyperfd {

// A zip archive whose records are stored as they are, which is how PyTorch writes weights. LibTorch's reader takes the
// sizes that a file claims for granted; here every record is a view of the file's own bytes, its checksum checked.
class ZipArchive {
 public:
  // `bytes` must outlive the archive. Throws InputError when they are no such archive.
  explicit ZipArchive(std::string_view bytes);

  bool has(const std::string& name) const { return records_.count(name) > 0; }
  // Throws InputError that names the record when it is missing or damaged.
  std::string_view record(const std::string& name) const;
  // The part of the names before "/data.pkl", with the slash. Throws InputError when no record ends so.
  std::string folder() const;

 private:
  struct Record {
    std::uint64_t header, size;  // position of its local header; bytes of its content
    std::uint32_t checksum;
  };
  std::string_view bytes_;
  std::map<std::string, Record> records_;
};

}  // namespace hyperfd
