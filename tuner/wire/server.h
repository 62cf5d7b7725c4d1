#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "tuner/platform/background_learner.h"
#include "tuner/platform/experience_store.h"
#include "tuner/wire/dataset_hub.h"
#include "tuner/wire/tenants.h"

namespace hyperfd::wire {

struct ServerOptions {
  std::string endpoint;               // ipc://PATH or tcp://HOST:PORT
  std::chrono::seconds idle_exit{0};  // ends after this long without any message; 0: never
  std::string server_key;             // file with the server's secret CURVE key; with allow_file, needed for tcp …
  std::string allow_file;             // file with the public keys of allowed clients
  bool insecure = false;              // … unless this says that tcp may go without
  std::string offer_bundle;           // file that clients may have (BundleOffer); "": none
  // How long the answer to the first message of a new experiment waits for a ranker update at most.
  std::chrono::milliseconds learning_patience{3000};
  // How long a client that serves a data set waits for an order before it has to ask again.
  std::chrono::milliseconds poll_patience{10'000};
  DatasetTimes dataset_times;
  BackgroundLearner::Learn learn = learn_ranker;  // what an update is
  TenantLimits limits;                            // of each client with a key
};

// hyperfd-tuner's socket: one ROUTER, one loop, one thread.
class Server {
 public:
  // Binds; from then on clients may connect. Throws InputError for options, ProtocolError when the endpoint cannot be
  // bound.
  Server(ExperienceStore& store, const ServerOptions& options);
  ~Server();

  // The endpoint with wildcards resolved.
  const std::string& endpoint() const;

  // Serves until SIGINT, SIGTERM, stop() or the idle time.
  void run();
  // May be called from any thread and from a signal handler.
  void stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hyperfd::wire
