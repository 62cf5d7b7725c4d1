#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "trial/commands/commands.h"
#include "trial/data/drawing.h"
#include "trial/data/image_file.h"
#include "trial/training/detect.h"
#include "trial/training/device.h"
#include "trial/training/picture_file.h"
#include "trial/training/trained_detector.h"
#include "tuner/base/error.h"
#include "tuner/base/log.h"

namespace fs = std::filesystem;

namespace hyperfd::commands {
namespace {

struct Options {
  std::string weights, out = "detections", device = "auto";
  std::vector<std::string> inputs;
  double score = 0.5;
  int threads = 1;
};

// The images that the user named: files as they are, folders by what looks like an image in them, sorted.
std::vector<fs::path> list_images(const std::vector<std::string>& inputs) {
  const std::vector<std::string> endings = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"};
  std::vector<fs::path> images;
  for (const std::string& input : inputs) {
    if (!fs::is_directory(input)) {
      images.emplace_back(input);
      continue;
    }
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(input)) {
      std::string ending = entry.path().extension().string();
      std::transform(ending.begin(), ending.end(), ending.begin(),
                     [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      if (std::find(endings.begin(), endings.end(), ending) != endings.end()) found.push_back(entry.path());
    }
    if (found.empty()) throw InputError(input + ": no images in this folder");
    std::sort(found.begin(), found.end());
    images.insert(images.end(), found.begin(), found.end());
  }
  return images;
}

void detect(const Options& options) {
  set_up_computing(options.threads);
  const torch::Device device = choose_device(options.device);
  TrainedDetector trained = load_trained_detector(options.weights);
  trained.network->to(device);
  trained.recipe.score_threshold = options.score;
  std::size_t read = 0;
  for (const fs::path& file : list_images(options.inputs)) {
    cv::Mat image;
    try {
      image = read_image(file.string());
    } catch (const InputError& error) {
      spdlog::warn("{}; left out", error.what());
      continue;
    }
    ++read;
    const std::vector<Detection> detections = detect_faces(trained, device, image);
    const std::string picture = (fs::path(options.out) / file.stem()).string() + ".png";
    write_picture(picture, draw_detections(image, detections, {}));
    std::printf("%s: %zu faces → %s\n", file.c_str(), detections.size(), picture.c_str());
  }
  if (read == 0) throw InputError("none of the images can be read");
}

}  // namespace

void add_detect(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("detect", "Find faces in images and draw them");
  command->add_option("--weights", options->weights, "best.pt of a training run")->required();
  command->add_option("images", options->inputs, "Images or folders of images")->required();
  command->add_option("--out", options->out, "Folder for the pictures")->capture_default_str();
  command->add_option("--score", options->score, "Weaker detections are not drawn")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  command->add_option("--device", options->device, "auto, cpu or cuda")->capture_default_str();
  command->add_option("--threads", options->threads, "Threads that compute")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  command->footer("Example:\n  hyperfd-trial detect --weights runs/a/best.pt holiday.jpg photos/ --out found");
  command->callback([options] { detect(*options); });
}

}  // namespace hyperfd::commands
