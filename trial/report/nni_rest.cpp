#include "trial/report/nni_rest.h"

#include "trial/report/parameter_record.h"

namespace hyperfd {
namespace {

Json parse_reply(const HttpReply& reply, const HttpUrl& url, const char* expected) {
  Json value = Json::parse(reply.body, nullptr, /*allow_exceptions=*/false);
  if (reply.status != 200 || value.is_discarded()) {
    throw ProtocolError("GET " + url.text() + ": expected " + expected + ", got status " +
                        std::to_string(reply.status) + ", body " + brief(reply.body));
  }
  return value;
}

}  // namespace

NniRest::NniRest(const HttpUrl& command_channel, const std::string& trial_job_id, std::chrono::milliseconds timeout)
    : trial_(command_channel), final_results_(command_channel), timeout_(timeout) {
  const auto environment = command_channel.target.rfind("/env/");
  if (environment == std::string::npos) {
    throw InputError("NNI_TRIAL_COMMAND_CHANNEL: expected http://HOST:PORT/env/ENVIRONMENT/TRIAL, got " +
                     brief(command_channel.text()));
  }
  const std::string root = command_channel.target.substr(0, environment) + "/api/v1/nni";
  trial_.target = root + "/trial-jobs/" + trial_job_id;
  final_results_.target = root + "/metric-data/" + trial_job_id + "?type=FINAL";
}

NniRest::Record NniRest::trial() const {
  const HttpReply reply = http_exchange("GET", trial_, "", timeout_);
  if (reply.status == 404) return {State::kNoSuchRoute, {}};
  if (reply.status == 200 && reply.body.empty()) return {State::kNotYet, {}};

  const char* expected = "the trial's record (a JSON object with \"trialJobId\", \"status\", \"hyperParameters\")";
  const Json record = parse_reply(reply, trial_, expected);
  if (!record.is_object() || !record.contains("trialJobId")) {
    throw ProtocolError("GET " + trial_.text() + ": expected " + expected + ", got " + brief(record));
  }
  const Json status = record.value("status", Json());
  if (status != "RUNNING" && status != "WAITING") return {State::kNotYet, {}};
  const Json records = record.value("hyperParameters", Json::array());
  if (!records.is_array() || records.empty() || !records[0].is_string()) {
    throw ProtocolError("GET " + trial_.text() + ": expected \"hyperParameters\" (a list of texts), got " +
                        brief(records));
  }
  return {State::kRegistered,
          parse_parameter_record(records[0].get<std::string>(), "GET " + trial_.text() + ": hyperParameters[0]")};
}

bool NniRest::has_final_result() const {
  const Json metrics =
      parse_reply(http_exchange("GET", final_results_, "", timeout_), final_results_, "a list of metrics");
  return metrics.is_array() && !metrics.empty();
}

}  // namespace hyperfd
