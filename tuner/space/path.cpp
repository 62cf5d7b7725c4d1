#include "tuner/space/path.h"

#include "tuner/base/error.h"

namespace hyperfd {

std::string Path::text() const {
  if (!parent_) return std::string(key_);
  const std::string before = parent_->parent_ ? parent_->text() : "";
  if (is_index_) return before + "[" + std::to_string(index_) + "]";
  return before + (before.empty() ? "" : ".") + std::string(key_);
}

void Path::fail(const std::string& problem) const {
  throw InputError(text() + ": " + problem);
}

}  // namespace hyperfd
