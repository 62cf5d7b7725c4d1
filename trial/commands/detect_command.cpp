#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>

#include <opencv2/videoio.hpp>

#include "trial/commands/commands.h"
#include "trial/commands/options.h"
#include "trial/data/coco_files.h"
#include "trial/data/coco_results.h"
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
  std::string weights, out, json, annotations, device = "auto", precision;
  std::vector<std::string> inputs;
  double score = 0.5;
  std::optional<double> nms;
  bool native = false;
  int threads = 1;
};

bool is_video(const fs::path& file) {
  return has_ending(file.string(), {".mp4", ".m4v", ".avi", ".mov", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv"});
}

// What the user named: files as they are, folders by what looks like an image in them, sorted.
std::vector<fs::path> list_files(const std::vector<std::string>& inputs) {
  std::vector<fs::path> files;
  for (const std::string& input : inputs) {
    std::error_code error;
    if (!fs::is_directory(input, error)) {
      files.emplace_back(input);
      continue;
    }
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(input)) {
      if (is_image_name(entry.path().string())) found.push_back(entry.path());
    }
    if (found.empty()) throw InputError(input + ": no images in this folder");
    std::sort(found.begin(), found.end());
    files.insert(files.end(), found.begin(), found.end());
  }
  return files;
}

// Gives images their ids: those of an annotations file by name, else 1, 2, … in order.
class Numbering {
 public:
  explicit Numbering(const std::string& annotations_file) {
    if (annotations_file.empty()) return;
    Warnings warnings;
    truths_ = read_coco_truths(annotations_file, warnings);
    for (const std::string& line : warnings.lines()) spdlog::warn("{}: {}", annotations_file, line);
  }

  std::string face_category() const { return truths_ ? truths_->face_category : "1"; }

  // The annotations' name is the end of the path: the longest end that they have decides.
  std::string id_of(const fs::path& file) {
    if (!truths_) return std::to_string(++last_);
    fs::path end = fs::absolute(file).lexically_normal().relative_path();
    while (true) {
      const auto image = truths_->by_name.find(end.generic_string());
      if (image != truths_->by_name.end()) return truths_->ids[image->second];
      fs::path shorter;
      for (auto part = std::next(end.begin()); part != end.end(); ++part) shorter /= *part;
      if (shorter.empty()) break;
      end = shorter;
    }
    throw InputError(file.string() + ": expected an image that " + truths_->file + " lists");
  }

 private:
  std::optional<CocoTruths> truths_;
  int last_ = 0;
};

class DetectRun {
 public:
  explicit DetectRun(const Options& options)
      : options_(options),
        device_(choose_device(options.device)),
        detector_(load_trained_detector(options.weights)),
        numbering_(options.annotations),
        results_(numbering_.face_category()) {
    detector_.network->to(device_);
    detector_.recipe.score_threshold = options.score;
    if (options.nms) detector_.recipe.nms_threshold = *options.nms;
    if (options.native) detector_.recipe.evaluation_side = 0;
    if (!options.precision.empty()) detector_.recipe.precision = options.precision;
  }

  void image(const fs::path& file) {
    const cv::Mat image = read_image(file.string());
    check_detectable(image.size(), detector_.recipe, file.string());
    const std::vector<Detection> detections = find(file, -1, image);
    std::string picture;
    if (draws()) {
      picture = name_in_out(file, ".png");
      write_picture(picture, draw_detections(image, detections, {}));
    }
    report(file, std::to_string(detections.size()) + " faces", picture);
  }

  void video(const fs::path& file) {
    std::error_code error;
    if (!fs::exists(file, error)) throw InputError(file.string() + ": no such file");
    cv::VideoCapture video(file.string());
    cv::Mat frame;
    if (!video.isOpened() || !video.read(frame)) {
      throw InputError(file.string() + ": expected a video, the content cannot be decoded");
    }
    const double rate = video.get(cv::CAP_PROP_FPS);
    const std::string out = draws() ? name_in_out(file, ".mp4") : "";
    const std::string part = draws() ? name_in_out(file, ".part.mp4") : "";
    cv::VideoWriter writer;
    std::size_t faces = 0;
    int number = 0;
    do {
      check_detectable(frame.size(), detector_.recipe, file.string());
      const std::vector<Detection> detections = find(file, number++, frame);
      faces += detections.size();
      if (!draws()) continue;
      const cv::Mat picture = draw_detections(frame, detections, {});
      if (number == 1) {
        fs::create_directories(options_.out);
        writer.open(part, cv::VideoWriter::fourcc('m', 'p', '4', 'v'), rate > 0 ? rate : 25, picture.size());
        if (!writer.isOpened()) throw Error(part + ": the video cannot be written (OpenCV without MPEG-4?)");
      }
      writer.write(picture);
    } while (video.read(frame));
    if (draws()) {
      writer.release();
      fs::rename(part, out);
    }
    report(file, std::to_string(faces) + " faces in " + std::to_string(number) + " frames", out);
  }

  void write_json() const {
    if (!options_.json.empty()) results_.write(options_.json);
  }

 private:
  bool draws() const { return !options_.out.empty(); }

  std::vector<Detection> find(const fs::path& file, int frame, const cv::Mat& image) {
    std::vector<Detection> detections = detect_faces(detector_, device_, image);
    if (!options_.json.empty()) results_.add(numbering_.id_of(file), file.string(), frame, detections);
    return detections;
  }

  // A file in --out that none of this run's has yet: holiday.png, holiday-2.png, …
  std::string name_in_out(const fs::path& file, const std::string& ending) {
    const std::string stem = (fs::path(options_.out) / file.stem()).string();
    std::string name = stem + ending;
    for (int i = 2; !used_.insert(name).second; ++i) name = stem + "-" + std::to_string(i) + ending;
    return name;
  }

  static void report(const fs::path& file, const std::string& what, const std::string& picture) {
    std::printf("%s: %s%s%s\n", file.c_str(), what.c_str(), picture.empty() ? "" : " → ", picture.c_str());
  }

  Options options_;
  torch::Device device_;
  TrainedDetector detector_;
  Numbering numbering_;
  CocoResults results_;
  std::set<std::string> used_;
};

void detect(Options options) {
  if (options.out.empty() && options.json.empty()) options.out = "detections";
  set_up_computing(options.threads);
  const std::vector<fs::path> files = list_files(options.inputs);
  if (!options.annotations.empty() && std::any_of(files.begin(), files.end(), is_video))
    throw InputError("--annotations: expected images, a video has no ids there");
  DetectRun run(options);
  std::size_t read = 0;
  for (const fs::path& file : files) {
    try {
      is_video(file) ? run.video(file) : run.image(file);
      ++read;
    } catch (const InputError& error) {
      if (files.size() == 1) throw;
      spdlog::warn("{}; left out", error.what());
    }
  }
  if (read == 0) throw InputError("none of the images can be read");
  run.write_json();
}

}  // namespace

void add_detect(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("detect", "Find faces in images and videos, draw them or write them as JSON");
  command->add_option("--weights", options->weights, "best.pt of a training run")->required();
  command->add_option("images", options->inputs, "Images, folders of images, or videos")->required();
  command->add_option("--out", options->out,
                      "Folder for pictures and videos with the faces drawn (default: detections, or none with --json)");
  auto* json = command->add_option("--json", options->json,
                                   "COCO results file to write: {image_id, file_name, bbox, score, keypoints, "
                                   "category_id}; frame, too, for videos");
  command->add_option("--annotations", options->annotations, "COCO file with the image ids to use, by file name")
      ->needs(json);
  command->add_option("--score", options->score, "Weaker detections are dropped")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  command
      ->add_option("--nms", options->nms,
                   "Of two detections with a larger IoU the weaker is dropped (default: as the recipe says)")
      ->check(CLI::Range(0.0, 1.0));
  command->add_flag("--native", options->native, "Do not resize images to the recipe's evaluation_side");
  add_computing_options(*command, options->device, options->threads);
  add_precision_option(*command, options->precision);
  command->footer(
      "Without --annotations, image ids count from 1 in the order of the images and frames that can be read.\n"
      "Examples:\n"
      "  hyperfd-trial detect --weights runs/a/best.pt holiday.jpg photos/ film.mp4 --out found\n"
      "  hyperfd-trial detect --weights runs/a/best.pt my_faces/images --json found.json --score 0.02 \\\n"
      "    --annotations my_faces/annotations.json\n"
      "  hyperfd-trial evaluate --detections found.json --annotations my_faces/annotations.json");
  command->callback([options] { detect(*options); });
}

}  // namespace hyperfd::commands
