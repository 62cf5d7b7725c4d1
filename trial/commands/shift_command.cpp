#include <algorithm>
#include <cstdio>
#include <memory>
#include <regex>

#include <opencv2/imgproc.hpp>

#include "trial/commands/commands.h"
#include "trial/commands/options.h"
#include "trial/commands/output_check.h"
#include "trial/data/drawing.h"
#include "trial/data/image_source.h"
#include "trial/data/shift/shift.h"
#include "trial/data/shifted_tasks.h"
#include "trial/training/picture_file.h"
#include "tuner/base/error.h"
#include "tuner/base/log.h"

namespace hyperfd::commands {
namespace {

struct Options {
  std::string data, out, sheet, images_per_task = "150..300";
  std::size_t examples = 2;
  ShiftedTaskOptions tasks;
};

// One picture of a data set, its faces drawn, under the names of its shifts.
cv::Mat example(const FaceDataset& dataset, const AnnotatedImage& image, const std::string& caption) {
  constexpr int kSide = 300, kCaption = 18;
  const cv::Mat drawn =
      tile({draw_detections(read_pixels(dataset.folder(), image), {}, image.faces)}, 1, {kSide, kSide});
  cv::Mat cell(drawn.rows + kCaption, drawn.cols, CV_8UC3, cv::Scalar::all(32));
  drawn.copyTo(cell.rowRange(kCaption, cell.rows));
  cv::putText(cell, caption, {4, 13}, cv::FONT_HERSHEY_SIMPLEX, 0.42, cv::Scalar::all(255), 1, cv::LINE_AA);
  return cell;
}

void shift(Options options) {
  std::smatch range;
  if (!std::regex_match(options.images_per_task, range, std::regex("([0-9]{1,7})(\\.\\.([0-9]{1,7}))?")))
    throw InputError("--images-per-task: expected a number or a range like 150..300, got \"" + options.images_per_task +
                     "\"");
  options.tasks.fewest_images = std::stoi(range[1]);
  options.tasks.most_images = range[3].matched ? std::stoi(range[3]) : options.tasks.fewest_images;

  const FaceDataset source = load_dataset(options.data);
  if (!options.sheet.empty()) check_output(options.sheet);
  std::vector<cv::Mat> cells;
  for (const ShiftedTask& task : draw_shifted_tasks(options.data, source.images(), options.tasks)) {
    const std::string folder = options.out + "/" + task.name;
    write_derived(folder, task.description);
    const FaceDataset derived = load_dataset(folder);
    std::size_t faces = 0;
    std::vector<const AnnotatedImage*> with_faces;
    for (const AnnotatedImage& image : derived.images()) {
      const auto counting =
          std::count_if(image.faces.begin(), image.faces.end(), [](const Face& f) { return !f.ignored; });
      faces += static_cast<std::size_t>(counting);
      if (counting > 0) with_faces.push_back(&image);
    }
    const std::size_t examples = options.sheet.empty() ? 0 : std::min(options.examples, with_faces.size());
    for (std::size_t i = 0; i < examples; ++i)
      cells.push_back(example(derived, *with_faces[i * with_faces.size() / examples], task.name));
    std::printf("%s: %zu images, %zu faces, %s\n", folder.c_str(), derived.images().size(), faces,
                task.description.shift.dump().c_str());
  }
  constexpr int kColumns = 8;
  if (!options.sheet.empty() && !cells.empty()) write_picture(options.sheet, tile(cells, kColumns, cells[0].size()));
}

}  // namespace

void add_shift(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "shift", "Make data sets far from a given one: its images, shifted at random, as they are read");
  command->add_option("--data", options->data, "Data set folder")->required();
  command->add_option("--out", options->out, "Folder of the new data sets, each a folder with derived.json")
      ->required();
  command->add_option("-n,--tasks", options->tasks.tasks, "How many")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  command->add_option("--images-per-task", options->images_per_task, "How many images each has, a number or a range")
      ->capture_default_str();
  command->add_option("--kinds", options->tasks.kinds, "Shifts to draw from (default: all)")->delimiter(',');
  command->add_option("--seed", options->tasks.seed, "Of shifts, strengths and images")
      ->check(whole_number())
      ->capture_default_str();
  command->add_option("--sheet", options->sheet, "A picture of examples with their faces");
  command->add_option("--examples", options->examples, "Images of each data set in it")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  std::string kinds;
  for (const ShiftKind& kind : shift_kinds()) kinds += "  " + kind.name + ": " + kind.description + "\n";
  command->footer("Kinds, and the parameters that derived.json has (docs/offline_data.md):\n" + kinds +
                  "Example:\n  hyperfd-trial shift --data wider -n 60 --out offline/shifted --sheet shifted.png");
  command->callback([options] { shift(*options); });
}

}  // namespace hyperfd::commands
