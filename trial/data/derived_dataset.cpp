#include "trial/data/derived_dataset.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>
#include <unordered_set>
#include <utility>

#include <opencv2/core.hpp>

#include "trial/data/annotation_writer.h"
#include "trial/data/image_source.h"
#include "trial/data/shift/shift.h"
#include "tuner/base/digest.h"
#include "tuner/base/error.h"
#include "tuner/base/files.h"
#include "tuner/base/names.h"

namespace fs = std::filesystem;

namespace hyperfd {
namespace {

std::string file_in(const std::string& folder) {
  return folder + "/derived.json";
}

std::string source_folder(const std::string& folder, const std::string& source) {
  return fs::weakly_canonical(fs::path(folder) / source).string();
}

DerivedDescription parse_derived(const std::string& folder) {
  const std::string file = file_in(folder);
  const Json root = parse_json(read_file(file), file);
  if (!root.is_object()) throw InputError(file + ": expected an object with a source, got " + brief(root));
  const auto fail = [&](const std::string& key, const std::string& expected) {
    throw InputError(file + ": " + key + ": expected " + expected + ", " +
                     (root.contains(key) ? "got " + brief(root[key]) : "it is missing"));
  };
  DerivedDescription description;
  if (!root.contains("source")) fail("source", "a data set's folder");
  for (const auto& [key, value] : root.items()) {
    if (key == "source") {
      if (!value.is_string() || value == "") fail(key, "a data set's folder");
      description.source = value.get<std::string>();
    } else if (key == "images") {
      if (!value.is_array() || value.empty()) fail(key, "a list of file names");
      std::unordered_set<std::string> seen;
      for (std::size_t i = 0; i < value.size(); ++i) {
        const std::string place = file + ": images[" + std::to_string(i) + "]: ";
        if (!value[i].is_string()) throw InputError(place + "expected a file name, got " + brief(value[i]));
        description.images.push_back(value[i].get<std::string>());
        if (!seen.insert(description.images.back()).second)
          throw InputError(place + brief(value[i]) + " is listed before");
      }
    } else if (key == "shift") {
      if (!value.is_array()) fail(key, "a list of shifts");
      description.shift = value;
    } else if (key == "seed") {
      if (!value.is_number_unsigned()) fail(key, "an integer >= 0");
      description.seed = value.get<std::uint64_t>();
    } else if (key == "note") {
      if (!value.is_string()) fail(key, "a text");
      description.note = value.get<std::string>();
    } else {
      throw InputError(file + ": " + unknown_name_message("key", key, {"source", "images", "shift", "seed", "note"}));
    }
  }
  return description;
}

void refuse_cycles(std::string folder) {
  std::unordered_set<std::string> seen;
  while (is_derived(folder)) {
    if (!seen.insert(fs::weakly_canonical(folder).string()).second)
      throw InputError(file_in(folder) + ": source: the data set is derived from itself");
    folder = source_folder(folder, parse_derived(folder).source);
  }
}

// The images of a source and what is done to them. Thread-safe.
class ShiftedImages {
 public:
  ShiftedImages(std::string folder, const std::string& source, std::vector<AnnotatedImage> images,
                const DerivedDescription& description)
      : file_(file_in(folder)), source_(source), images_(std::move(images)), seed_(description.seed) {
    bool has_crowd = false;
    for (std::size_t i = 0; i < description.shift.size(); ++i) {
      const std::string place = file_ + ": shift[" + std::to_string(i) + "]";
      ShiftParameters parameters(description.shift[i], place);
      const ShiftKind& kind = shift_kind(parameters.text("kind"), place);
      shifts_.push_back(kind.make(parameters));
      parameters.finish();
      moves_faces_ = moves_faces_ || kind.moves_faces;
      if (kind.name == "crowd" && std::exchange(has_crowd, true)) parameters.fail("kind", "one crowd at most");
    }
    for (std::size_t i = 0; i < images_.size(); ++i) {
      require(!moves_faces_ || (images_[i].width > 0 && images_[i].height > 0), images_[i],
              "expected its width and height in the annotations, without which faces cannot be moved");
      of_split_[static_cast<std::size_t>(images_[i].split)].push_back(i);
    }
  }

  ShiftedImage make(std::size_t index, bool with_pixels) const { return make(index, shifts_.size(), with_pixels); }

 private:
  void require(bool holds, const AnnotatedImage& image, const std::string& message) const {
    if (!holds) throw InputError(file_ + ": " + source_ + "/" + image.file + ": " + message);
  }

  ShiftedImage original(std::size_t index, bool with_pixels) const {
    const AnnotatedImage& image = images_[index];
    ShiftedImage original{{image.width, image.height}, image.faces, {}};
    if (!with_pixels) return original;
    original.pixels = read_pixels(source_, image);
    require(!moves_faces_ || original.pixels.size() == original.size, image,
            "is of another size than annotated, its faces cannot be moved");
    return original;
  }

  // After the first `steps` shifts.
  ShiftedImage make(std::size_t index, std::size_t steps, bool with_pixels) const {
    if (steps == 0) return original(index, with_pixels);
    ShiftedImage image = make(index, steps - 1, with_pixels);
    const AnnotatedImage& origin = images_[index];
    // OpenCV's own limit of what it moves pixels in.
    constexpr int kLongestSide = 32766;
    require(!moves_faces_ || std::max(image.size.width, image.size.height) <= kLongestSide, origin,
            "is longer than 32766 pixels, which cannot be shifted");
    Rng rng(stable_hash("shift " + std::to_string(seed_) + " " + std::to_string(steps) + " " + origin.file));
    try {
      shifts_[steps - 1](image, rng, [&](Rng& draw) {
        const std::vector<std::size_t>& same_split = of_split_[static_cast<std::size_t>(origin.split)];
        return make(same_split[draw.below(same_split.size())], steps - 1, with_pixels);
      });
    } catch (const InputError& error) {
      require(false, origin, error.what());
    } catch (const cv::Exception& error) {  // a JPEG of more than 65,500 pixels on a side, say
      require(false, origin, "cannot be shifted: " + error.err);
    }
    return image;
  }

  std::string file_, source_;
  std::vector<AnnotatedImage> images_;
  std::uint64_t seed_;
  std::vector<Shift> shifts_;
  bool moves_faces_ = false;
  std::array<std::vector<std::size_t>, 3> of_split_;
};

}  // namespace

bool is_derived(const std::string& folder) {
  return fs::exists(file_in(folder));
}

void write_derived(const std::string& folder, const DerivedDescription& description) {
  for (const std::string& file : {folder + "/annotations.json", file_in(folder)}) {
    if (fs::exists(file)) throw InputError(folder + ": expected a new folder, a data set is there (" + file + ")");
  }
  if (!is_utf8(description.source))
    throw InputError("the source's folder is not named in UTF-8: " + description.source);
  Json root = {{"source", fs::canonical(description.source).string()}};
  if (!description.note.empty()) root["note"] = description.note;
  if (!description.shift.empty()) {
    root["shift"] = description.shift;
    root["seed"] = description.seed;
  }
  if (!description.images.empty()) root["images"] = description.images;
  write_file_atomically(file_in(folder), root.dump(1) + "\n");
}

std::vector<AnnotatedImage> images_named(const std::vector<std::string>& names,
                                         const std::vector<AnnotatedImage>& source, Warnings& warnings) {
  if (names.empty()) return source;
  const std::string usual_folder = "images/";
  std::unordered_set<std::string> wanted(names.begin(), names.end());
  std::vector<AnnotatedImage> chosen;
  for (const AnnotatedImage& image : source) {
    const bool usual = image.file.compare(0, usual_folder.size(), usual_folder) == 0;
    if (wanted.erase(image.file) || (usual && wanted.erase(image.file.substr(usual_folder.size()))))
      chosen.push_back(image);
  }
  for (const std::string& name : names) {
    if (wanted.count(name)) warnings.add("images of derived.json that the source does not have", name);
  }
  return chosen;
}

std::vector<AnnotatedImage> read_derived(const std::string& folder, Warnings& warnings) {
  if (fs::exists(folder + "/annotations.json"))
    throw InputError(folder + ": expected annotations.json or derived.json, it has both");
  const DerivedDescription description = parse_derived(folder);
  refuse_cycles(folder);
  const FaceDataset source = FaceDataset::load(source_folder(folder, description.source), warnings);
  std::vector<AnnotatedImage> images = images_named(description.images, source.images(), warnings);
  if (images.empty())
    throw InputError(file_in(folder) + ": images: expected images of " + source.folder() + ", it has none of them");

  // Before shifts mix images of one split.
  images = in_splits(folder, std::move(images), warnings);
  std::string splits;
  for (const AnnotatedImage& image : images) splits += name_of(image.split)[0];

  const auto shifted = std::make_shared<const ShiftedImages>(folder, source.folder(), images, description);
  const std::string derivation =
      description.shift.empty()
          ? ""
          : sha256(description.shift.dump() + std::to_string(description.seed) + Json(description.images).dump() +
                   (fs::exists(folder + "/splits.json") ? splits : ""));
  for (std::size_t i = 0; i < images.size(); ++i) {
    AnnotatedImage& image = images[i];
    ShiftedImage labels = shifted->make(i, false);
    image.width = labels.size.width;
    image.height = labels.size.height;
    image.faces = std::move(labels.faces);
    image.make_pixels = [shifted, i] { return shifted->make(i, true).pixels; };
    image.derivation += derivation;
  }
  return images;
}

}  // namespace hyperfd
