#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "trial/describe/privacy_dataset.h"
#include "trial/describe/privacy_ledger.h"
#include "tuner/ranker/dataset_client.h"
#include "tuner/ranker/dataset_features.h"
#include "tuner/wire/messages.h"

namespace hyperfd {

// What a user lets a platform know of a data set (docs/privacy.md). Without `is_private`: φ, statistics and gradients,
// as in the paper.
struct Disclosure {
  std::int64_t least_images = 20;  // smaller data sets are not served
  bool is_private = false;
  double epsilon = 4, delta = 1e-5;  // over all that is ever told of the data set
  std::int64_t releases = 4;         // answers that share the budget, with one number of faces
  std::int64_t group_images = 8;
  bool gradients = false;
};

// A data set as a platform gets to know it.
class RemoteDataset {
 public:
  // `ledger_file`: where the privacy budget's expenses are kept. Throws InputError for a data set that is too small, or
  // whose budget is spent already.
  RemoteDataset(const DatasetFeatures& features, const Disclosure& disclosure, const std::string& ledger_file);

  DatasetClient& client() { return *client_; }
  // What opens it at the platform. Private ones withhold their statistics, but for the number of images, which is no
  // secret, and a noisy number of faces: told the first time, it costs as much of the budget as an answer.
  const wire::OpenDataset& open();
  // What will leave and what stays, in words, to be read before anything does: the one place that says so.
  std::string report() const;

 private:
  // The faces of a private data set, each image counting at most kCountedFaces.
  struct FaceCount {
    std::string name;  // in the ledger: other faces, another name
    double faces = 0;
  };
  static constexpr std::int64_t kCountedFaces = 20;

  void make_private(const DatasetFeatures& features, const std::string& ledger_file);
  void tell_sizes();
  std::string private_answers() const;

  Disclosure disclosure_;
  wire::OpenDataset about_;
  PrivacyOptions privacy_;
  std::unique_ptr<PrivacyLedger> ledger_;
  std::optional<FaceCount> count_;  // while it is to be told
  std::unique_ptr<DatasetClient> client_;
  PrivateDataset* private_ = nullptr;  // client_, if it is private
};

}  // namespace hyperfd
