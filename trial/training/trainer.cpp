#include "trial/training/trainer.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <limits>
#include <sstream>

#include <opencv2/core.hpp>
#include <torch/torch.h>

#include "trial/data/drawing.h"
#include "trial/data/loader.h"
#include "trial/detector/folding.h"
#include "trial/detector/retinaface.h"
#include "trial/training/checkpoint.h"
#include "trial/training/detect.h"
#include "trial/training/device.h"
#include "trial/training/enough_memory.h"
#include "trial/training/evaluator.h"
#include "trial/training/initial_weights.h"
#include "trial/training/picture_file.h"
#include "trial/training/schedule.h"
#include "trial/training/training_step.h"
#include "trial/training/weights_file.h"
#include "tuner/base/digest.h"
#include "tuner/base/error.h"

namespace hyperfd {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Of the memory for images, what validation may have; and the test, when training is over.
std::size_t evaluation_bytes(const TrainerOptions& options) {
  return options.cache_bytes / 4;
}

LoaderOptions loader_options(const Recipe& recipe, const TrainerOptions& options) {
  LoaderOptions loader;
  loader.batch_size = recipe.batch_size;
  loader.workers = options.loader_workers;
  loader.seed = options.seed;
  loader.cache_bytes = options.cache_bytes - evaluation_bytes(options);
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

// Whether evaluation will ignore a face for its size. False where annotations do not tell: they may lack the image's.
bool will_be_too_small(const Face& face, const AnnotatedImage& image, const Recipe& recipe) {
  if (recipe.evaluation_side > 0 && (image.width == 0 || image.height == 0)) return false;
  const auto scale = static_cast<float>(evaluation_scale({image.width, image.height}, recipe));
  return is_too_small({0, 0, face.box.width * scale, face.box.height * scale}, recipe);
}

// Without a face there is nothing to learn, and AP has no meaning.
void check_faces(const TrainingData& data, const Recipe& recipe) {
  const auto check = [&](const std::vector<AnnotatedImage>& images, Split split) {
    std::size_t faces = 0, too_small = 0;
    for (const AnnotatedImage& image : images) {
      for (const Face& face : image.faces) {
        if (face.ignored) continue;
        ++faces;
        too_small += split != Split::kTrain && will_be_too_small(face, image, recipe);
      }
    }
    if (images.empty() || too_small < faces) return;
    std::ostringstream message;
    message << data.folder << ": expected faces ";
    if (faces == 0) {
      message << "in the " << name_of(split) << " split, its " << images.size()
              << " images have none (or all are iscrowd)";
    } else {
      message << "of minimum_face " << recipe.minimum_face << " pixels or more in the " << name_of(split)
              << " split, all its " << faces << " are smaller at evaluation_side " << recipe.evaluation_side;
    }
    throw InputError(message.str());
  };
  check(data.train, Split::kTrain);
  check(data.validation, Split::kValidation);
  check(data.test, Split::kTest);
}

bool is_finite(const Weights& weights) {
  for (const auto& item : weights.tensors) {
    if (!torch::isfinite(item.second).all().item<bool>()) return false;
  }
  return true;
}

// Identifies a run: same text, same result.
std::string identity_of(const TrainingData& data, const Recipe& recipe, std::uint64_t seed, const Weights& initial) {
  std::ostringstream text;
  text << std::hexfloat << to_yaml(recipe) << seed;
  for (const auto* images : {&data.train, &data.validation, &data.test}) {
    text << "\nsplit";
    for (const AnnotatedImage& image : *images) {
      text << '\n' << image.file << image.derivation;
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
        validation(data.folder, data.validation, recipe, evaluation_bytes(options)),
        test(data.folder, data.test, recipe, evaluation_bytes(options)),
        network(initial_network(recipe, options.seed, initial)),
        step(network, recipe, device),
        inference(folded_twin(network)),
        schedule(schedule_options(recipe)) {
    inference->to(device);
    if (!options.checkpoint_file.empty()) identity = identity_of(data, recipe, options.seed, initial);
  }

  bool interrupted() const { return observer.interrupted && observer.interrupted(); }
  // Nothing when the run may go on.
  std::optional<Ending> train_epoch(int epoch, EpochReport& report);
  std::optional<Ending> take_steps(int epoch, EpochReport& report);
  std::optional<Ending> validate(EpochReport& report);
  // Nothing when interrupted.
  std::optional<Evaluation> evaluate(Evaluator& evaluator);
  void resume(TrainingResult& result, Weights& best);
  // After an epoch; to the file where the last one there is old enough.
  void save(const TrainingResult& result, const Weights& best);
  // To the file, what save() has not written.
  void save_latest();

  Recipe recipe;
  TrainerOptions options;
  TrainingData data;
  torch::Device device;
  TrainingLoader loader;
  Evaluator validation, test;
  Weights initial;  // from a file; without tensors if random
  RetinaFace network;
  TrainingStep step;
  RetinaFace inference;  // validates and tests: folded, in evaluation mode
  Schedule schedule;
  std::string identity;
  Clock::time_point saved = Clock::now();
  std::optional<Checkpoint> unsaved;  // of the latest epoch, where it came too soon after the one in the file
  TrainingObserver observer;
  std::vector<std::vector<Detection>> test_detections;
};

void Trainer::Impl::resume(TrainingResult& result, Weights& best) {
  if (options.checkpoint_file.empty()) return;
  const auto restore = [&](const Checkpoint& content, const std::string& file) {
    if (content.best_epoch > 0) load_into(*RetinaFace(network->options()), content.best, file + ": best");
    step.restore(content, file);
  };
  auto checkpoint = load_checkpoint(options.checkpoint_file, identity, step.layout(), restore);
  if (!checkpoint) return;
  schedule.restore(checkpoint->schedule);
  result.epochs = std::move(checkpoint->epochs);
  result.best_epoch = checkpoint->best_epoch;
  result.best_validation = checkpoint->best_validation;
  best = std::move(checkpoint->best);
  if (observer.resumed) observer.resumed(result.epochs);
}

void Trainer::Impl::save(const TrainingResult& result, const Weights& best) {
  if (options.checkpoint_file.empty()) return;
  Checkpoint checkpoint;
  checkpoint.run = identity;
  checkpoint.epochs = result.epochs;
  checkpoint.best_epoch = result.best_epoch;
  checkpoint.best_validation = result.best_validation;
  checkpoint.schedule = schedule.state();
  step.save(checkpoint);
  checkpoint.best = best;
  unsaved = std::move(checkpoint);
  if (seconds_since(saved) >= options.checkpoint_seconds) save_latest();
}

void Trainer::Impl::save_latest() {
  if (!unsaved) return;
  save_checkpoint(options.checkpoint_file, *unsaved);
  unsaved.reset();
  saved = Clock::now();
}

std::optional<Ending> Trainer::Impl::train_epoch(int epoch, EpochReport& report) {
  return with_enough_memory(step_memory_keys(recipe), [&] { return take_steps(epoch, report); });
}

std::optional<Ending> Trainer::Impl::take_steps(int epoch, EpochReport& report) {
  const std::size_t batches = loader.batches_per_epoch();
  const auto start = Clock::now();
  StepLosses sums;
  std::size_t done = 0;
  const auto speed = [&] { return static_cast<double>(done) * recipe.batch_size / seconds_since(start); };
  loader.start_epoch(static_cast<std::uint64_t>(epoch - 1));
  for (Batch batch; loader.next(batch);) {
    if (interrupted()) return Ending::kInterrupted;
    const double moment = epoch - 1 + static_cast<double>(done) / static_cast<double>(batches);
    report.learning_rate = recipe.learning_rate * schedule.factor(moment);
    const auto losses = step.run(batch, report.learning_rate);
    if (!losses) return Ending::kDiverged;
    sums.total += losses->total;
    sums.classification += losses->classification;
    sums.location += losses->location;
    sums.landmarks += losses->landmarks;
    ++done;
    if (observer.step)
      observer.step({epoch, recipe.epochs, done, batches, sums.total / static_cast<double>(done), speed()});
  }
  const auto count = static_cast<double>(std::max<std::size_t>(done, 1));
  report.loss = sums.total / count;
  report.classification = sums.classification / count;
  report.location = sums.location / count;
  report.landmarks = sums.landmarks / count;
  report.seconds = seconds_since(start);
  report.images_per_second = speed();
  return std::nullopt;
}

std::optional<Ending> Trainer::Impl::validate(EpochReport& report) {
  const auto start = Clock::now();
  const Weights weights = step.weights();
  // The loss says what the weights before the last step were worth.
  if (!is_finite(weights)) return Ending::kDiverged;
  load_into(*inference, fold(weights), "network");
  const auto evaluation = evaluate(validation);
  if (!evaluation) return Ending::kInterrupted;
  if (!evaluation->is_finite) return Ending::kDiverged;
  report.validation_seconds = seconds_since(start);
  report.average_precision = evaluation->average_precision;
  report.best = schedule.validated(evaluation->average_precision);
  return std::nullopt;
}

std::optional<Evaluation> Trainer::Impl::evaluate(Evaluator& evaluator) {
  return with_enough_memory("evaluation_side " + std::to_string(recipe.evaluation_side) + ", evaluation_batch_size " +
                                std::to_string(recipe.evaluation_batch_size),
                            [&] { return evaluator.run(inference, device, observer.interrupted); });
}

Trainer::Trainer(TrainingData data, const Recipe& recipe, const TrainerOptions& options)
    : impl_((check_faces(data, recipe), std::make_unique<Impl>(std::move(data), recipe, options))) {}

Trainer::~Trainer() = default;

TrainingResult Trainer::run(const std::string& weights_file, const TrainingObserver& observer) {
  Impl& self = *impl_;
  self.observer = observer;
  TrainingResult result;
  Weights best;
  self.resume(result, best);
  // What an earlier life or run of another recipe left is not this one's best.
  if (result.best_epoch > 0) {
    save_weights(weights_file, best);
  } else {
    std::error_code missing;
    std::filesystem::remove(weights_file, missing);
  }
  double lowest_loss = std::numeric_limits<double>::infinity(), images = 0, seconds_here = 0;
  for (const EpochReport& epoch : result.epochs) {
    if (epoch.loss > 0) lowest_loss = std::min(lowest_loss, epoch.loss);
    result.training_seconds += epoch.seconds;
    result.validation_seconds += epoch.validation_seconds;
    images += epoch.images_per_second * epoch.seconds;
  }
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
    if (report.loss > 0) lowest_loss = std::min(lowest_loss, report.loss);  // 0: no crop held a face to learn from
    if (self.recipe.divergence > 0 && report.loss > self.recipe.divergence * lowest_loss) {
      result.ending = Ending::kDiverged;
      break;
    }
    if (epoch % self.recipe.validate_every == 0 || epoch == self.recipe.epochs) {
      if (const auto ending = self.validate(report)) {
        result.ending = *ending;
        break;
      }
      result.validation_seconds += report.validation_seconds;
      if (report.best) {
        result.best_epoch = epoch;
        result.best_validation = *report.average_precision;
        best = self.step.weights();
        save_weights(weights_file, best);
      }
    }
    result.epochs.push_back(report);
    if (observer.epoch) observer.epoch(report);
    self.save(result, best);
  }
  if (result.ending == Ending::kInterrupted) self.save_latest();
  if (result.ending == Ending::kCompleted && self.schedule.should_stop()) result.ending = Ending::kStagnated;
  if (result.training_seconds > 0) result.images_per_second = images / result.training_seconds;
  if (seconds_here > 0) result.waiting_share = self.loader.seconds_waited() / seconds_here;
  if (result.best_epoch > 0 && result.ending != Ending::kInterrupted) {
    self.validation.free_memory();
    if (!self.data.test.empty()) {
      const auto start = Clock::now();
      load_into(*self.inference, fold(best), weights_file);
      if (auto evaluation = self.evaluate(self.test)) {
        result.test = evaluation->average_precision;
        self.test_detections = std::move(evaluation->detections);
        result.test_seconds = seconds_since(start);
      } else {
        result.ending = Ending::kInterrupted;
        self.save_latest();
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
