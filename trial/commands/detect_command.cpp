#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include <opencv2/videoio.hpp>

#include "trial/commands/commands.h"
#include "trial/commands/options.h"
#include "trial/commands/output_check.h"
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
  return has_ending(file.string(), {".mp4", ".m4v", ".avi", ".mov", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv", ".flv"});
}

// An image or video.
struct Input {
  fs::path file;
  std::string name;        // in --json
  fs::path place;          // in --out, with the input's own ending
  std::string drawing;     // "": none
  std::string unfinished;  // the drawing of a video until it is whole
};

struct Found {
  std::vector<Input> images;
  std::vector<fs::path> videos;
};

// Adds what is in `folder` and below, which is at `place` in the folder that the user named. Links to folders are not
// followed, since they may lead back.
void find_below(const fs::path& folder, const fs::path& place, const std::string& out, Found& found) {
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    const fs::path& path = entry.path();
    const fs::path below = place / path.filename();
    if (entry.is_directory(error)) {
      if (entry.is_symlink(error)) continue;
      if (fs::equivalent(path, out, error)) {
        spdlog::info("{}: left out, since drawings go there (--out)", path.string());
      } else {
        find_below(path, below, out, found);
      }
    } else if (is_video(path)) {
      found.videos.push_back(path);
    } else if (is_image_name(path.string())) {
      found.images.push_back({path, below.string(), below, "", ""});
    }
  }
}

// What the user named: files as they are, folders by what looks like an image in them, sorted.
std::vector<Input> list_inputs(const std::vector<std::string>& names, const std::string& out) {
  std::vector<Input> inputs;
  for (const std::string& name : names) {
    std::error_code error;
    if (!fs::is_directory(name, error)) {
      inputs.push_back({name, name, fs::path(name).filename(), "", ""});
      continue;
    }
    Found found;
    find_below(name, "", out, found);
    std::string videos;
    if (!found.videos.empty()) {
      videos = std::to_string(found.videos.size()) + " videos, which are given by their own paths, as " +
               std::min_element(found.videos.begin(), found.videos.end())->string();
    }
    if (found.images.empty())
      throw InputError(name + ": no images in this folder or below it" + (videos.empty() ? "" : ", but " + videos));
    if (!videos.empty()) spdlog::warn("{}: leaves out {}", name, videos);
    std::sort(found.images.begin(), found.images.end(), [](const Input& a, const Input& b) { return a.file < b.file; });
    for (Input& image : found.images) {
      if (names.size() > 1) image.name = image.file.string();  // two folders may have the same names
      inputs.push_back(std::move(image));
    }
  }
  return inputs;
}

// Files in `out`, no two the same: holiday.png, holiday-2.png, …
void place_drawings(std::vector<Input>& inputs, const std::string& out) {
  std::set<std::string> used;
  for (Input& input : inputs) {
    const std::string stem = (fs::path(out) / input.place).replace_extension().string();
    const auto place = [&](const std::string& ending) {
      std::string name = stem + ending;
      for (int i = 2; !used.insert(name).second; ++i) name = stem + "-" + std::to_string(i) + ending;
      return name;
    };
    input.drawing = place(is_video(input.file) ? ".mp4" : ".png");
    if (is_video(input.file)) input.unfinished = place(".part.mp4");
  }
}

// Nothing that is read may be replaced.
void check_inputs_kept(const std::vector<Input>& inputs, const Options& options) {
  std::vector<std::string> files = {options.weights, options.annotations};
  for (const Input& input : inputs) files.push_back(input.file.string());
  const InputFiles kept(files);
  if (!options.json.empty()) kept.check_kept("--json", options.json);
  for (const Input& input : inputs) {
    if (!input.drawing.empty()) kept.check_kept("--out", input.drawing);
    if (!input.unfinished.empty()) kept.check_kept("--out", input.unfinished);
  }
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
  std::string id_of(const fs::path& file) { return truths_ ? truths_->ids[index_of(file)] : std::to_string(++last_); }

  // The way up that annotations mean, or else that people see.
  cv::Mat read(const fs::path& file) const {
    if (!truths_) return read_image(file.string(), Orientation::kShown);
    const auto [width, height] = truths_->sizes[index_of(file)];
    return read_annotated_image(file.string(), width, height);
  }

 private:
  std::size_t index_of(const fs::path& file) const {
    fs::path end = fs::absolute(file).lexically_normal().relative_path();
    while (true) {
      const auto image = truths_->by_name.find(end.generic_string());
      if (image != truths_->by_name.end()) return image->second;
      fs::path shorter;
      for (auto part = std::next(end.begin()); part != end.end(); ++part) shorter /= *part;
      if (shorter.empty()) break;
      end = shorter;
    }
    throw InputError(file.string() + ": expected an image that " + truths_->file + " lists");
  }

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

  void image(const Input& input) {
    const std::string file = input.file.string();
    const cv::Mat image = numbering_.read(input.file);
    check_detectable(image.size(), detector_.recipe, file);
    const std::vector<Detection> detections = find(input, -1, image);
    if (!input.drawing.empty()) write_picture(input.drawing, draw_detections(image, detections, {}));
    report(input, std::to_string(detections.size()) + " faces");
  }

  void video(const Input& input) {
    const std::string file = input.file.string();
    std::error_code error;
    if (!fs::exists(input.file, error)) throw InputError(file + ": no such file");
    cv::VideoCapture video(file);
    cv::Mat frame;
    if (!video.isOpened() || !video.read(frame)) {
      throw InputError(file + ": expected a video, the content cannot be decoded");
    }
    const double rate = video.get(cv::CAP_PROP_FPS);
    const std::string& part = input.unfinished;
    cv::VideoWriter writer;
    std::size_t faces = 0;
    int number = 0;
    do {
      check_detectable(frame.size(), detector_.recipe, file);
      const std::vector<Detection> detections = find(input, number++, frame);
      faces += detections.size();
      if (part.empty()) continue;
      const cv::Mat picture = draw_detections(frame, detections, {});
      if (number == 1) {
        fs::create_directories(fs::absolute(part).parent_path());
        writer.open(part, cv::VideoWriter::fourcc('m', 'p', '4', 'v'), rate > 0 ? rate : 25, picture.size());
        if (!writer.isOpened()) throw Error(part + ": the video cannot be written (OpenCV without MPEG-4?)");
      }
      writer.write(picture);
    } while (video.read(frame));
    if (!part.empty()) {
      writer.release();
      fs::rename(part, input.drawing);
    }
    report(input, std::to_string(faces) + " faces in " + std::to_string(number) + " frames");
  }

  void write_json() const {
    if (!options_.json.empty()) results_.write(options_.json);
  }

 private:
  std::vector<Detection> find(const Input& input, int frame, const cv::Mat& image) {
    std::vector<Detection> detections = detect_faces(detector_, device_, image);
    if (!options_.json.empty()) results_.add(numbering_.id_of(input.file), input.name, frame, detections);
    return detections;
  }

  static void report(const Input& input, const std::string& what) {
    std::printf("%s: %s%s%s\n", input.file.c_str(), what.c_str(), input.drawing.empty() ? "" : " → ",
                input.drawing.c_str());
  }

  Options options_;
  torch::Device device_;
  TrainedDetector detector_;
  Numbering numbering_;
  CocoResults results_;
};

void detect(Options options) {
  if (options.out.empty() && options.json.empty()) options.out = "detections";
  set_up_computing(options.threads);
  std::vector<Input> inputs = list_inputs(options.inputs, options.out);
  const auto shows_video = [](const Input& input) { return is_video(input.file); };
  if (!options.annotations.empty() && std::any_of(inputs.begin(), inputs.end(), shows_video))
    throw InputError("--annotations: expected images, a video has no ids there");
  if (!options.out.empty()) place_drawings(inputs, options.out);
  check_inputs_kept(inputs, options);
  DetectRun run(options);
  if (!options.json.empty()) check_output(options.json);
  if (!options.out.empty()) check_output(inputs.front().drawing);
  std::size_t read = 0;
  for (const Input& input : inputs) {
    try {
      shows_video(input) ? run.video(input) : run.image(input);
      ++read;
    } catch (const InputError& error) {
      if (inputs.size() == 1) throw;
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
  command
      ->add_option("--weights", options->weights,
                   "best.pt of a training run, or the name of weights that come with the program")
      ->required();
  command->add_option("images", options->inputs, "Images, folders of images (also in sub-folders), or videos")
      ->required();
  command->add_option("--out", options->out,
                      "Folder for pictures and videos with the faces drawn, in sub-folders as the images are (default: "
                      "detections, or none with --json); never replaces what is read");
  auto* json = command->add_option("--json", options->json,
                                   "COCO results file to write: {image_id, file_name, bbox, score, keypoints, "
                                   "category_id}; frame, too, for videos");
  command->add_option("--annotations", options->annotations, "COCO file with the image ids to use, by file name")
      ->needs(json);
  command->add_option("--score", options->score, "Weaker detections are dropped")
      ->check(real_number(0, 1))
      ->capture_default_str();
  command
      ->add_option("--nms", options->nms,
                   "Of two detections with a larger IoU the weaker is dropped (default: as the recipe says)")
      ->check(real_number(0, 1));
  command->add_flag("--native", options->native, "Do not resize images to the recipe's evaluation_side");
  add_computing_options(*command, options->device, options->threads);
  add_precision_option(*command, options->precision);
  command->footer(
      "Without --annotations, image ids count from 1 in the order of the images and frames that can be read. file_name "
      "is as given; where a single folder is given, relative to it.\n"
      "Examples:\n"
      "  hyperfd-trial detect --weights runs/a/best.pt holiday.jpg photos/ film.mp4 --out found\n"
      "  hyperfd-trial detect --weights runs/a/best.pt my_faces/images --json found.json --score 0.02 \\\n"
      "    --annotations my_faces/annotations.json\n"
      "  hyperfd-trial evaluate --detections found.json --annotations my_faces/annotations.json");
  command->callback([options] { detect(*options); });
}

}  // namespace hyperfd::commands
