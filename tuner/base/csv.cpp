#include "tuner/base/csv.h"

#include <string_view>

#include "tuner/base/error.h"

namespace hyperfd {
namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

// Takes one record off the beginning of `text` and counts its lines.
CsvRecord take_record(std::string_view& text, std::size_t& line, const std::string& source) {
  CsvRecord record{++line, std::vector<std::string>(1)};
  std::vector<std::string>& fields = record.fields;
  bool quoted = false;
  std::size_t kept = 0;  // of the last field: what its quotes hold
  const auto end_field = [&] {
    std::string& field = fields.back();
    while (field.size() > kept && is_blank(field.back())) field.pop_back();
    kept = 0;
  };
  while (!text.empty()) {
    const char c = text.front();
    text.remove_prefix(1);
    if (quoted) {
      if (c == '\n') ++line;
      if (c != '"') {
        fields.back() += c;
      } else if (!text.empty() && text.front() == '"') {
        fields.back() += c;
        text.remove_prefix(1);
      } else {
        quoted = false;
        kept = fields.back().size();
      }
    } else if (c == '"' && fields.back().empty()) {
      quoted = true;
    } else if (c == ',') {
      end_field();
      fields.emplace_back();
    } else if (c == '\n') {
      break;
    } else if (c != '\r' && !(is_blank(c) && fields.back().empty())) {
      fields.back() += c;
    }
  }
  if (quoted) throw InputError(source + ": line " + std::to_string(record.line) + ": a quote is not closed");
  end_field();
  return record;
}

}  // namespace

std::vector<CsvRecord> parse_csv(const std::string& text, const std::string& source) {
  std::vector<CsvRecord> records;
  std::size_t line = 0;
  for (std::string_view rest = text; !rest.empty();) records.push_back(take_record(rest, line, source));
  return records;
}

}  // namespace hyperfd
