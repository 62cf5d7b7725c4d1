#pragma once

#include <string>
#include <vector>

#include "tuner/base/json.h"

namespace hyperfd {

// One object of a list in a COCO file; knows its place, so that a message can say `a.json: annotations[17].bbox:
// expected 4 numbers, got "a"`. `list` is empty for the list that is a whole results file. Refers to `value`. All
// functions throw InputError.
class CocoEntry {
 public:
  CocoEntry(const std::string& file, const std::string& list, std::size_t index, const Json& value);

  // nullptr when the key is absent or null.
  const Json* find(const char* key) const;
  const std::string& place() const { return place_; }
  [[noreturn]] void fail(const char* key, const std::string& expected) const;

  // An id as JSON text; COCO has integers, some tools write strings.
  std::string id(const char* key) const;
  // A size in pixels; 0 when it is not given.
  int pixels(const char* key) const;
  bool flag(const char* key) const;
  double number(const char* key) const;
  // Numbers; null, which stands for NaN in JSON, stays NaN. Fails unless there are `count`.
  std::vector<double> numbers(const char* key, std::size_t count) const;

 private:
  std::string place_;
  const Json& value_;
};

// root[key], which must be a list.
const Json& list_in(const Json& root, const char* key, const std::string& file);

// The id, as JSON text, of the category that means a face: the one named "face", or the only one, whatever its name; 1
// where there are none. Throws InputError that names them when several are there and none is it.
std::string face_category(const Json& root, const std::string& file);

}  // namespace hyperfd
