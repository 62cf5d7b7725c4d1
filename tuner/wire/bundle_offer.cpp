#include "tuner/wire/bundle_offer.h"

#include <algorithm>
#include <filesystem>

#include "tuner/base/digest.h"
#include "tuner/base/error.h"
#include "tuner/base/files.h"
#include "tuner/platform/sqlite_store.h"

namespace hyperfd::wire {

BundleOffer::BundleOffer(const std::string& file) {
  for (const ExperimentSummary& experiment : open_store(file, StoreAccess::kReadOnly)->experiments()) {
    if (experiment.name.rfind(kOfflinePrefix, 0) == 0) continue;
    throw InputError(file + ": holds a client's experiment, \"" + experiment.name +
                     "\"; expected offline tasks only, as hyperfd-tuner warmup writes them");
  }
  std::error_code none;
  if (std::filesystem::file_size(file + "-wal", none) > 0 && !none) {
    throw InputError(file + ": is in use, " + file + "-wal holds some of it");
  }
  bytes_ = read_file(file);
  digest_ = sha256(bytes_);
}

BundlePart BundleOffer::part(std::int64_t offset) const {
  if (offset < 0 || offset > static_cast<std::int64_t>(bytes_.size())) {
    throw InputError("offset: expected 0 to " + std::to_string(bytes_.size()) + ", got " + std::to_string(offset));
  }
  const auto begin = bytes_.begin() + static_cast<std::ptrdiff_t>(offset);
  const auto size = std::min<std::ptrdiff_t>(kPartBytes, bytes_.end() - begin);
  return {digest_, static_cast<std::int64_t>(bytes_.size()), Bytes(begin, begin + size)};
}

}  // namespace hyperfd::wire
