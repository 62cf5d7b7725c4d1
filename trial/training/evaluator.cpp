#include "trial/training/evaluator.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <sstream>

#include "trial/data/image_source.h"
#include "trial/detector/anchors.h"
#include "trial/detector/decoding.h"
#include "trial/evaluation/average_precision.h"
#include "trial/training/detect.h"
#include "trial/training/precision.h"
#include "tuner/base/error.h"

namespace hyperfd {
namespace {

// On the CPU no more pixels than these are evaluated at once: features of more images do not stay in its cache.
constexpr std::size_t kPixelsAtOnce = 1u << 17;

using Clock = std::chrono::steady_clock;

// Puts a module into evaluation mode for the lifetime of this object.
class EvaluationMode {
 public:
  explicit EvaluationMode(torch::nn::Module& module) : module_(module), was_training_(module.is_training()) {
    module.eval();
  }
  ~EvaluationMode() { module_.train(was_training_); }
  EvaluationMode(const EvaluationMode&) = delete;
  EvaluationMode& operator=(const EvaluationMode&) = delete;

 private:
  torch::nn::Module& module_;
  bool was_training_;
};

}  // namespace

bool is_too_small(const Box& box, const Recipe& recipe) {
  return is_ignored({box.x, box.y, box.width, box.height, false}, static_cast<float>(recipe.minimum_face));
}

Evaluator::Evaluator(std::string folder, std::vector<AnnotatedImage> images, const Recipe& recipe, std::size_t memory)
    : folder_(std::move(folder)), images_(std::move(images)), recipe_(recipe), memory_(memory) {}

void Evaluator::free_memory() {
  for (Slot& slot : slots_) slot.image.release();
}

Sample Evaluator::sample(std::size_t index) {
  const Slot& slot = slots_.at(index);
  return slot.image.empty() ? read_for_evaluation(folder_, images_[index], recipe_) : Sample{slot.image, slot.faces};
}

bool Evaluator::measure(torch::Device device, const std::function<bool()>& interrupted) {
  std::vector<AnnotatedImage> readable;
  std::map<std::pair<int, int>, std::vector<std::size_t>> by_size;
  std::size_t bytes = 0;
  std::vector<Slot> slots;
  std::string first_reason;
  for (std::size_t i = 0; i < images_.size(); ++i) {
    if (interrupted && interrupted()) return false;
    Sample seen;
    try {
      const cv::Mat pixels = read_pixels(folder_, images_[i]);
      warn_of_size(warnings_, images_[i], pixels.size());
      seen = resize_for_evaluation(pixels, images_[i], folder_, recipe_);
    } catch (const InputError& error) {
      warnings_.add("unreadable images left out of evaluation", error.what());
      if (first_reason.empty()) first_reason = error.what();
      continue;
    }
    const cv::Size size = seen.image.size();
    bytes += seen.image.total() * seen.image.elemSize();
    by_size[{size.height, size.width}].push_back(readable.size());
    readable.push_back(images_[i]);
    slots.push_back({bytes <= memory_ ? seen.image : cv::Mat(), size, std::move(seen.faces)});
  }
  if (readable.empty()) {
    throw InputError(folder_ + ": none of the " + std::to_string(images_.size()) +
                     " images to evaluate can be read: " + first_reason);
  }
  images_ = std::move(readable);
  slots_ = std::move(slots);
  warn_of_small_faces();
  for (const auto& [size, indices] : by_size) {
    auto most = static_cast<std::size_t>(recipe_.evaluation_batch_size);
    if (device.is_cpu()) {
      const std::size_t pixels = static_cast<std::size_t>(size.first) * static_cast<std::size_t>(size.second);
      most = std::clamp<std::size_t>(kPixelsAtOnce / pixels, 1, most);
    }
    for (std::size_t begin = 0; begin < indices.size(); begin += most) {
      batches_.emplace_back(indices.begin() + static_cast<std::ptrdiff_t>(begin),
                            indices.begin() + static_cast<std::ptrdiff_t>(std::min(begin + most, indices.size())));
    }
  }
  return true;
}

// AP is 0 where no face counts, whatever the detector finds.
void Evaluator::warn_of_small_faces() {
  std::ostringstream kind;
  kind << "faces are all under minimum_face " << recipe_.minimum_face << " at evaluation_side "
       << recipe_.evaluation_side << ": AP is 0";
  Warnings small = warnings_;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    for (const Face& face : slots_[i].faces) {
      if (face.ignored) continue;
      if (!is_too_small(face.box, recipe_)) return;
      small.add(kind.str(), images_[i].file);
    }
  }
  warnings_ = std::move(small);
}

std::vector<std::vector<Detection>> Evaluator::detect(RetinaFace& detector, torch::Device device,
                                                      const std::vector<std::size_t>& batch, bool& is_finite) {
  const cv::Size size = slots_[batch[0]].size;
  torch::Tensor pixels =
      torch::empty({static_cast<std::int64_t>(batch.size()), size.height, size.width, 3}, torch::kByte);
  for (std::size_t i = 0; i < batch.size(); ++i) {
    cv::Mat target(size, CV_8UC3, pixels[static_cast<std::int64_t>(i)].data_ptr<std::uint8_t>());
    sample(batch[i]).image.copyTo(target);
  }
  if (size != anchors_size_) {
    anchors_ = make_anchors(size.height, size.width, recipe_.anchor_sizes);
    anchors_size_ = size;
  }
  const RawOutput output = network_output(detector, pixels, recipe_.precision, device);
  for (const torch::Tensor& numbers : {output.logits, output.boxes})
    is_finite = is_finite && torch::isfinite(numbers).all().item<bool>();
  return decode(output, anchors_.to(device), recipe_.decoding());
}

std::optional<Evaluation> Evaluator::run(RetinaFace& detector, torch::Device device,
                                         const std::function<bool()>& interrupted) {
  torch::NoGradGuard no_gradient;
  const EvaluationMode mode(*detector);
  const auto start = Clock::now();
  if (slots_.empty() && !measure(device, interrupted)) return std::nullopt;
  Evaluation evaluation;
  evaluation.detections.resize(slots_.size());
  for (const auto& batch : batches_) {
    if (interrupted && interrupted()) return std::nullopt;
    auto detections = detect(detector, device, batch, evaluation.is_finite);
    for (std::size_t i = 0; i < batch.size(); ++i) evaluation.detections[batch[i]] = std::move(detections[i]);
  }
  for (std::size_t i = 0; i < slots_.size(); ++i) evaluation.faces.push_back(slots_[i].faces);
  evaluation.average_precision =
      average_precision(evaluation.detections, evaluation.faces, 0.5f, static_cast<float>(recipe_.minimum_face));
  evaluation.images_per_second =
      static_cast<double>(slots_.size()) / std::chrono::duration<double>(Clock::now() - start).count();
  return evaluation;
}

}  // namespace hyperfd
