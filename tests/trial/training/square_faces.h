#pragma once

#include <filesystem>
#include <string>

#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <unistd.h>

#include "trial/training/recipe.h"
#include "tuner/base/files.h"
#include "tuner/base/json.h"
#include "tuner/base/rng.h"

namespace hyperfd {

// A data set that a network learns in seconds: bright squares with dark eyes on noise, one or two in each image of
// 96×80 pixels, now and then none. Removed with this object.
class SquareFaces {
 public:
  SquareFaces(const std::string& name, int train, int val, int test)
      : folder_((std::filesystem::temp_directory_path() / (name + std::to_string(::getpid()))).string()) {
    std::filesystem::create_directories(folder_ + "/images");
    Rng rng(1);
    Json annotations = {
        {"images", Json::array()}, {"annotations", Json::array()}, {"categories", {{{"id", 1}, {"name", "face"}}}}};
    Json splits = {{"train", Json::array()}, {"val", Json::array()}, {"test", Json::array()}};
    for (int i = 0; i < train + val + test; ++i) {
      const std::string file = "images/" + std::to_string(i) + ".png";
      cv::imwrite(folder_ + "/" + file, draw(rng, i, annotations));
      annotations["images"].push_back({{"id", i}, {"file_name", file}, {"width", 96}, {"height", 80}});
      splits[i < train ? "train" : i < train + val ? "val" : "test"].push_back(file);
    }
    write_file_atomically(folder_ + "/annotations.json", annotations.dump());
    write_file_atomically(folder_ + "/splits.json", splits.dump());
  }
  ~SquareFaces() { std::filesystem::remove_all(folder_); }
  SquareFaces(const SquareFaces&) = delete;
  SquareFaces& operator=(const SquareFaces&) = delete;

  const std::string& folder() const { return folder_; }

  // For these images: small crops, the fast backbone, few epochs.
  static Recipe recipe() {
    Recipe recipe = load_recipe("mini", {"weights=", "batch_norm=normal", "average=0"});
    recipe.backbone = "mobilenet_v1_x0.25";
    recipe.channels = 16;
    recipe.anchor_sizes = {12, 20, 32, 48, 64, 96};
    recipe.optimizer = "adam";
    recipe.learning_rate = 2e-3;
    recipe.crop_size = 64;
    recipe.min_crop_ratio = 0.8;
    recipe.batch_size = 4;
    recipe.epochs = 2;
    recipe.validate_every = 1;
    recipe.evaluation_side = 0;
    recipe.minimum_face = 0;
    return recipe;
  }

 private:
  static cv::Mat draw(Rng& rng, int image, Json& annotations) {
    cv::Mat picture(80, 96, CV_8UC3);
    for (auto pixel = picture.begin<cv::Vec3b>(); pixel != picture.end<cv::Vec3b>(); ++pixel) {
      for (int channel = 0; channel < 3; ++channel) (*pixel)[channel] = static_cast<unsigned char>(rng.below(90));
    }
    const int faces = image % 5 == 4 ? 0 : 1 + static_cast<int>(rng.below(2));
    for (int face = 0; face < faces; ++face) {
      const int side = 18 + static_cast<int>(rng.below(14));
      const cv::Rect box(face * 48 + static_cast<int>(rng.below(static_cast<std::uint64_t>(48 - side))),
                         static_cast<int>(rng.below(static_cast<std::uint64_t>(80 - side))), side, side);
      cv::rectangle(picture, box, cv::Scalar(170, 200, 230), cv::FILLED);
      for (const double eye : {0.3, 0.7}) {
        cv::circle(picture, {box.x + cvRound(side * eye), box.y + cvRound(side * 0.35)}, 2, cv::Scalar::all(20),
                   cv::FILLED);
      }
      annotations["annotations"].push_back({{"id", annotations["annotations"].size()},
                                            {"image_id", image},
                                            {"category_id", 1},
                                            {"iscrowd", 0},
                                            {"bbox", {box.x, box.y, box.width, box.height}}});
    }
    return picture;
  }

  std::string folder_;
};

}  // namespace hyperfd
