#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace hyperfd {

struct CsvRecord {
  std::size_t line = 0;  // where it begins, from 1
  std::vector<std::string> fields;

  // An empty line is a record with one empty field.
  bool is_empty_line() const { return fields.size() == 1 && fields[0].empty(); }
};

// RFC 4180: quoted fields may hold commas, newlines and doubled quotes; lines end with or without carriage return.
// Spaces and tabs around a field are dropped (what people type after commas), those inside its quotes stay.
// Throws InputError that names `source` and the line of a quote that is not closed.
std::vector<CsvRecord> parse_csv(const std::string& text, const std::string& source);

}  // namespace hyperfd
