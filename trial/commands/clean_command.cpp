#include <cstdio>
#include <filesystem>
#include <memory>
#include <set>

#include <opencv2/imgproc.hpp>

#include "trial/commands/commands.h"
#include "trial/commands/options.h"
#include "trial/commands/output_check.h"
#include "trial/data/annotation_writer.h"
#include "trial/data/annotations.h"
#include "trial/data/box_repair.h"
#include "trial/data/cleaning.h"
#include "trial/data/derived_dataset.h"
#include "trial/data/drawing.h"
#include "trial/data/found_faces.h"
#include "trial/data/image_source.h"
#include "trial/data/review.h"
#include "trial/training/detect.h"
#include "trial/training/device.h"
#include "trial/training/picture_file.h"
#include "trial/training/trained_detector.h"
#include "tuner/base/error.h"
#include "tuner/base/files.h"
#include "tuner/base/log.h"

namespace fs = std::filesystem;

namespace hyperfd::commands {
namespace {

struct Options {
  std::string data, weights, detections, out, device = "auto";
  CleaningOptions cleaning;
  int threads = 1, pictures = 200;
};

// review.json, review/*.png and review.png beside the new annotations.
class Review {
 public:
  Review(fs::path folder, int pictures) : folder_(std::move(folder)), pictures_left_(pictures) {}

  bool draws() const { return pictures_left_ > 0; }
  // `pixels` may be empty: then nothing is drawn.
  void add(const std::string& image, const ReviewItem& item, const cv::Mat& pixels, const std::vector<Face>& labels,
           const std::vector<Detection>& detections) {
    Json entry = {{"image", image},
                  {"doubt", name_of(item.doubt)},
                  {"bbox", {item.box.x, item.box.y, item.box.width, item.box.height}}};
    if (item.score) entry["score"] = *item.score;
    if (draws() && !pixels.empty()) {
      --pictures_left_;
      const std::string name = "review/" + std::to_string(items_.size() + 1) + "_" + name_of(item.doubt) + ".png";
      const cv::Mat picture = draw_review(pixels, item, labels, detections);
      write_picture((folder_ / name).string(), picture);
      entry["picture"] = name;
      constexpr std::size_t kCells = 48;
      if (cells_.size() < kCells) cells_.push_back(tile({picture}, 1, {kCell, kCell}));
    }
    items_.push_back(std::move(entry));
  }
  void finish() const {
    write_file_atomically((folder_ / "review.json").string(), Json{{"items", items_}}.dump(1) + "\n");
    constexpr int kColumns = 6;
    if (!cells_.empty()) write_picture((folder_ / "review.png").string(), tile(cells_, kColumns, {kCell, kCell}));
  }

 private:
  static constexpr int kCell = 300;  // pixels
  fs::path folder_;
  int pictures_left_;
  Json items_ = Json::array();
  std::vector<cv::Mat> cells_;
};

// New labels in a folder of their own are a data set: links to its images or their folders, and the same splits.
void complete_dataset(const Options& options, const std::vector<AnnotatedImage>& images) {
  const fs::path out = fs::absolute(options.out), folder = out.parent_path(), data = fs::absolute(options.data);
  std::error_code error;
  if (out.filename() != "annotations.json" || fs::equivalent(folder, data, error)) return;
  std::set<fs::path> parts;
  for (const AnnotatedImage& image : images) parts.insert(*fs::path(image.file).lexically_normal().begin());
  for (const fs::path& part : parts) {
    if (fs::exists(data / part) && !fs::exists(fs::symlink_status(folder / part))) {
      fs::create_symlink(fs::canonical(data / part), folder / part);
    }
  }
  if (fs::exists(data / "splits.json"))
    fs::copy_file(data / "splits.json", folder / "splits.json", fs::copy_options::overwrite_existing);
}

void clean(const Options& options) {
  InputFiles({options.data + "/annotations.json", options.weights, options.detections})
      .check_kept("--out", options.out);
  if (is_derived(options.data))
    throw InputError("--data: expected a data set with annotations.json, " + options.data +
                     " is derived; `hyperfd-trial materialise` makes one of it");
  Warnings warnings;
  std::vector<AnnotatedImage> images = read_annotations(options.data, warnings);
  TrainedDetector trained;
  torch::Device device(torch::kCPU);
  DetectionsOfImages from_file;
  if (options.weights.empty()) {
    from_file = read_coco_results(options.detections, images, warnings);
  } else {
    set_up_computing(options.threads);
    device = choose_device(options.device);
    trained = load_trained_detector(options.weights);
    trained.network->to(device);
    trained.recipe.score_threshold = options.cleaning.minimum_score;
  }
  check_output(options.out);

  Review review(fs::absolute(options.out).parent_path(), options.pictures);
  CleaningCounts counts;
  std::size_t done = 0;
  constexpr std::size_t kOften = 500;
  for (AnnotatedImage& image : images) {
    if (++done % kOften == 0) spdlog::info("{} of {} images", done, images.size());
    cv::Mat pixels;
    const auto read = [&] {
      try {
        const std::string file = options.data + "/" + image.file;
        cv::Mat content = read_pixels(options.data, image);
        if (!options.weights.empty()) check_detectable(content.size(), trained.recipe, file);
        pixels = std::move(content);
      } catch (const InputError& unreadable) {
        warnings.add("images that cannot be read", unreadable.what());
      }
    };
    std::vector<Detection> detections;
    if (options.weights.empty()) {
      const auto found = from_file.find(image.id);
      if (found != from_file.end()) detections = found->second;
    } else {
      read();
      if (pixels.empty()) continue;  // its labels stay as they are
      Warnings clipped;
      for (Detection detection : detect_faces(trained, device, pixels)) {
        const auto box = usable_box(detection.box, pixels.cols, pixels.rows, "", clipped);
        if (!box) continue;
        detection.box = *box;
        detections.push_back(detection);
      }
    }
    CleaningResult result = clean_labels(image.faces, detections, options.cleaning);
    if (!result.review.empty() && pixels.empty() && review.draws()) read();
    for (const ReviewItem& item : result.review) review.add(image.file, item, pixels, image.faces, detections);
    image.faces = std::move(result.faces);
    counts += result.counts;
  }
  write_annotations(options.out, images);
  review.finish();
  for (const std::string& line : warnings.lines()) spdlog::warn("{}: {}", options.data, line);
  std::printf(
      "%s: %zu images, %zu labels: %zu boxes replaced, %zu faces added, landmarks added to %zu labels\n"
      "to review: %zu labels that no detection supports, %zu uncertain detections (review.json beside it)\n",
      options.out.c_str(), images.size(), counts.labels, counts.replaced, counts.added, counts.landmarks_added,
      counts.unsupported_labels, counts.uncertain_detections);
  complete_dataset(options, images);
}

}  // namespace

void add_clean(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("clean", "Correct and complete labels by a stronger detector");
  command->add_option("--data", options->data, "Data set folder")->required();
  command->add_option("--out", options->out, "The new annotations file; the input is never written to")->required();
  CLI::Option_group* teacher = command->add_option_group("Teacher", "The stronger detector, one of");
  teacher->add_option("--weights", options->weights,
                      "best.pt of a training run, or the name of weights that come with the program");
  teacher->add_option("--detections", options->detections, "Any detector's output in COCO's result format (JSON)");
  teacher->require_option(1);
  command
      ->add_option("--replace-iou", options->cleaning.replace_iou,
                   "A label that a detection overlaps more takes its box")
      ->check(real_number(0, 1))
      ->capture_default_str();
  command->add_option("--add-score", options->cleaning.add_score, "Unmatched detections above it are added")
      ->check(real_number(0, 1))
      ->capture_default_str();
  command->add_option("--min-score", options->cleaning.minimum_score, "Weaker detections do not count")
      ->check(real_number(0, 1))
      ->capture_default_str();
  command->add_flag("--landmarks-only", options->cleaning.landmarks_only, "Only give landmarks to labels without any");
  command->add_option("--pictures", options->pictures, "At most so many pictures of what to review")
      ->check(CLI::Range(0, 1000000))
      ->capture_default_str();
  add_computing_options(*command, options->device, options->threads);
  command->footer(
      "Labels and detections are paired by optimal bipartite matching on IoU. Existing landmarks are kept, labels are\n"
      "never removed. Doubtful cases are listed in review.json beside --out, with pictures (labels green, detections\n"
      "orange) in review/ and a sheet of the first ones, review.png. An annotations.json\n"
      "in a folder of its own gets links to the images and the splits, so that it can be trained on.\n\nExamples:\n"
      "  hyperfd-trial clean --data my_faces --weights runs/a/best.pt --out my_faces_cleaned/annotations.json\n"
      "  hyperfd-trial train --data my_faces_cleaned\n"
      "  hyperfd-trial clean --data my_faces --detections teacher.json --landmarks-only --out landmarks.json");
  command->callback([options] { clean(*options); });
}

}  // namespace hyperfd::commands
