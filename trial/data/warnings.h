#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace hyperfd {

// Counted notes on input that was repaired or skipped: each kind keeps its first few examples by name. Not thread-safe.
class Warnings {
 public:
  // `kind` reads after a number: "boxes outside their image, clipped". `example` names file and place.
  void add(const std::string& kind, const std::string& example);
  bool empty() const { return kinds_.empty(); }
  // How many were added of a kind.
  std::size_t count(const std::string& kind) const;
  // One line a kind: `3 boxes outside their image, clipped (e.g. images/a.jpg: annotation 17)`.
  std::vector<std::string> lines() const;

 private:
  struct Entry {
    std::size_t count = 0;
    std::vector<std::string> examples;
  };
  std::map<std::string, Entry> kinds_;
};

}  // namespace hyperfd
