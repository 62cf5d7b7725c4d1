#pragma once

#include <string>
#include <vector>

#include "tuner/base/json.h"

namespace hyperfd {

// The object that describes one shift, `{"kind": "blur", "sigma": 2.1}`. Knows its place, so that a message can say
// `d/derived.json: shift[1].sigma: expected a number in [0.1, 20], got "a"`. All functions throw InputError.
class ShiftParameters {
 public:
  // Refers to `value`.
  ShiftParameters(const Json& value, std::string place);

  std::string text(const char* key);
  double number(const char* key, double low, double high);
  double number_or(const char* key, double low, double high, double otherwise);
  int integer(const char* key, int low, int high);
  bool flag_or(const char* key, bool otherwise);
  std::string choice(const char* key, const std::vector<std::string>& names);
  // After all have been asked for: fails for a key that nobody asked for.
  void finish() const;
  [[noreturn]] void fail(const std::string& key, const std::string& expected) const;

 private:
  const Json* find(const char* key);

  const Json& value_;
  std::string place_;
  std::vector<std::string> known_;
};

}  // namespace hyperfd
