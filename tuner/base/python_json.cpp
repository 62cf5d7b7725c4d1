#include "tuner/base/python_json.h"

namespace hyperfd {

std::string without_nan(std::string text) {
  if (text.find("NaN") == std::string::npos && text.find("Infinity") == std::string::npos) return text;
  std::string clean;
  clean.reserve(text.size());
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto here = [&](const char* word) {
      return text.compare(i, std::char_traits<char>::length(word), word) == 0;
    };
    if (in_string && text[i] == '\\' && i + 1 < text.size())
      clean += text[i++];
    else if (text[i] == '"')
      in_string = !in_string;
    std::size_t length = 0;
    if (!in_string) length = here("NaN") ? 3 : here("Infinity") ? 8 : here("-Infinity") ? 9 : 0;
    if (length > 0) {
      clean += "null";
      i += length - 1;
    } else {
      clean += text[i];
    }
  }
  return clean;
}

}  // namespace hyperfd
