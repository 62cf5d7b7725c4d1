#pragma once

#include <string_view>

namespace hyperfd {

// Reads the plain JSON that COCO files consist of – numbers, short strings, lists of numbers – some ten times faster
// than a parser that builds a tree. Everything else, rare or broken, is left to that parser: a function that says false
// has met something it does not know, and the caller goes back to where it was and reads that piece with parse_json().
// What is accepted is valid JSON. Refers to the text.
class JsonScanner {
 public:
  explicit JsonScanner(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

  const char* here() const { return at_; }
  void go(const char* place) { at_ = place; }

  // Skips white space, then `c`.
  bool skip(char c);
  // Whether only white space is left.
  bool at_end();
  bool number(double& value);
  // A string without escapes, control and non-ASCII characters, with its quotes.
  bool text(std::string_view& quoted);
  // An integer or a string as text() reads it, as it is written.
  bool id(std::string_view& written);
  // A number, string, constant, or list of numbers.
  bool skip_plain_value();
  // Any value, or key, by its brackets and quotes alone, to be parsed by others.
  bool value(std::string_view& written);

 private:
  void skip_space();
  bool scan_number(bool& integer);

  const char* at_;
  const char* end_;
};

}  // namespace hyperfd
