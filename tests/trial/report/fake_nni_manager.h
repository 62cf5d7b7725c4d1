#pragma once

#include <string>
#include <vector>

#include "tests/trial/report/fake_http_server.h"
#include "trial/report/nni_http_channel.h"

namespace hyperfd {

// The trial's side of NNI 3.0's manager as compat.js, http.js and nnimanager.js of NNI implement it, with its faults on
// demand: the test sets them before the channel is used.
class FakeNniManager {
 public:
  static constexpr const char* kTrial = "AbCdE";

  explicit FakeNniManager(const std::string& address = "127.0.0.1");

  // What the queue hands out; "" is nothing, for ever.
  std::string queued = record(7, R"({"x":0.25})");
  // The body at trial-jobs/AbCdE once registered.
  std::string job = job_body("RUNNING", record(7, R"({"x":0.25})"));
  int polls_before_registration = 0;  // empty bodies at trial-jobs/ before `job`
  std::string job_before_registration;
  bool has_rest = true;             // false: 404, as a keeper on a remote machine answers
  int timeouts_before_queued = 0;   // 408 replies before the queue hands out
  bool gone = false;                // 410 to everything on the channel
  int lost_requests = 0;            // connections closed on request, before it has an effect
  int lost_replies_to_metrics = 0;  // connections closed after a metric has been stored
  int metric_status = 200;

  // {"parameter_id": …, "parameter_source": "algorithm", "parameters": …}
  static std::string record(int id, const std::string& parameters);
  static std::string job_body(const std::string& status, const std::string& record);

  TrialEnvironment environment(const std::string& platform, const std::string& host = "localhost") const;
  // Long enough for a busy machine, with short pauses.
  static NniHttpPatience patience();
  // For tests of giving up.
  static NniHttpPatience hardly_any_patience();

  // The metric messages (M) that were stored, decoded.
  std::vector<Json> metrics() const;
  int parameter_requests() const;

 private:
  std::optional<FakeHttpServer::Reply> answer(const FakeHttpServer::Request& request);
  std::optional<FakeHttpServer::Reply> answer_put(const FakeHttpServer::Request& request);

  mutable std::mutex mutex_;
  std::vector<Json> metrics_;
  int parameter_requests_ = 0;
  int waiting_ = 0;  // configurations asked for and not yet fetched
  FakeHttpServer server_;
};

}  // namespace hyperfd
