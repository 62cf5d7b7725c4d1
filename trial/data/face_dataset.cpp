#include "trial/data/face_dataset.h"

#include <algorithm>
#include <filesystem>
#include <iterator>

#include "trial/data/annotations.h"
#include "trial/data/derived_dataset.h"
#include "tuner/base/error.h"

namespace hyperfd {

std::vector<AnnotatedImage> in_splits(const std::string& folder, std::vector<AnnotatedImage> images,
                                      Warnings& warnings) {
  const std::string splits_file = folder + "/splits.json";
  std::error_code error;
  if (!std::filesystem::exists(std::filesystem::symlink_status(splits_file, error))) return images;
  SplitList splits = read_splits(splits_file);
  // A name without its folder will do, as in annotations.json.
  const std::string usual_folder = "images/";
  std::vector<AnnotatedImage> listed;
  for (AnnotatedImage& image : images) {
    auto entry = splits.find(image.file);
    if (entry == splits.end() && image.file.compare(0, usual_folder.size(), usual_folder) == 0)
      entry = splits.find(image.file.substr(usual_folder.size()));
    if (entry == splits.end()) {
      warnings.add("images in no list of splits.json, unused", image.file);
      continue;
    }
    image.split = entry->second;
    splits.erase(entry);
    listed.push_back(std::move(image));
  }
  for (const auto& [file, which] : splits) warnings.add("images of splits.json that are not in the data set", file);
  return listed;
}

FaceDataset FaceDataset::load(const std::string& folder, Warnings& warnings) {
  std::error_code error;
  if (!std::filesystem::is_directory(folder, error)) {
    throw InputError(folder + ": expected a data set's folder (annotations.json and images/), it is " +
                     (std::filesystem::exists(folder, error) ? "a file" : "not there"));
  }
  FaceDataset dataset;
  dataset.folder_ = folder;
  if (is_derived(folder)) {
    dataset.images_ = read_derived(folder, warnings);
  } else {
    dataset.images_ = read_annotations(folder, warnings);
    for (AnnotatedImage& image : dataset.images_) image.split = split_of(image.file);
    dataset.images_ = in_splits(folder, std::move(dataset.images_), warnings);
  }
  return dataset;
}

std::vector<AnnotatedImage> FaceDataset::all_of(Split which) const {
  std::vector<AnnotatedImage> chosen;
  std::copy_if(images_.begin(), images_.end(), std::back_inserter(chosen),
               [&](const AnnotatedImage& image) { return image.split == which; });
  return chosen;
}

std::vector<AnnotatedImage> FaceDataset::split(Split which) const {
  std::vector<AnnotatedImage> chosen = all_of(which);
  if (chosen.empty()) {
    throw InputError(folder_ + ": no image is in the " + name_of(which) + " split (" + std::to_string(images_.size()) +
                     " in all): add images, or assign them in splits.json");
  }
  return chosen;
}

}  // namespace hyperfd
