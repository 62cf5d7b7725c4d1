#include "tuner/wire/tenants.h"

#include <algorithm>

namespace hyperfd::wire {

std::string name_prefix(const std::string& tenant) {
  return tenant.empty() ? "" : tenant + "/";
}

std::string owned_name(const std::string& tenant, const std::string& experiment) {
  return name_prefix(tenant) + experiment;
}

void RequestRates::count(const std::string& tenant, Clock::time_point now) {
  constexpr double kBurst = 4;  // seconds' worth
  if (tenant.empty()) return;
  Bucket& bucket = buckets_.try_emplace(tenant, Bucket{kBurst * a_second_, now}).first->second;
  const double seconds = std::chrono::duration<double>(now - bucket.filled).count();
  bucket.left = std::min(kBurst * a_second_, bucket.left + seconds * a_second_);
  bucket.filled = now;
  if (bucket.left < 1) {
    throw LimitExceeded("more than " + std::to_string(static_cast<std::int64_t>(a_second_)) +
                        " requests a second; wait, and send the request again");
  }
  bucket.left -= 1;
}

}  // namespace hyperfd::wire
