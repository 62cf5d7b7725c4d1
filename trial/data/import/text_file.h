#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hyperfd {

// A text file read line by line; knows its place for messages. Blank lines are passed over; a byte order mark, carriage
// returns and blanks around a line are no part of it.
class TextFile {
 public:
  // Throws InputError when it cannot be read.
  explicit TextFile(std::string file);

  // Moves to the next line; false at the end.
  bool next();
  // Lets next() give the same line again.
  void put_back();
  const std::string& line() const { return line_; }
  // `labels.txt:17`, for the line that next() moved to; after the end, the last one.
  std::string place() const { return file_ + ":" + std::to_string(number_); }
  // `labels.txt:17: "the line"`, for warnings.
  std::string example() const;
  // Throws InputError: `labels.txt:17: expected …, got "the line"`.
  [[noreturn]] void fail(const std::string& expected) const;
  // As fail(), where the file ended instead.
  [[noreturn]] void fail_at_end(const std::string& expected) const;

 private:
  std::string file_, text_, line_;
  std::size_t position_ = 0, line_start_ = 0;
  std::size_t number_ = 0, numbers_before_ = 0;
};

// The numbers that the text consists of, separated by blanks; nothing when some of it is no number.
std::optional<std::vector<double>> parse_numbers(std::string_view text);

// A text in quotes for messages, cut when long.
std::string quoted(const std::string& text);

}  // namespace hyperfd
