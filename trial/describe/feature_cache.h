#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "trial/describe/image_describer.h"

namespace hyperfd {

// What an image's description depends on beside the describer: its labels, and the content of its file or, in a derived
// data set, the pixels that are made. Throws InputError that names the file.
std::string description_key(const std::string& folder, const AnnotatedImage& image);

// The file for descriptions of the data set in `folder` by a describer of that identity: in folder/.hyperfd/, or in the
// user's cache directory when nobody may write there.
std::string feature_cache_file(const std::string& folder, const Json& identity);

// Descriptions that a file keeps. Thread-safe.
class FeatureCache {
 public:
  // A file that is missing, damaged or of another identity is like an empty one; `features`: of each image.
  FeatureCache(std::string file, const Json& identity, std::int64_t features);

  // What was added under the key, here or by an earlier process; nothing else.
  std::optional<ImageDescription> find(const std::string& key);
  void add(const std::string& key, ImageDescription description);
  // Replaces the file, if anything was added. Descriptions that nobody asked for go when they are more than twice as
  // many as the others. Throws Error.
  void save();

 private:
  struct Entry {
    ImageDescription description;
    bool used = false;
  };
  std::string file_, identity_;
  std::mutex mutex_;
  std::map<std::string, Entry> entries_;
  bool changed_ = false;
};

// `describer`, asked only for what the cache does not have. Saves the cache now and then, and when it is destroyed;
// where that fails, it says so in the log and goes on without.
std::unique_ptr<ImageDescriber> cached_describer(std::unique_ptr<ImageDescriber> describer, const std::string& file);

}  // namespace hyperfd
