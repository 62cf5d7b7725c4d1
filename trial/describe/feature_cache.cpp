#include "trial/describe/feature_cache.h"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <utility>
#include <vector>

#include <unistd.h>

#include "trial/describe/description_bytes.h"
#include "tuner/base/digest.h"
#include "tuner/base/error.h"
#include "tuner/base/files.h"
#include "tuner/base/log.h"

namespace fs = std::filesystem;

namespace hyperfd {
namespace {

constexpr std::string_view kMagic = "HyperFD feature cache 1\n";
constexpr std::size_t kKey = 64;  // SHA-256

// Whether files may be made in the folder. Root may write anywhere: a folder that nobody was given leave to write in is
// to stay as it is all the same.
bool is_writable(const std::string& folder) {
  std::error_code error;
  const fs::perms anyone = fs::perms::owner_write | fs::perms::group_write | fs::perms::others_write;
  return (fs::status(folder, error).permissions() & anyone) != fs::perms::none && ::access(folder.c_str(), W_OK) == 0;
}

// $XDG_CACHE_HOME/hyperfd, else ~/.cache/hyperfd.
std::string user_cache_directory() {
  if (const char* cache_home = std::getenv("XDG_CACHE_HOME"); cache_home && *cache_home)
    return std::string(cache_home) + "/hyperfd";
  const char* home = std::getenv("HOME");
  return std::string(home && *home ? home : ".") + "/.cache/hyperfd";
}

std::string pixels_digest(const cv::Mat& pixels) {
  const cv::Mat dense = pixels.isContinuous() ? pixels : pixels.clone();
  const std::string size = std::to_string(dense.cols) + "x" + std::to_string(dense.rows) + " ";
  return sha256(size + std::string(reinterpret_cast<const char*>(dense.data), dense.total() * dense.elemSize()));
}

std::string face_text(const Face& face) {
  std::string text(reinterpret_cast<const char*>(&face.box), sizeof face.box);
  text += face.ignored ? "i" : "f";
  if (face.landmarks) text.append(reinterpret_cast<const char*>(face.landmarks->data()), sizeof *face.landmarks);
  return text;
}

}  // namespace

std::string description_key(const std::string& folder, const AnnotatedImage& image) {
  std::string text =
      image.make_pixels ? pixels_digest(image.make_pixels()) : sha256(read_file(folder + "/" + image.file));
  for (const Face& face : image.faces) text += face_text(face);
  return sha256(text);
}

std::string feature_cache_file(const std::string& folder, const Json& identity) {
  const std::string name = "features_" + sha256(identity.dump()).substr(0, 16);
  if (is_writable(folder)) return folder + "/.hyperfd/" + name;
  return user_cache_directory() + "/" + sha256(fs::weakly_canonical(folder).string()).substr(0, 16) + "/" + name;
}

FeatureCache::FeatureCache(std::string file, const Json& identity, std::int64_t features)
    : file_(std::move(file)), identity_(sha256(identity.dump())) {
  std::error_code error;
  if (!fs::exists(file_, error)) return;
  try {
    const std::string bytes = read_file(file_);
    std::string_view rest = bytes;
    const std::string start = std::string(kMagic) + identity_;
    if (rest.substr(0, start.size()) != start) throw InputError(file_ + ": expected a feature cache of this extractor");
    rest.remove_prefix(start.size());
    if (rest.size() < kKey || rest.substr(0, kKey) != sha256(rest.substr(kKey))) throw InputError(file_ + ": damaged");
    rest.remove_prefix(kKey);
    while (!rest.empty()) {
      if (rest.size() < kKey) throw InputError(file_ + ": damaged");
      const std::string key(rest.substr(0, kKey));
      rest.remove_prefix(kKey);
      entries_[key].description = take_description(rest, features, file_);
    }
  } catch (const InputError& problem) {
    entries_.clear();
    spdlog::warn("{}; its images are described again", problem.what());
  }
}

std::optional<ImageDescription> FeatureCache::find(const std::string& key) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = entries_.find(key);
  if (found == entries_.end()) return std::nullopt;
  found->second.used = true;
  return found->second.description;
}

void FeatureCache::add(const std::string& key, ImageDescription description) {
  const std::lock_guard<std::mutex> lock(mutex_);
  entries_[key] = {std::move(description), true};
  changed_ = true;
}

void FeatureCache::save() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!changed_) return;
  std::size_t used = 0;
  for (const auto& item : entries_) used += item.second.used;
  const bool keeps_unused = entries_.size() - used <= 2 * used;
  std::string content;
  for (const auto& [key, entry] : entries_) {
    if (!entry.used && !keeps_unused) continue;
    content += key;
    append_description(entry.description, content);
  }
  write_file_atomically(file_, std::string(kMagic) + identity_ + sha256(content) + content);
  changed_ = false;
}

namespace {

class CachedDescriber : public ImageDescriber {
 public:
  CachedDescriber(std::unique_ptr<ImageDescriber> describer, const std::string& file)
      : describer_(std::move(describer)), cache_(file, describer_->identity(), describer_->size()) {}
  ~CachedDescriber() override { save(); }

  Json identity() const override { return describer_->identity(); }
  std::int64_t size() const override { return describer_->size(); }

  ImageDescription describe(const std::string& folder, const AnnotatedImage& image) override {
    const std::string key = description_key(folder, image);
    if (std::optional<ImageDescription> known = cache_.find(key)) return std::move(*known);
    ImageDescription description = describer_->describe(folder, image);
    cache_.add(key, description);
    if (is_time_to_save()) save();
    return description;
  }

 private:
  using Clock = std::chrono::steady_clock;

  bool is_time_to_save() {
    constexpr auto kBetweenSaves = std::chrono::seconds(30);
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto now = Clock::now();
    if (failed_ || now - last_save_ < kBetweenSaves) return false;
    last_save_ = now;
    return true;
  }

  void save() {
    try {
      cache_.save();
    } catch (const Error& error) {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (!std::exchange(failed_, true)) spdlog::warn("image features are not kept: {}", error.what());
    }
  }

  std::unique_ptr<ImageDescriber> describer_;
  FeatureCache cache_;
  std::mutex mutex_;
  Clock::time_point last_save_ = Clock::now();
  bool failed_ = false;
};

}  // namespace

std::unique_ptr<ImageDescriber> cached_describer(std::unique_ptr<ImageDescriber> describer, const std::string& file) {
  return std::make_unique<CachedDescriber>(std::move(describer), file);
}

}  // namespace hyperfd
