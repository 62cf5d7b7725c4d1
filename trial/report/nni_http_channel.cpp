#include "trial/report/nni_http_channel.h"

#include <algorithm>
#include <thread>

#include "trial/report/parameter_record.h"
#include "tuner/base/log.h"

namespace hyperfd {
namespace {

using Clock = std::chrono::steady_clock;

// Pauses between attempts, each twice as long as the one before, until the time for the operation is up.
class Backoff {
 public:
  Backoff(std::chrono::milliseconds first, std::chrono::milliseconds longest, std::chrono::milliseconds give_up)
      : pause_(first), longest_(longest), deadline_(Clock::now() + give_up) {}

  // False when there is no time for another attempt.
  bool wait() {
    if (Clock::now() + pause_ >= deadline_) return false;
    std::this_thread::sleep_for(pause_);
    pause_ = std::min(2 * pause_, longest_);
    return true;
  }

 private:
  std::chrono::milliseconds pause_, longest_;
  Clock::time_point deadline_;
};

ProtocolError unexpected(const char* method, const HttpUrl& url, const std::string& expected, const HttpReply& reply) {
  if (reply.status == 410)
    return ProtocolError(std::string(method) + " " + url.text() + ": NNI is shutting down (410)");
  return ProtocolError(std::string(method) + " " + url.text() + ": expected " + expected + ", got status " +
                       std::to_string(reply.status) + (reply.body.empty() ? "" : ", body " + brief(reply.body)));
}

// The record in a reply to GET: {"type": "parameter", "parameter": "<JSON text of the record>"}.
Assignment parse_parameter_command(const HttpReply& reply, const HttpUrl& url) {
  const Json command = Json::parse(reply.body, nullptr, /*allow_exceptions=*/false);
  const Json type = command.is_object() ? command.value("type", Json()) : Json();
  const Json record = command.is_object() ? command.value("parameter", Json()) : Json();
  if (type != "parameter" || !record.is_string()) {
    throw unexpected("GET", url, "{\"type\": \"parameter\", \"parameter\": \"…\"}", reply);
  }
  return parse_parameter_record(record.get<std::string>(), "GET " + url.text());
}

}  // namespace

NniHttpChannel::NniHttpChannel(const TrialEnvironment& environment, NniHttpPatience patience)
    : channel_(parse_http_url(environment.command_channel, "NNI_TRIAL_COMMAND_CHANNEL")),
      trial_job_id_(environment.trial_job_id),
      patience_(patience) {
  if (environment.platform == "local") rest_.emplace(channel_, trial_job_id_, patience_.reply);
}

Assignment NniHttpChannel::ask() {
  const std::optional<Assignment> queued = receive_queued(request_parameters());
  if (rest_) {
    if (const std::optional<Assignment> registered = wait_for_registration()) {
      if (queued && !same_assignment(*queued, *registered)) {
        spdlog::warn("NNI handed out configuration {} but has {} on record for this trial; using the record",
                     brief(queued->parameter_id), brief(registered->parameter_id));
      }
      return *registered;
    }
  }
  if (!queued) throw ProtocolError(queue_problem_);
  std::this_thread::sleep_for(patience_.blind_wait);
  return *queued;
}

bool NniHttpChannel::request_parameters() {
  Backoff unreachable(patience_.first_retry, patience_.longest_retry, patience_.unreachable);
  while (true) {
    try {
      const HttpReply reply = http_exchange("PUT", channel_, R"({"type":"request_parameter"})", patience_.reply);
      if (reply.status == 200) return false;
      throw unexpected("PUT", channel_, "status 200", reply);
    } catch (const HttpFailure& failure) {
      // Not repeated once it may have arrived: a second request would take another trial's configuration.
      if (failure.may_have_arrived()) return true;
      if (!unreachable.wait()) throw;
    }
  }
}

std::optional<Assignment> NniHttpChannel::receive_queued(bool request_may_be_lost) {
  Backoff backoff(patience_.first_retry, patience_.longest_retry, rest_ ? patience_.queue : patience_.give_up);
  do {
    HttpReply reply;
    try {
      reply = http_exchange("GET", channel_, "", patience_.reply);
    } catch (const HttpFailure& failure) {
      queue_problem_ = failure.what();
      continue;
    }
    if (reply.status == 410) throw unexpected("GET", channel_, "a configuration", reply);
    if (reply.status == 408) {  // the manager's "nothing yet", after it has waited for a second
      queue_problem_ = "GET " + channel_.text() + ": expected NNI to hand out a configuration, but it has none (408)";
      // So a request whose reply was lost never arrived, and asking again takes nobody's configuration.
      if (request_may_be_lost) request_may_be_lost = request_parameters();
      continue;
    }
    try {
      return parse_parameter_command(reply, channel_);
    } catch (const ProtocolError& nonsense) {
      if (!rest_) throw;
      queue_problem_ = nonsense.what();
      return std::nullopt;
    }
  } while (backoff.wait());
  return std::nullopt;
}

std::optional<Assignment> NniHttpChannel::wait_for_registration() {
  Backoff backoff(patience_.registration_poll, 10 * patience_.registration_poll, patience_.registration);
  std::string problem = "it has not stored this trial";
  do {
    try {
      const NniRest::Record record = rest_->trial();
      if (record.state == NniRest::State::kRegistered) return record.assignment;
      if (record.state == NniRest::State::kNoSuchRoute) {
        spdlog::debug("{} does not exist: using the configuration that NNI handed out", rest_->trial_url());
        return std::nullopt;
      }
    } catch (const ProtocolError& error) {
      problem = error.what();
    }
  } while (backoff.wait());
  spdlog::warn("NNI's record of this trial is not to be had ({}): results may be lost or belong to another trial",
               problem);
  return std::nullopt;
}

void NniHttpChannel::send(const Metric& metric) {
  const Json command = {{"type", "metric"}, {"metric", metric_message(metric, trial_job_id_)}};
  const std::string body = command.dump();
  Backoff backoff(patience_.first_retry, patience_.longest_retry, patience_.give_up);
  Backoff unreachable(patience_.first_retry, patience_.longest_retry, patience_.unreachable);
  while (true) {
    try {
      const HttpReply reply = http_exchange("PUT", channel_, body, patience_.reply);
      if (reply.status == 200) return;
      throw unexpected("PUT", channel_, "status 200", reply);
    } catch (const HttpFailure& failure) {
      // A periodical metric carries its sequence number and may come twice; a final one is a second result to NNI.
      if (metric.type == MetricType::kFinal && failure.may_have_arrived() && final_has_arrived()) return;
      if (!(failure.may_have_arrived() ? backoff : unreachable).wait()) throw;
    }
  }
}

bool NniHttpChannel::final_has_arrived() const {
  if (!rest_) return false;  // cannot be known: a result counted twice is better than one lost
  try {
    return rest_->has_final_result();
  } catch (const ProtocolError&) {
    return false;
  }
}

}  // namespace hyperfd
