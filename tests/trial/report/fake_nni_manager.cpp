#include "tests/trial/report/fake_nni_manager.h"

namespace hyperfd {

using Reply = FakeHttpServer::Reply;

FakeNniManager::FakeNniManager(const std::string& address)
    : server_(address, [this](const FakeHttpServer::Request& request) { return answer(request); }) {}

std::string FakeNniManager::record(int id, const std::string& parameters) {
  return R"({"parameter_id": )" + std::to_string(id) + R"(, "parameter_source": "algorithm", "parameters": )" +
         parameters + R"(, "parameter_index": 0})";
}

std::string FakeNniManager::job_body(const std::string& status, const std::string& record) {
  return Json({{"trialJobId", kTrial}, {"status", status}, {"hyperParameters", {record}}, {"sequenceId", 3}}).dump();
}

TrialEnvironment FakeNniManager::environment(const std::string& platform, const std::string& host) const {
  TrialEnvironment environment;
  environment.platform = platform;
  environment.trial_job_id = kTrial;
  environment.command_channel = "http://" + host + ":" + server_.port() + "/prefix/env/local-env/" + kTrial;
  return environment;
}

NniHttpPatience FakeNniManager::patience() {
  using std::chrono::milliseconds;
  NniHttpPatience patience;
  patience.reply = milliseconds(5000);
  patience.first_retry = milliseconds(5);
  patience.longest_retry = milliseconds(20);
  patience.give_up = milliseconds(20'000);
  patience.queue = milliseconds(200);
  patience.registration = milliseconds(20'000);
  patience.registration_poll = milliseconds(5);
  patience.blind_wait = milliseconds(50);
  return patience;
}

NniHttpPatience FakeNniManager::hardly_any_patience() {
  NniHttpPatience patience = FakeNniManager::patience();
  patience.give_up = patience.registration = patience.unreachable = std::chrono::milliseconds(100);
  return patience;
}

std::vector<Json> FakeNniManager::metrics() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return metrics_;
}

int FakeNniManager::parameter_requests() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return parameter_requests_;
}

std::optional<Reply> FakeNniManager::answer(const FakeHttpServer::Request& request) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (lost_requests > 0) {
    --lost_requests;
    return std::nullopt;
  }
  const std::string trial = kTrial;
  if (request.target == "/prefix/env/local-env/" + trial) {
    if (gone) return Reply{410, "Gone"};
    if (request.method == "PUT") return answer_put(request);
    if (timeouts_before_queued > 0 || waiting_ == 0 || queued.empty()) {
      --timeouts_before_queued;
      return Reply{408, "Request Timeout"};
    }
    --waiting_;
    return Reply{200, queued.front() == '{' ? Json({{"type", "parameter"}, {"parameter", queued}}).dump() : queued};
  }
  if (has_rest && request.target == "/prefix/api/v1/nni/trial-jobs/" + trial) {
    return Reply{200, polls_before_registration-- > 0 ? job_before_registration : job};
  }
  if (has_rest && request.target == "/prefix/api/v1/nni/metric-data/" + trial + "?type=FINAL") {
    Json finals = Json::array();
    for (const Json& metric : metrics_) {
      if (metric.at("type") == "FINAL") finals.push_back({{"data", metric.at("value")}});
    }
    return Reply{200, finals.dump()};
  }
  return Reply{404, "Not Found"};
}

std::optional<Reply> FakeNniManager::answer_put(const FakeHttpServer::Request& request) {
  if (request.content_type != "application/json") return Reply{200, ""};  // express drops the body silently
  const Json command = Json::parse(request.body);
  if (command.at("type") == "request_parameter") {
    ++parameter_requests_;
    ++waiting_;
    return Reply{200, ""};
  }
  if (metric_status != 200) return Reply{metric_status, "no"};
  metrics_.push_back(Json::parse(command.at("metric").get<std::string>()));
  if (lost_replies_to_metrics > 0) {
    --lost_replies_to_metrics;
    return std::nullopt;
  }
  return Reply{200, ""};
}

}  // namespace hyperfd
