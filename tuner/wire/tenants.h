#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

#include "tuner/base/error.h"

namespace hyperfd::wire {

// What a client that is known by its key may ask for. A tuner without keys has one user and no limits.
struct TenantLimits {
  std::int64_t experiments = 10'000;  // in the store
  double requests = 500;              // a second, over some time; a burst may have four times as many at once
  bool policy_options = false;        // may set how the ranker learns, which all clients share
};

// More requests than a client may send; ER code `limit`.
class LimitExceeded : public ProtocolError {
 public:
  using ProtocolError::ProtocolError;
};

// An experiment's name in the store: clients with keys have a name space each, so that none can see or touch, or even
// know of, another's. `tenant`: the client's public key, "" without keys.
std::string owned_name(const std::string& tenant, const std::string& experiment);
// What all names of the tenant begin with.
std::string name_prefix(const std::string& tenant);

// Counts requests. Not thread-safe.
class RequestRates {
 public:
  using Clock = std::chrono::steady_clock;

  explicit RequestRates(double a_second) : a_second_(a_second) {}
  // One request, now. Throws LimitExceeded when there were too many.
  void count(const std::string& tenant, Clock::time_point now = Clock::now());

 private:
  struct Bucket {
    double left;
    Clock::time_point filled;
  };
  double a_second_;
  std::map<std::string, Bucket> buckets_;  // of clients with keys: no more than these
};

}  // namespace hyperfd::wire
