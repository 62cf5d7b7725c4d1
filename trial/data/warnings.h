#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace hyperfd {

// Counted notes on input that was repaired or skipped: each kind keeps its first few examples by name. Not thread-safe.
class Warnings {
 public:
  // `kept`: so many notes of each kind are kept by name; lines() shows three.
  Warnings() = default;
  explicit Warnings(std::size_t kept) : kept_(kept) {}
  // `kind` reads after a number: "boxes outside their image, clipped". `example` names file and place.
  void add(const std::string& kind, const std::string& example);
  bool empty() const { return kinds_.empty(); }
  // How many were added of a kind.
  std::size_t count(const std::string& kind) const;
  // One line a kind: `3 boxes outside their image, clipped (e.g. images/a.jpg: annotation 17)`.
  std::vector<std::string> lines() const;
  // A line for every note that is kept: `images/a.jpg: annotation 17: boxes outside their image, clipped`.
  std::string notes() const;

 private:
  struct Entry {
    std::size_t count = 0;
    std::vector<std::string> examples;
  };
  std::size_t kept_ = 3;
  std::map<std::string, Entry> kinds_;
};

}  // namespace hyperfd
