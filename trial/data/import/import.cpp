#include "trial/data/import/import.h"

#include <algorithm>
#include <filesystem>
#include <unordered_set>

#include "trial/data/annotation_writer.h"
#include "trial/data/box_repair.h"
#include "trial/data/image_file.h"
#include "trial/data/import/text_file.h"
#include "tuner/base/error.h"

namespace fs = std::filesystem;

namespace hyperfd {
namespace {

// Inside the folder it is relative to, so that nothing is read or written elsewhere.
bool is_safe(const std::string& name) {
  const fs::path path(name);
  return !name.empty() && !path.is_absolute() && name.find('\0') == std::string::npos &&
         std::find(path.begin(), path.end(), "..") == path.end();
}

// The image's name in `folder`; "" when it is not there.
std::string find_image(const std::string& folder, const LabelledImage& image) {
  std::error_code error;  // an overlong name is a missing file, too
  for (const std::string& name : image.names) {
    if (!is_safe(name)) continue;
    if (is_image_name(name)) {
      if (fs::is_regular_file(folder + "/" + name, error)) return fs::path(name).lexically_normal().generic_string();
      continue;
    }
    for (const std::string& ending : image_endings()) {
      if (fs::is_regular_file(folder + "/" + name + ending, error)) {
        return fs::path(name + ending).lexically_normal().generic_string();
      }
    }
  }
  return "";
}

// Boxes in pixels of an image of that size, repaired.
std::vector<Face> usable_faces(const LabelledImage& image, int width, int height, Warnings& warnings) {
  std::vector<Face> faces;
  for (const LabelledFace& labelled : image.faces) {
    Face face = labelled.face;
    if (image.is_relative) {
      const auto w = static_cast<float>(width), h = static_cast<float>(height);
      face.box = {face.box.x * w, face.box.y * h, face.box.width * w, face.box.height * h};
    }
    if (const auto box = usable_box(face.box, width, height, labelled.place, warnings)) {
      face.box = *box;
      faces.push_back(face);
    }
  }
  return faces;
}

void place_image(const fs::path& from, const fs::path& to, bool copy) {
  std::error_code error;
  fs::create_directories(to.parent_path(), error);
  const fs::path original = fs::canonical(from, error);  // a link to a link would break when that one goes
  if (!error && copy) fs::copy_file(original, to, error);
  if (!error && !copy) {
    fs::create_hard_link(original, to, error);  // fails across file systems
    if (error) fs::create_symlink(original, to, error);
  }
  if (error) throw Error(to.string() + ": cannot be made of " + from.string() + ": " + error.message());
}

void claim_folder(const std::string& out) {
  std::error_code error;
  if (fs::exists(out, error) && (!fs::is_directory(out, error) || !fs::is_empty(out, error))) {
    throw InputError(out + ": expected a new or empty folder to import into, something is there already");
  }
  fs::create_directories(out, error);
  if (error) throw Error(out + ": cannot be created: " + error.message());
}

}  // namespace

std::string find_images_folder(const std::string& source, const std::vector<LabelledImage>& images) {
  const fs::path path = fs::absolute(source).lexically_normal();
  fs::path base = fs::is_directory(source) ? path : path.parent_path();
  if (!base.has_filename()) base = base.parent_path();  // a trailing slash
  std::vector<fs::path> folders;
  // YOLO: a/labels/train and a/images/train belong together.
  for (fs::path part = base, below; part.has_relative_path(); part = part.parent_path()) {
    if (part.filename() == "labels") folders.push_back(part.parent_path() / "images" / below);
    below = below.empty() ? part.filename() : part.filename() / below;
  }
  for (const fs::path& parent : {base, base.parent_path()}) {
    for (const char* name : {"images", "JPEGImages", "WIDER_train/images", "WIDER_val/images"}) {
      folders.push_back(parent / name);
    }
    folders.push_back(parent);
  }
  const std::size_t enough = std::min<std::size_t>(images.size(), 100);
  for (const fs::path& folder : folders) {
    for (std::size_t i = 0; i < enough; ++i) {
      if (!find_image(folder.string(), images[i]).empty()) return folder.string();
    }
  }
  throw InputError(source + ": its images (" + (images.empty() ? "none listed" : quoted(images[0].names[0]) + ", …") +
                   ") are not near it: say with --images where they are; looked in " + base.string() + ", " +
                   base.parent_path().string() + " and their folders images, JPEGImages, WIDER_train and WIDER_val");
}

std::vector<AnnotatedImage> import_images(const std::vector<LabelledImage>& images, const ImportOptions& options,
                                          Warnings& warnings, const std::function<void(std::size_t)>& progress) {
  std::error_code error;
  if (!fs::is_directory(options.images, error)) {
    throw InputError(options.images + ": expected the folder of the images, it is " +
                     (fs::exists(options.images, error) ? "a file" : "not there"));
  }
  claim_folder(options.out);
  std::vector<AnnotatedImage> written;
  std::unordered_set<std::string> names;
  std::size_t done = 0;
  const auto add = [&](const LabelledImage& image) {
    const std::string example = image.place + ": " + quoted(image.names.front());
    if (std::none_of(image.names.begin(), image.names.end(), is_safe)) {
      warnings.add("images outside the images' folder, skipped", example);
      return;
    }
    const std::string name = find_image(options.images, image);
    if (name.empty()) {
      warnings.add("images that are not there, skipped", example);
      return;
    }
    if (!is_utf8(name)) {
      warnings.add("images whose name is not UTF-8, skipped", example);
      return;
    }
    if (!names.insert(name).second) {
      warnings.add("images labelled a second time, labels skipped", example);
      return;
    }
    const fs::path file = fs::path(options.images) / name;
    AnnotatedImage annotated;
    try {
      const cv::Mat pixels = read_annotated_image(file.string(), image.width, image.height);
      annotated.width = pixels.cols;
      annotated.height = pixels.rows;
    } catch (const InputError& unreadable) {
      warnings.add("images that cannot be read, skipped", unreadable.what());
      return;
    }
    if (image.width > 0 && image.height > 0 && (image.width != annotated.width || image.height != annotated.height)) {
      warnings.add("images of another size than their labels say",
                   example + ": " + std::to_string(image.width) + "×" + std::to_string(image.height) + ", it is " +
                       std::to_string(annotated.width) + "×" + std::to_string(annotated.height));
    }
    annotated.file = "images/" + name;
    annotated.faces = usable_faces(image, annotated.width, annotated.height, warnings);
    place_image(file, fs::path(options.out) / annotated.file, options.copy);
    written.push_back(std::move(annotated));
  };
  for (const LabelledImage& image : images) {
    add(image);
    progress(++done);
  }
  if (written.empty()) {
    std::string message = options.images + ": none of the " + std::to_string(images.size()) + " images can be imported";
    for (const std::string& line : warnings.lines()) message += "; " + line;
    throw InputError(message);
  }
  write_annotations(options.out + "/annotations.json", written);
  return written;
}

}  // namespace hyperfd
