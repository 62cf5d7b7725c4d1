#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace hyperfd {

// Where a value sits in a search space or configuration, for error messages: `layer._value[1].kernel`.
// A chain of steps on the stack that is rendered only when something is wrong; a step must not outlive its parent or
// its key.
class Path {
 public:
  // The outermost value. It has no name of its own in longer paths; `what` stands for it when it is wrong itself.
  explicit Path(std::string_view what) : key_(what) {}
  Path(const Path& parent, std::string_view key) : parent_(&parent), key_(key) {}
  Path(const Path& parent, std::size_t index) : parent_(&parent), index_(index), is_index_(true) {}

  std::string text() const;
  // Throws InputError: the path, a colon, `problem`.
  [[noreturn]] void fail(const std::string& problem) const;

 private:
  const Path* parent_ = nullptr;
  std::string_view key_;
  std::size_t index_ = 0;
  bool is_index_ = false;
};

}  // namespace hyperfd
