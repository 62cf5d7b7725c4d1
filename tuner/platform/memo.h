#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace hyperfd {

// What was computed from a value that never changes, kept beside it. Thread-safe; two threads that ask for the same
// thing first may both compute it.
class Memo {
 public:
  // make() if `key` is new. A key belongs to one type.
  template <typename Make>
  auto get(const std::string& key, Make&& make) const -> std::shared_ptr<const decltype(make())> {
    using Value = decltype(make());
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      const auto found = values_.find(key);
      if (found != values_.end()) return std::static_pointer_cast<const Value>(found->second);
    }
    auto value = std::make_shared<const Value>(make());
    const std::lock_guard<std::mutex> lock(mutex_);
    return std::static_pointer_cast<const Value>(values_.emplace(key, std::move(value)).first->second);
  }

 private:
  mutable std::mutex mutex_;
  mutable std::map<std::string, std::shared_ptr<const void>> values_;
};

}  // namespace hyperfd
