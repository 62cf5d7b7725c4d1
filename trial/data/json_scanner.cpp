#include "trial/data/json_scanner.h"

#include <charconv>
#include <cstring>

namespace hyperfd {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

void JsonScanner::skip_space() {
  while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
}

bool JsonScanner::skip(char c) {
  skip_space();
  if (at_ == end_ || *at_ != c) return false;
  ++at_;
  return true;
}

bool JsonScanner::at_end() {
  skip_space();
  return at_ == end_;
}

// Passes a number by JSON's grammar, which is narrower than std::from_chars'.
bool JsonScanner::scan_number(bool& integer) {
  const auto digits = [&] {
    const char* begin = at_;
    while (at_ != end_ && is_digit(*at_)) ++at_;
    return at_ != begin;
  };
  integer = true;
  if (at_ != end_ && *at_ == '-') ++at_;
  if (at_ != end_ && *at_ == '0') {
    ++at_;
  } else if (!digits()) {
    return false;
  }
  if (at_ != end_ && *at_ == '.') {
    ++at_;
    integer = false;
    if (!digits()) return false;
  }
  if (at_ != end_ && (*at_ == 'e' || *at_ == 'E')) {
    ++at_;
    integer = false;
    if (at_ != end_ && (*at_ == '+' || *at_ == '-')) ++at_;
    if (!digits()) return false;
  }
  return at_ == end_ || !is_digit(*at_);  // no 01
}

bool JsonScanner::number(double& value) {
  skip_space();
  const char* begin = at_;
  bool integer = false;
  if (!scan_number(integer)) return false;
  const auto [stop, error] = std::from_chars(begin, at_, value);
  return error == std::errc() && stop == at_;
}

bool JsonScanner::text(std::string_view& quoted) {
  skip_space();
  const char* begin = at_;
  if (at_ == end_ || *at_ != '"') return false;
  for (++at_; at_ != end_; ++at_) {
    if (*at_ == '"') {
      ++at_;
      quoted = {begin, static_cast<std::size_t>(at_ - begin)};
      return true;
    }
    if (*at_ < 0x20 || *at_ > 0x7e || *at_ == '\\') return false;
  }
  return false;
}

bool JsonScanner::id(std::string_view& written) {
  skip_space();
  const char* begin = at_;
  if (at_ != end_ && *at_ == '"') return text(written);
  bool integer = false;
  if (!scan_number(integer) || !integer || at_ - begin > 18 || *begin == '-') return false;
  written = {begin, static_cast<std::size_t>(at_ - begin)};
  return true;
}

bool JsonScanner::skip_plain_value() {
  skip_space();
  if (at_ == end_) return false;
  std::string_view quoted;
  double unused = 0;
  if (*at_ == '"') return text(quoted);
  if (*at_ == '[') {
    ++at_;
    if (skip(']')) return true;
    do {
      if (!number(unused)) return false;
    } while (skip(','));
    return skip(']');
  }
  for (const char* word : {"true", "false", "null"}) {
    const std::size_t length = std::strlen(word);
    if (static_cast<std::size_t>(end_ - at_) >= length && std::memcmp(at_, word, length) == 0) {
      at_ += length;
      return true;
    }
  }
  return number(unused);
}

bool JsonScanner::value(std::string_view& written) {
  skip_space();
  const char* begin = at_;
  int depth = 0;
  bool in_string = false;
  for (; at_ != end_; ++at_) {
    const char c = *at_;
    if (in_string) {
      if (c == '"') in_string = false;
      if (c == '\\' && ++at_ == end_) return false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      ++depth;
    } else if (c == ']' || c == '}') {
      if (depth == 0) break;
      --depth;
    } else if ((c == ',' || c == ':') && depth == 0) {
      break;
    }
  }
  written = {begin, static_cast<std::size_t>(at_ - begin)};
  return depth == 0 && !in_string && !written.empty();
}

}  // namespace hyperfd
