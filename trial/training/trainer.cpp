#include "trial/training/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <sstream>

#include <torch/torch.h>

#include "trial/data/drawing.h"
#include "trial/data/loader.h"
#include "trial/detector/anchors.h"
#include "trial/detector/folding.h"
#include "trial/detector/matching.h"
#include "trial/detector/multibox_loss.h"
#include "trial/detector/retinaface.h"
#include "trial/training/checkpoint.h"
#include "trial/training/device.h"
#include "trial/training/evaluator.h"
#include "trial/training/initial_weights.h"
#include "trial/training/optimization.h"
#include "trial/training/picture_file.h"
#include "trial/training/schedule.h"
#include "trial/training/weights_file.h"
#include "tuner/base/digest.h"
#include "tuner/base/error.h"

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
  loader.cache_bytes = options.cache_bytes;
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

// Without a face there is nothing to learn, and AP has no meaning.
void check_faces(const TrainingData& data) {
  const auto check = [&](const std::vector<AnnotatedImage>& images, Split split) {
    const auto to_find = [](const Face& face) { return !face.ignored; };
    const bool any = std::any_of(images.begin(), images.end(), [&](const AnnotatedImage& image) {
      return std::any_of(image.faces.begin(), image.faces.end(), to_find);
    });
    if (any || images.empty()) return;
    throw InputError(data.folder + ": expected faces in the " + name_of(split) + " split, its " +
                     std::to_string(images.size()) + " images have none (or all are iscrowd)");
  };
  check(data.train, Split::kTrain);
  check(data.validation, Split::kValidation);
  check(data.test, Split::kTest);
}

// Identifies a run: same text, same result.
std::string identity_of(const TrainingData& data, const Recipe& recipe, std::uint64_t seed, const Weights& initial) {
  std::ostringstream text;
  text << std::hexfloat << to_yaml(recipe) << seed;
  for (const auto* images : {&data.train, &data.validation, &data.test}) {
    text << "\nsplit";
    for (const AnnotatedImage& image : *images) {
      text << '\n' << image.file;
      for (const Face& face : image.faces) {
        text << ' ' << face.box.x << ' ' << face.box.y << ' ' << face.box.width << ' ' << face.box.height << ' '
             << face.ignored;
        if (!face.landmarks) continue;
        for (const Point& point : *face.landmarks) text << ' ' << point.x << ' ' << point.y;
      }
    }
  }
  for (const auto& [name, tensor] : initial.tensors) {
    const torch::Tensor bytes = tensor.contiguous();
    text << '\n' << name << ' ' << sha256({static_cast<const char*>(bytes.data_ptr()), bytes.nbytes()});
  }
  return sha256(text.str());
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

TrainingData training_data(const FaceDataset& dataset) {
  return {dataset.folder(), dataset.split(Split::kTrain), dataset.split(Split::kValidation),
          dataset.split(Split::kTest)};
}

struct Trainer::Impl {
  Impl(TrainingData data_, const Recipe& recipe_, const TrainerOptions& options_)
      : recipe(recipe_),
        options(options_),
        data(std::move(data_)),
        device(choose_device(options.device)),
        loader(data.folder, data.train, loader_options(recipe, options)),
        validation(data.folder, data.validation, recipe),
        test(data.folder, data.test, recipe),
        detector(initial_network(recipe, options.seed, initial)),
        inference(folded_twin(detector)),
        schedule(schedule_options(recipe)) {
    detector->to(device);
    inference->to(device);
    store_channels_last(*detector);
    freeze(detector, recipe);
    groups = parameter_groups(detector, recipe);
    for (const ParameterGroup& group : groups)
      trained.insert(trained.end(), group.parameters.begin(), group.parameters.end());
    optimizer = make_optimizer(recipe, groups);
    if (recipe.average > 0) {
      for (const torch::Tensor& parameter : trained) average.push_back(parameter.detach().clone());
    }
    anchors = make_anchors(recipe.crop_size, recipe.crop_size, recipe.anchor_sizes).to(device);
    if (!options.checkpoint_file.empty()) identity = identity_of(data, recipe, options.seed, initial);
  }

  bool interrupted() const { return observer.interrupted && observer.interrupted(); }
  std::optional<Ending> train_epoch(int epoch, EpochReport& report);
  // The losses of one step: total, classification, location, landmarks; nothing when they or the gradient are not
  // finite.
  std::optional<std::array<double, 4>> step(const Batch& batch, double learning_rate);
  // Nothing when interrupted.
  std::optional<double> validate(EpochReport& report);
  void set_learning_rate(double learning_rate);
  // The network's weights with the moving average, if there is one, in place of those that learn.
  Weights current_weights();
  void swap_average();
  void check_weights(const Checkpoint& checkpoint, const std::string& file);
  void resume(TrainingResult& result, Weights& best);
  void save(const TrainingResult& result, const Weights& best);

  Recipe recipe;
  TrainerOptions options;
  TrainingData data;
  torch::Device device;
  TrainingLoader loader;
  Evaluator validation, test;
  Weights initial;  // from a file; without tensors if random
  RetinaFace detector;
  RetinaFace inference;  // validates and tests: folded, in evaluation mode
  Schedule schedule;
  std::vector<ParameterGroup> groups;
  std::vector<torch::Tensor> trained, average;  // the parameters that learn, and their moving averages
  std::string identity;
  Clock::time_point saved = Clock::now();
  std::unique_ptr<torch::optim::Optimizer> optimizer;
  torch::Tensor anchors;
  TrainingObserver observer;
  std::vector<std::vector<Detection>> test_detections;
};

void Trainer::Impl::set_learning_rate(double learning_rate) {
  for (std::size_t i = 0; i < groups.size(); ++i)
    optimizer->param_groups()[i].options().set_lr(learning_rate * groups[i].rate);
}

void Trainer::Impl::swap_average() {
  torch::NoGradGuard no_gradient;
  for (std::size_t i = 0; i < average.size(); ++i) {
    const torch::Tensor parameter = trained[i].clone();
    trained[i].copy_(average[i]);
    average[i].copy_(parameter);
  }
}

Weights Trainer::Impl::current_weights() {
  swap_average();
  Weights weights = weights_of(*detector, to_yaml(recipe));
  swap_average();
  return weights;
}

// That every tensor is there and fits.
void Trainer::Impl::check_weights(const Checkpoint& checkpoint, const std::string& file) {
  RetinaFace twin(detector->options());
  load_into(*twin, checkpoint.network, file);
  if (checkpoint.best_epoch > 0) load_into(*twin, checkpoint.best, file + ": best");
  for (std::size_t i = 0; i < average.size(); ++i) {
    const auto given = checkpoint.average.tensors.find(std::to_string(i));
    if (given == checkpoint.average.tensors.end() || given->second.sizes() != average[i].sizes()) {
      throw InputError(file + ": moving average " + std::to_string(i) + " is missing or has another shape");
    }
  }
}

void Trainer::Impl::resume(TrainingResult& result, Weights& best) {
  if (options.checkpoint_file.empty()) return;
  std::unique_ptr<torch::optim::Optimizer> restored;
  const auto check = [&](const Checkpoint& content, const std::string& file) {
    check_weights(content, file);
    restored = make_optimizer(recipe, groups);
    try {
      restore(*restored, content.optimizer);
    } catch (const std::exception&) {  // whatever LibTorch throws
      throw InputError(file + ": the optimizer's state cannot be read");
    }
  };
  auto checkpoint = load_checkpoint(options.checkpoint_file, identity, check);
  if (!checkpoint) return;
  load_into(*detector, checkpoint->network, options.checkpoint_file);
  optimizer = std::move(restored);
  torch::NoGradGuard no_gradient;
  for (std::size_t i = 0; i < average.size(); ++i)
    average[i].copy_(checkpoint->average.tensors.at(std::to_string(i)));
  schedule.restore(checkpoint->schedule);
  result.epochs = std::move(checkpoint->epochs);
  result.best_epoch = checkpoint->best_epoch;
  result.best_validation = checkpoint->best_validation;
  best = std::move(checkpoint->best);
  if (observer.resumed) observer.resumed(result.epochs);
}

void Trainer::Impl::save(const TrainingResult& result, const Weights& best) {
  if (options.checkpoint_file.empty() || seconds_since(saved) < options.checkpoint_seconds) return;
  Checkpoint checkpoint;
  checkpoint.run = identity;
  checkpoint.epochs = result.epochs;
  checkpoint.best_epoch = result.best_epoch;
  checkpoint.best_validation = result.best_validation;
  checkpoint.schedule = schedule.state();
  checkpoint.optimizer = state_of(*optimizer);
  checkpoint.network = weights_of(*detector, to_yaml(recipe));
  for (std::size_t i = 0; i < average.size(); ++i)
    checkpoint.average.tensors[std::to_string(i)] = average[i].to(torch::kCPU);
  checkpoint.best = best;
  save_checkpoint(options.checkpoint_file, checkpoint);
  saved = Clock::now();
}

std::optional<std::array<double, 4>> Trainer::Impl::step(const Batch& batch, double learning_rate) {
  const cv::Mat& images = batch.pixels;
  const torch::Tensor bytes =
      torch::from_blob(images.data, {images.size[0], images.size[1], images.size[2], 3}, torch::kByte);
  const FaceTensors faces = pack_faces(batch.faces, device);
  RawOutput output;
  {
    const MixedPrecision precision(recipe.precision == "bfloat16", device);
    output = detector->forward(normalise_pixels(bytes, device));
  }
  output = {output.logits.to(torch::kFloat), output.boxes.to(torch::kFloat), output.landmarks.to(torch::kFloat)};
  const Losses losses = multibox_loss(output, anchors, faces, match(anchors, faces, recipe.matching()), recipe.loss());
  const torch::Tensor values =
      torch::stack({losses.total, losses.classification, losses.location, losses.landmarks}).detach().to(torch::kCPU);
  if (!torch::isfinite(values).all().item<bool>()) return std::nullopt;
  optimizer->zero_grad();
  losses.total.backward();
  const double limit = recipe.gradient_clip > 0 ? recipe.gradient_clip : std::numeric_limits<double>::infinity();
  if (!std::isfinite(torch::nn::utils::clip_grad_norm_(trained, limit))) return std::nullopt;
  set_learning_rate(learning_rate);
  optimizer->step();
  if (!average.empty()) {
    torch::NoGradGuard no_gradient;
    for (std::size_t i = 0; i < average.size(); ++i) average[i].lerp_(trained[i], 1 - recipe.average);
  }
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
  load_into(*inference, fold(current_weights()), "network");
  const auto evaluation = validation.run(inference, device, observer.interrupted);
  if (!evaluation) return std::nullopt;
  report.validation_seconds = seconds_since(start);
  report.average_precision = evaluation->average_precision;
  report.best = schedule.validated(evaluation->average_precision);
  return evaluation->average_precision;
}

Trainer::Trainer(TrainingData data, const Recipe& recipe, const TrainerOptions& options)
    : impl_((check_faces(data), std::make_unique<Impl>(std::move(data), recipe, options))) {}

Trainer::~Trainer() = default;

TrainingResult Trainer::run(const std::string& weights_file, const TrainingObserver& observer) {
  Impl& self = *impl_;
  self.observer = observer;
  TrainingResult result;
  Weights best;
  self.resume(result, best);
  double lowest_loss = std::numeric_limits<double>::infinity(), images = 0, seconds_here = 0;
  for (const EpochReport& epoch : result.epochs) {
    lowest_loss = std::min(lowest_loss, epoch.loss);
    result.training_seconds += epoch.seconds;
    result.validation_seconds += epoch.validation_seconds;
    images += epoch.images_per_second * epoch.seconds;
  }
  start_training_mode(self.detector, self.recipe);
  for (int epoch = static_cast<int>(result.epochs.size()) + 1;
       epoch <= self.recipe.epochs && !self.schedule.should_stop(); ++epoch) {
    EpochReport report;
    report.epoch = epoch;
    if (const auto ending = self.train_epoch(epoch, report)) {
      result.ending = *ending;
      break;
    }
    result.training_seconds += report.seconds;
    seconds_here += report.seconds;
    images += report.images_per_second * report.seconds;
    lowest_loss = std::min(lowest_loss, report.loss);
    if (self.recipe.divergence > 0 && report.loss > self.recipe.divergence * lowest_loss) {
      result.ending = Ending::kDiverged;
      break;
    }
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
        best = self.current_weights();
        save_weights(weights_file, best);
      }
    }
    result.epochs.push_back(report);
    if (observer.epoch) observer.epoch(report);
    self.save(result, best);
  }
  if (result.ending == Ending::kCompleted && self.schedule.should_stop()) result.ending = Ending::kStagnated;
  if (result.training_seconds > 0) result.images_per_second = images / result.training_seconds;
  if (seconds_here > 0) result.waiting_share = self.loader.seconds_waited() / seconds_here;
  if (result.best_epoch > 0 && result.ending != Ending::kInterrupted) {
    save_weights(weights_file, best);  // a run that was cut off may have left a later one
    if (!self.data.test.empty()) {
      const auto start = Clock::now();
      load_into(*self.inference, fold(best), weights_file);
      if (auto evaluation = self.test.run(self.inference, self.device, observer.interrupted)) {
        result.test = evaluation->average_precision;
        self.test_detections = std::move(evaluation->detections);
        result.test_seconds = seconds_since(start);
      } else {
        result.ending = Ending::kInterrupted;
      }
    }
  }
  for (const Warnings& warnings : {self.loader.warnings(), self.validation.warnings(), self.test.warnings()}) {
    for (const std::string& line : warnings.lines()) result.warnings.push_back(line);
  }
  return result;
}

void Trainer::discard_checkpoint() {
  if (!impl_->options.checkpoint_file.empty()) remove_checkpoint(impl_->options.checkpoint_file);
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
