#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tuner/base/json.h"

namespace hyperfd {

// One object of a list in a COCO file; knows its place for messages. `value` must outlive it.
// All members that read a key throw InputError, which names file, place and value, when it is not what they expect.
class JsonEntry {
 public:
  // `list` is the list's key, "" when the list is the whole file.
  JsonEntry(const std::string& file, const char* list, std::size_t index, const Json& value);

  // nullptr when the key is absent or null.
  const Json* find(const char* key) const;
  // `annotations.json: images[3]`
  const std::string& place() const { return place_; }
  [[noreturn]] void fail(const char* key, const std::string& expected) const;

  // An id as JSON text; COCO has integers, some tools write strings.
  std::string id(const char* key) const;
  // A size in pixels; 0 when it is not given.
  int pixels(const char* key) const;
  // False when it is not given.
  bool flag(const char* key) const;
  // Numbers; null, which stands for NaN in JSON, stays NaN. Fails unless there are `count`.
  std::vector<float> numbers(const char* key, std::size_t count) const;

 private:
  std::string place_;
  const Json& value_;
};

}  // namespace hyperfd
