#include "trial/training/trainer.h"

#include <chrono>
#include <cmath>

#include <ATen/CPUGeneratorImpl.h>
#include <torch/torch.h>

#include "trial/data/drawing.h"
#include "trial/data/loader.h"
#include "trial/detector/anchors.h"
#include "trial/detector/matching.h"
#include "trial/detector/multibox_loss.h"
#include "trial/detector/retinaface.h"
#include "trial/training/device.h"
#include "trial/training/evaluator.h"
#include "trial/training/picture_file.h"
#include "trial/training/schedule.h"
#include "trial/training/weights_file.h"

namespace hyperfd {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

LoaderOptions loader_options(const Recipe& recipe, const TrainerOptions& options) {
  LoaderOptions loader;
  loader.batch_size = recipe.batch_size;
  loader.workers = options.loader_workers;
  loader.seed = options.seed;
  loader.augmentation.crop_size = recipe.crop_size;
  loader.augmentation.minimum_crop_ratio = static_cast<float>(recipe.min_crop_ratio);
  loader.augmentation.flip_probability = static_cast<float>(recipe.flip_probability);
  loader.augmentation.colour = recipe.colour;
  return loader;
}

ScheduleOptions schedule_options(const Recipe& recipe) {
  ScheduleOptions options;
  options.warmup_epochs = recipe.warmup_epochs;
  options.cosine = recipe.schedule == "cosine";
  options.epochs = recipe.epochs;
  options.plateau_patience = recipe.plateau_patience;
  options.plateau_factor = recipe.plateau_factor;
  options.stop_patience = recipe.stop_patience;
  return options;
}

std::unique_ptr<torch::optim::Optimizer> make_optimizer(const Recipe& recipe, std::vector<torch::Tensor> parameters) {
  if (recipe.optimizer == "adam") {
    return std::make_unique<torch::optim::Adam>(
        std::move(parameters), torch::optim::AdamOptions(recipe.learning_rate).weight_decay(recipe.weight_decay));
  }
  return std::make_unique<torch::optim::SGD>(
      std::move(parameters),
      torch::optim::SGDOptions(recipe.learning_rate).momentum(recipe.momentum).weight_decay(recipe.weight_decay));
}

// Convolutions run fastest with channels innermost; weights are stored so once, pixels come so from OpenCV.
void store_channels_last(torch::nn::Module& module) {
  for (torch::Tensor& parameter : module.parameters()) {
    if (parameter.dim() == 4) parameter.set_data(parameter.contiguous(torch::MemoryFormat::ChannelsLast));
  }
}

}  // namespace

const char* name_of(Ending ending) {
  switch (ending) {
    case Ending::kCompleted:
      return "completed";
    case Ending::kStagnated:
      return "stagnated";
    case Ending::kDiverged:
      return "diverged";
    case Ending::kInterrupted:
      return "interrupted";
  }
  return "unknown";
}

struct Trainer::Impl {
  Impl(const FaceDataset& data, const Recipe& recipe_, const TrainerOptions& options)
      : recipe(recipe_),
        device(choose_device(options.device)),
        loader(data.folder(), data.split(Split::kTrain), loader_options(recipe_, options)),
        validation(data.folder(), data.split(Split::kValidation), recipe_),
        test(data.folder(), data.split(Split::kTest), recipe_),
        detector(recipe_.detector()),
        schedule(schedule_options(recipe_)) {
    detector->initialise(at::detail::createCPUGenerator(options.seed), recipe.face_prior);
    detector->to(device);
    store_channels_last(*detector);
    optimizer = make_optimizer(recipe, detector->parameters());
    anchors = make_anchors(recipe.crop_size, recipe.crop_size, recipe.anchor_sizes).to(device);
  }

  bool interrupted() const { return observer.interrupted && observer.interrupted(); }
  std::optional<Ending> train_epoch(int epoch, EpochReport& report);
  // The losses of one step: total, classification, location, landmarks; nothing when they or the gradient are not
  // finite.
  std::optional<std::array<double, 4>> step(const Batch& batch, double learning_rate);
  // Nothing when interrupted.
  std::optional<double> validate(EpochReport& report);
  void set_learning_rate(double learning_rate);

  Recipe recipe;
  torch::Device device;
  TrainingLoader loader;
  Evaluator validation, test;
  RetinaFace detector;
  Schedule schedule;
  std::unique_ptr<torch::optim::Optimizer> optimizer;
  torch::Tensor anchors;
  TrainingObserver observer;
  std::vector<std::vector<Detection>> test_detections;
};

void Trainer::Impl::set_learning_rate(double learning_rate) {
  for (auto& group : optimizer->param_groups()) group.options().set_lr(learning_rate);
}

std::optional<std::array<double, 4>> Trainer::Impl::step(const Batch& batch, double learning_rate) {
  const cv::Mat& images = batch.pixels;
  const torch::Tensor bytes =
      torch::from_blob(images.data, {images.size[0], images.size[1], images.size[2], 3}, torch::kByte);
  const FaceTensors faces = pack_faces(batch.faces, device);
  const RawOutput output = detector->forward(normalise_pixels(bytes, device));
  const Losses losses = multibox_loss(output, anchors, faces, match(anchors, faces, recipe.matching()), recipe.loss());
  const torch::Tensor values =
      torch::stack({losses.total, losses.classification, losses.location, losses.landmarks}).detach().to(torch::kCPU);
  if (!torch::isfinite(values).all().item<bool>()) return std::nullopt;
  optimizer->zero_grad();
  losses.total.backward();
  const double limit = recipe.gradient_clip > 0 ? recipe.gradient_clip : std::numeric_limits<double>::infinity();
  if (!std::isfinite(torch::nn::utils::clip_grad_norm_(detector->parameters(), limit))) return std::nullopt;
  set_learning_rate(learning_rate);
  optimizer->step();
  const float* value = values.data_ptr<float>();
  return std::array<double, 4>{value[0], value[1], value[2], value[3]};
}

std::optional<Ending> Trainer::Impl::train_epoch(int epoch, EpochReport& report) {
  const std::size_t batches = loader.batches_per_epoch();
  const auto start = Clock::now();
  std::array<double, 4> sums{};
  std::size_t done = 0;
  const auto speed = [&] { return static_cast<double>(done) * recipe.batch_size / seconds_since(start); };
  loader.start_epoch(static_cast<std::uint64_t>(epoch - 1));
  for (Batch batch; loader.next(batch);) {
    if (interrupted()) return Ending::kInterrupted;
    const double moment = epoch - 1 + static_cast<double>(done) / static_cast<double>(batches);
    report.learning_rate = recipe.learning_rate * schedule.factor(moment);
    const auto losses = step(batch, report.learning_rate);
    if (!losses) return Ending::kDiverged;
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += (*losses)[i];
    ++done;
    if (observer.step)
      observer.step({epoch, recipe.epochs, done, batches, sums[0] / static_cast<double>(done), speed()});
  }
  const auto count = static_cast<double>(std::max<std::size_t>(done, 1));
  report.loss = sums[0] / count;
  report.classification = sums[1] / count;
  report.location = sums[2] / count;
  report.landmarks = sums[3] / count;
  report.seconds = seconds_since(start);
  report.images_per_second = speed();
  return std::nullopt;
}

std::optional<double> Trainer::Impl::validate(EpochReport& report) {
  const auto start = Clock::now();
  const auto evaluation = validation.run(detector, device, observer.interrupted);
  if (!evaluation) return std::nullopt;
  report.validation_seconds = seconds_since(start);
  report.average_precision = evaluation->average_precision;
  report.best = schedule.validated(evaluation->average_precision);
  return evaluation->average_precision;
}

Trainer::Trainer(const FaceDataset& data, const Recipe& recipe, const TrainerOptions& options)
    : impl_(std::make_unique<Impl>(data, recipe, options)) {}

Trainer::~Trainer() = default;

TrainingResult Trainer::run(const std::string& weights_file, const TrainingObserver& observer) {
  Impl& self = *impl_;
  self.observer = observer;
  self.detector->train();
  TrainingResult result;
  Weights best;
  double images = 0;
  for (int epoch = 1; epoch <= self.recipe.epochs; ++epoch) {
    EpochReport report;
    report.epoch = epoch;
    if (const auto ending = self.train_epoch(epoch, report)) {
      result.ending = *ending;
      break;
    }
    result.training_seconds += report.seconds;
    images += report.images_per_second * report.seconds;
    if (epoch % self.recipe.validate_every == 0 || epoch == self.recipe.epochs) {
      const auto metric = self.validate(report);
      if (!metric) {
        result.ending = Ending::kInterrupted;
        break;
      }
      result.validation_seconds += report.validation_seconds;
      if (report.best) {
        result.best_epoch = epoch;
        result.best_validation = *metric;
        best = weights_of(*self.detector, to_yaml(self.recipe));
        save_weights(weights_file, best);
      }
    }
    result.epochs.push_back(report);
    if (observer.epoch) observer.epoch(report);
    if (self.schedule.should_stop()) {
      result.ending = Ending::kStagnated;
      break;
    }
  }
  if (result.training_seconds > 0) {
    result.images_per_second = images / result.training_seconds;
    result.waiting_share = self.loader.seconds_waited() / result.training_seconds;
  }
  if (result.best_epoch > 0 && result.ending != Ending::kInterrupted) {
    const auto start = Clock::now();
    load_into(*self.detector, best, weights_file);
    if (auto evaluation = self.test.run(self.detector, self.device, observer.interrupted)) {
      result.test = evaluation->average_precision;
      self.test_detections = std::move(evaluation->detections);
      result.test_seconds = seconds_since(start);
    } else {
      result.ending = Ending::kInterrupted;
    }
  }
  for (const Warnings& warnings : {self.loader.warnings(), self.validation.warnings(), self.test.warnings()}) {
    for (const std::string& line : warnings.lines()) result.warnings.push_back(line);
  }
  return result;
}

void Trainer::draw_detections(const std::string& picture_file) {
  // Few and large, so that a person sees what the detector does.
  constexpr std::size_t kPictures = 9;
  constexpr int kColumns = 3;
  // Weaker detections would hide the picture.
  constexpr float kShownScore = 0.5f;
  std::vector<cv::Mat> pictures;
  for (std::size_t i = 0; i < std::min(kPictures, impl_->test_detections.size()); ++i) {
    std::vector<Detection> shown;
    for (const Detection& detection : impl_->test_detections[i]) {
      if (detection.score >= kShownScore) shown.push_back(detection);
    }
    const Sample sample = impl_->test.sample(i);
    pictures.push_back(hyperfd::draw_detections(sample.image, shown, sample.faces));
  }
  write_picture(picture_file, tile(pictures, kColumns, {420, 420}));
}

}  // namespace hyperfd
