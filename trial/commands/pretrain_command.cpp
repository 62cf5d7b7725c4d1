#include <memory>

#include "trial/commands/commands.h"
#include "trial/commands/options.h"
#include "trial/commands/output_check.h"
#include "trial/commands/signals.h"
#include "trial/data/cleaning.h"
#include "trial/data/image_source.h"
#include "trial/training/curves.h"
#include "trial/training/detect.h"
#include "trial/training/device.h"
#include "trial/training/initial_weights.h"
#include "trial/training/output_folder.h"
#include "trial/training/progress.h"
#include "trial/training/trained_detector.h"
#include "trial/training/trainer.h"
#include "tuner/base/error.h"
#include "tuner/base/log.h"
#include "tuner/base/version.h"

namespace hyperfd::commands {
namespace {

struct Options : TrainingOptions {
  std::string teacher;
};

// Gives faces without landmarks those that the teacher sees; boxes stay as they are.
void learn_from(const std::string& teacher_file, torch::Device device, TrainingData& data) {
  TrainedDetector teacher = load_trained_detector(teacher_file);
  teacher.network->to(device);
  CleaningOptions cleaning;
  cleaning.landmarks_only = true;
  std::size_t faces = 0, with_landmarks = 0;
  for (AnnotatedImage& image : data.train) {
    if (stop_was_asked_for()) throw Error("interrupted while the teacher gave landmarks");
    cv::Mat pixels;
    try {
      pixels = read_pixels(data.folder, image);
      check_detectable(pixels.size(), teacher.recipe, data.folder + "/" + image.file);
    } catch (const InputError&) {
      continue;  // the loader counts what it cannot read
    }
    image.faces = clean_labels(image.faces, detect_faces(teacher, device, pixels), cleaning).faces;
    for (const Face& face : image.faces) {
      faces += !face.ignored;
      with_landmarks += !face.ignored && face.landmarks.has_value();
    }
  }
  spdlog::info("{} of {} faces have landmarks, with the teacher's", with_landmarks, faces);
}

void pretrain(const Options& options) {
  stop_on_signals();
  const Recipe recipe = options.load();
  set_up_computing(options.threads);
  const FaceDataset dataset = load_dataset(options.data);

  // The weights are judged on other data sets: here every image that does not choose the epoch trains.
  TrainingData data{dataset.folder(), dataset.split(Split::kTrain), dataset.split(Split::kValidation), {}};
  const std::vector<AnnotatedImage> test = dataset.all_of(Split::kTest);
  data.train.insert(data.train.end(), test.begin(), test.end());

  OutputFolder out(options.out);
  out.refuse_finished_run();
  options.check_weights_kept(recipe, out.file("best.pt"));
  InputFiles({options.teacher}).check_kept("--out", out.file("best.pt"));
  const std::vector<std::string> remapping = remapping_report(recipe);
  if (!options.teacher.empty()) learn_from(options.teacher, choose_device(options.trainer.device), data);

  Progress progress;
  TrainingObserver observer;
  observer.step = [&](const StepReport& step) { progress.step(step); };
  observer.interrupted = [&] {
    out.begin(recipe, remapping, {});  // not before: what is there stays when the run cannot start
    return stop_was_asked_for();
  };
  observer.epoch = [&](const EpochReport& epoch) {
    out.append_epoch(epoch);
    progress.epoch(epoch);
  };
  observer.resumed = [&](const std::vector<EpochReport>& epochs) {
    spdlog::info("going on behind epoch {} of a run that was cut off", epochs.size());
    out.begin(recipe, remapping, epochs);
  };
  Trainer trainer(data, recipe, options.trainer_with(out.file("checkpoint.pt")));
  const TrainingResult result = trainer.run(out.file("best.pt"), observer);
  for (const std::string& line : result.warnings) spdlog::warn(options.data + ": " + line);
  out.write_result(result, {{"data", options.data},
                            {"recipe", options.recipe},
                            {"teacher", options.teacher},
                            {"training_images", data.train.size()},
                            {"seed", options.trainer.seed},
                            {"version", kVersion}});
  if (!result.epochs.empty()) draw_curves(result.epochs, out.file("curves.png"));
  progress.result(result, out.path());
  if (result.ending == Ending::kInterrupted) {
    if (result.best_epoch == 0) throw Error("interrupted before the first validation: there are no weights");
    return;
  }
  trainer.discard_checkpoint();
  if (result.ending == Ending::kDiverged) {
    spdlog::warn("training diverged (loss or gradient not finite, or the loss rose far)");
    if (result.best_epoch == 0) throw Error("it diverged before the first validation: there are no weights");
  }
}

}  // namespace

void add_pretrain(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  options->recipe = "pretrain";
  options->out = "runs/pretrain";
  CLI::App* command =
      app.add_subcommand("pretrain", "Train the weights that other trainings start from, on a large data set");
  command->add_option("--data", options->data, "Data set folder; its test split trains, too")->required();
  add_training_options(*command, *options);
  command->add_option("--teacher", options->teacher,
                      "Weights of a detector that gives landmarks to the faces that have none");
  command
      ->add_option("--out", options->out,
                   "Output folder; the same one goes on with a run that was cut off, not with a finished one")
      ->capture_default_str();
  command->footer(
      "Takes hours: it may be stopped at any time and goes on with the same command. best.pt in --out has the "
      "weights.\n"
      "Exit code 1: it was stopped, or diverged, before the first validation, so there are none.\n"
      "--teacher gives landmarks only: faces that the labels lack are added by `hyperfd-trial clean`, before.\n"
      "Example:\n"
      "  hyperfd-trial pretrain --data wider --set backbone=mobilenet_v2_x0.5 --out runs/v2");
  command->callback([options] { pretrain(*options); });
}

}  // namespace hyperfd::commands
