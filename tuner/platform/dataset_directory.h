#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tuner/ranker/dataset_client.h"

namespace hyperfd {

// The data sets that clients serve at this moment. One that is lent stays so until the pointer is gone, and gets no
// other orders meanwhile.
class DatasetDirectory {
 public:
  virtual ~DatasetDirectory() = default;

  virtual bool serves(std::int64_t task) = 0;
  // For an update, on another thread; nullptr: nobody serves it.
  virtual std::shared_ptr<DatasetClient> lend(std::int64_t task) = 0;
  // Asks for φ without waiting; `version` of the ranker whose G has these weights comes back with it. Does nothing for
  // a data set that is not served or is lent.
  virtual void request_feature(std::int64_t task, std::int64_t version, const std::vector<float>& weights,
                               std::uint64_t seed) = 0;
  // Its client may go; the reason is for the client's user.
  virtual void dismiss(std::int64_t task, const std::string& reason) = 0;

  // Where nobody serves anything.
  static DatasetDirectory& none();
};

}  // namespace hyperfd
