#include <cstdio>
#include <limits>
#include <memory>

#include "trial/commands/commands.h"
#include "trial/data/import/import.h"
#include "tuner/base/files.h"
#include "tuner/base/log.h"

namespace hyperfd::commands {
namespace {

struct Options {
  std::string format, source;
  std::vector<std::string> categories;
  ImportOptions import;
  bool link = false;
};

void import(Options options) {
  const LabelFormat& format = choose_label_format(options.format, options.source);
  if (options.format == "auto") spdlog::info("{}: looks like the format {}", options.source, format.name);
  Warnings warnings(std::numeric_limits<std::size_t>::max());
  const std::vector<LabelledImage> labelled = format.read(options.source, options.categories, warnings);
  if (options.import.images.empty()) {
    options.import.images = find_images_folder(options.source, labelled);
    spdlog::info("images are in {}", options.import.images);
  }
  constexpr std::size_t kOften = 1000;
  const auto images = import_images(labelled, options.import, warnings, [&](std::size_t done) {
    if (done % kOften == 0) spdlog::info("{} of {} images", done, labelled.size());
  });
  for (const std::string& line : warnings.lines()) spdlog::warn("{}: {}", options.source, line);
  if (!warnings.empty()) {
    const std::string list = options.import.out + "/skipped.txt";
    write_file_atomically(list, warnings.notes());
    spdlog::warn("all of it, one by one: {}", list);
  }
  std::size_t faces = 0, ignored = 0, with_landmarks = 0;
  for (const AnnotatedImage& image : images) {
    for (const Face& face : image.faces) {
      ++faces;
      ignored += face.ignored;
      with_landmarks += face.landmarks.has_value();
    }
  }
  std::printf("%s: %zu images, %zu faces (%zu to ignore, %zu with landmarks)\n", options.import.out.c_str(),
              images.size(), faces, ignored, with_landmarks);
}

}  // namespace

void add_import(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("import", "Make a data set folder of labels in another format");
  std::string formats;
  for (const LabelFormat& format : label_formats()) {
    formats += "  " + std::string(format.name) + ": " + format.description + "\n";
  }
  command->add_option("format", options->format, "auto, wider, retinaface, voc or yolo")->required();
  command->add_option("source", options->source, "The label file or folder")->required();
  command->add_option("--images", options->import.images,
                      "Folder that image names start from (default: searched near)");
  command->add_option("--out", options->import.out, "The data set folder to make; new or empty")->required();
  command
      ->add_option("--category", options->categories,
                   "Objects that are faces: names (voc, default face) or indices (yolo, default 0); may be "
                   "repeated; any: all")
      ->allow_extra_args(false);
  CLI::Option* copy = command->add_flag("--copy", options->import.copy, "Copy the images");
  command->add_flag("--link", options->link, "Link the images (default): hard links, symbolic across file systems")
      ->excludes(copy);
  command->footer(
      "Formats:\n" + formats +
      "What cannot be used is skipped and counted; skipped.txt in --out names each. Sub-folders of images stay; images "
      "without labels are left out.\n\nExamples:\n"
      "  hyperfd-trial import wider wider_face_train_bbx_gt.txt --images WIDER_train/images --out my_faces\n"
      "  hyperfd-trial import voc masks/ --category with_mask --category without_mask --out my_faces --copy\n"
      "  hyperfd-trial import auto labels/ --out my_faces");
  command->callback([options] { import(*options); });
}

}  // namespace hyperfd::commands
