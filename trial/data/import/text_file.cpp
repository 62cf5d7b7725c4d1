#include "trial/data/import/text_file.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "tuner/base/error.h"
#include "tuner/base/files.h"
#include "tuner/base/json.h"

namespace hyperfd {
namespace {

constexpr char kBlanks[] = " \t\r\f\v";

}  // namespace

TextFile::TextFile(std::string file) : file_(std::move(file)), text_(read_file(file_)) {
  const std::string byte_order_mark = "\xEF\xBB\xBF";
  if (text_.compare(0, byte_order_mark.size(), byte_order_mark) == 0) position_ = byte_order_mark.size();
}

bool TextFile::next() {
  numbers_before_ = number_;
  line_start_ = position_;
  while (position_ < text_.size()) {
    const std::size_t end = std::min(text_.find('\n', position_), text_.size());
    const std::string_view whole(text_.data() + position_, end - position_);
    position_ = end + 1;
    ++number_;
    const std::size_t first = whole.find_first_not_of(kBlanks);
    if (first == std::string_view::npos) continue;
    line_ = whole.substr(first, whole.find_last_not_of(kBlanks) + 1 - first);
    return true;
  }
  return false;
}

void TextFile::put_back() {
  position_ = line_start_;
  number_ = numbers_before_;
}

std::string TextFile::example() const {
  return place() + ": " + quoted(line_);
}

void TextFile::fail(const std::string& expected) const {
  throw InputError(place() + ": expected " + expected + ", got " + quoted(line_));
}

void TextFile::fail_at_end(const std::string& expected) const {
  throw InputError(place() + ": expected " + expected + ", the file ends");
}

std::optional<std::vector<double>> parse_numbers(std::string_view text) {
  std::vector<double> numbers;
  while (true) {
    const std::size_t start = text.find_first_not_of(kBlanks);
    if (start == std::string_view::npos) return numbers;
    text.remove_prefix(start);
    const std::string_view word = text.substr(0, text.find_first_of(kBlanks));
    double number = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
    if (error != std::errc{} || end != word.data() + word.size()) return std::nullopt;
    numbers.push_back(number);
    text.remove_prefix(word.size());
  }
}

std::string quoted(const std::string& text) {
  return brief(Json(text));
}

}  // namespace hyperfd
