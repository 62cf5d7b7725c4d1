#include "trial/data/materialise.h"

#include <filesystem>

#include <opencv2/imgcodecs.hpp>

#include "trial/data/annotation_writer.h"
#include "trial/data/image_source.h"
#include "tuner/base/error.h"
#include "tuner/base/files.h"
#include "tuner/base/json.h"

namespace fs = std::filesystem;

namespace hyperfd {

std::size_t materialise(const FaceDataset& dataset, const std::string& out, Warnings& warnings,
                        const std::function<void(std::size_t)>& progress) {
  if (fs::exists(out) && !(fs::is_directory(out) && fs::is_empty(out)))
    throw InputError(out + ": expected a new or empty folder");
  std::vector<AnnotatedImage> images;
  Json splits = {{"train", Json::array()}, {"val", Json::array()}, {"test", Json::array()}};
  bool usual_split = true;
  for (const AnnotatedImage& image : dataset.images()) {
    cv::Mat pixels;
    try {
      pixels = read_pixels(dataset.folder(), image);
    } catch (const InputError& unreadable) {
      warnings.add("images that cannot be read, left out", unreadable.what());
      continue;
    }
    const fs::path file = fs::path(out) / image.file;
    fs::create_directories(file.parent_path());
    const std::vector<int> quality = {cv::IMWRITE_JPEG_QUALITY, 95};
    if (cv::haveImageWriter(file.string())) {
      if (!cv::imwrite(file.string(), pixels, quality)) throw Error(file.string() + ": cannot be written");
    } else {  // of another ending, or none
      std::vector<unsigned char> bytes;
      cv::imencode(".jpg", pixels, bytes, quality);
      write_file_atomically(file.string(), std::string(bytes.begin(), bytes.end()));
    }
    images.push_back(image);
    splits[name_of(image.split)].push_back(image.file);
    usual_split = usual_split && image.split == split_of(image.file);
    if (progress) progress(images.size());
  }
  if (images.empty()) throw InputError(dataset.folder() + ": none of its images can be read");
  if (!usual_split) write_file_atomically(out + "/splits.json", splits.dump(1) + "\n");
  write_annotations(out + "/annotations.json", images);
  return images.size();
}

}  // namespace hyperfd
