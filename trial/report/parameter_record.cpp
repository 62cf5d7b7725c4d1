#include "trial/report/parameter_record.h"

#include "tuner/base/error.h"

namespace hyperfd {
namespace {

nlohmann::json unordered(const Json& value) {
  return nlohmann::json::parse(value.dump());
}

}  // namespace

Assignment parse_parameter_record(const std::string& text, const std::string& where) {
  const Json record = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (record.is_discarded() || !record.is_object()) {
    throw ProtocolError(where + ": expected a parameter record (a JSON object), got " + brief(text));
  }
  const auto id = record.find("parameter_id");
  const auto parameters = record.find("parameters");
  if (id == record.end() || !(id->is_number_integer() || id->is_string() || id->is_null())) {
    throw ProtocolError(where + ": expected \"parameter_id\" (a number, text or null) in " + brief(record));
  }
  if (parameters == record.end() || !parameters->is_object()) {
    throw ProtocolError(where + ": expected \"parameters\" (an object) in " + brief(record));
  }
  return {*id, *parameters};
}

bool same_assignment(const Assignment& a, const Assignment& b) {
  return a.parameter_id == b.parameter_id && unordered(a.parameters) == unordered(b.parameters);
}

}  // namespace hyperfd
