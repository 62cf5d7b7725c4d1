#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "tuner/ranker/dataset_client.h"
#include "tuner/wire/dataset_connection.h"
#include "tuner/wire/messages.h"

namespace hyperfd::wire {

// The order was read and is not carried out, e.g. because it would disclose more than the user allows.
class OrderRefused : public Error {
 public:
  using Error::Error;
};

struct ServingOptions {
  ConnectionOptions connection;
  std::string experiment;
  std::chrono::milliseconds away{600'000};   // a platform that does not answer for so long is given up
  std::chrono::milliseconds answer{25'000};  // before a request is sent again; longer than a platform lets polls wait
  std::chrono::milliseconds pause{1000};     // between attempts that were refused for the time being
};

// What the user of a client may want to hear.
struct ServingEvents {
  std::function<void()> on_settled = [] {};  // the platform has what it wants for now: suggestions may begin
  std::function<void(const std::string& frame)> on_sent = [](const std::string&) {};
};

enum class ServingEnd { kDismissed, kAway, kStopped };

struct ServingResult {
  ServingEnd end = ServingEnd::kStopped;
  std::string reason;
  std::int64_t orders = 0;              // carried out
  std::int64_t sent = 0, received = 0;  // bytes
};

// Serves a data set to the platform at the other end until it is dismissed, the platform is away for too long, or
// `is_stopped` says so: carries out forward() and backward() as they are ordered. `about` says what is served; its
// session is chosen here. An order that fails is refused, and the serving goes on. Throws InputError when the platform
// does not accept the data set.
ServingResult serve_dataset(DatasetClient& dataset, OpenDataset about, const ServingOptions& options,
                            const ServingEvents& events, const std::function<bool()>& is_stopped);

}  // namespace hyperfd::wire
