#include <memory>

#include "trial/commands/commands.h"
#include "trial/commands/signals.h"
#include "trial/report/trial_channel.h"
#include "trial/report/trial_environment.h"
#include "trial/training/configuration.h"
#include "trial/training/curves.h"
#include "trial/training/device.h"
#include "trial/training/initial_weights.h"
#include "trial/training/output_folder.h"
#include "trial/training/progress.h"
#include "trial/training/trainer.h"
#include "tuner/base/error.h"
#include "tuner/base/log.h"
#include "tuner/base/version.h"

namespace hyperfd::commands {
namespace {

struct Options {
  std::string data, recipe = "mini", parameters_file, out;
  std::vector<std::string> overrides;
  TrainerOptions trainer;
  std::string weights;
  int threads = 1, cache_megabytes = 512;
};

void train(const Options& options) {
  stop_on_signals();
  // First of all: NNI hands configurations to whoever asks next, so nothing may fail before.
  const TrialEnvironment environment = TrialEnvironment::of_this_process();
  const bool reads_file = environment.is_standalone() && !options.parameters_file.empty();
  const auto channel =
      open_trial_channel(environment, reads_file ? load_json_or_yaml(options.parameters_file) : Json::object());
  const Assignment& assignment = channel->assignment();

  Recipe recipe = load_recipe_for_weights(options.recipe, options.weights, options.overrides);
  for (const std::string& warning : apply_configuration(recipe, assignment.parameters)) spdlog::warn(warning);
  set_up_computing(options.threads);

  Warnings data_warnings;
  const FaceDataset data = FaceDataset::load(options.data, data_warnings);
  for (const std::string& line : data_warnings.lines()) spdlog::warn(options.data + ": " + line);
  const OutputFolder out(options.out.empty() ? default_output_folder() : options.out);
  out.write_recipe(recipe);

  Progress progress;
  TrainingObserver observer;
  observer.step = [&](const StepReport& step) { progress.step(step); };
  observer.interrupted = [] { return stop_was_asked_for(); };
  observer.epoch = [&](const EpochReport& epoch) {
    out.append_epoch(epoch);
    progress.epoch(epoch);
    if (epoch.average_precision) channel->report_intermediate(*epoch.average_precision);
  };
  observer.resumed = [&](const std::vector<EpochReport>& epochs) {
    spdlog::info("going on behind epoch {} of a run that was cut off", epochs.size());
    out.start_epochs(epochs);
    for (const EpochReport& epoch : epochs) {
      if (epoch.average_precision) channel->report_intermediate(*epoch.average_precision);
    }
  };
  out.start_epochs({});
  TrainerOptions trainer_options = options.trainer;
  trainer_options.cache_bytes = static_cast<std::size_t>(options.cache_megabytes) << 20;
  trainer_options.checkpoint_file = out.file("checkpoint.pt");
  Trainer trainer(training_data(data), recipe, trainer_options);
  const TrainingResult result = trainer.run(out.file("best.pt"), observer);

  for (const std::string& line : result.warnings) spdlog::warn(options.data + ": " + line);
  out.write_result(result, {{"data", options.data},
                            {"recipe", options.recipe},
                            {"parameters", assignment.parameters},
                            {"seed", options.trainer.seed},
                            {"version", kVersion}});
  // Before the pictures: NNI kills a trial a few seconds after its signal.
  if (result.ending == Ending::kInterrupted) {
    progress.result(result, out.path());
    if (result.best_epoch == 0) throw Error("interrupted before the first validation: there is no result to report");
    channel->report_final(result.best_validation);
    return;
  }
  if (result.ending == Ending::kDiverged)
    spdlog::warn("training diverged (loss or gradient not finite); the last good validation counts");
  draw_curves(result.epochs, out.file("curves.png"));
  if (result.test) trainer.draw_detections(out.file("detections.png"));
  progress.result(result, out.path());
  // A detector that diverged before its first validation finds nothing: that is its score.
  channel->report_final(result.test.value_or(0));
  trainer.discard_checkpoint();
}

}  // namespace

void add_train(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("train", "Train a detector on a data set; report AP@50 to NNI, if NNI started it");
  command->add_option("--data", options->data, "Data set folder: annotations.json (COCO) and images/")->required();
  command
      ->add_option("--recipe", options->recipe,
                   "Recipe: a name that comes with the program (mini, scratch, paper) or a YAML file")
      ->capture_default_str();
  command->add_option("--weights", options->weights,
                      "Initial weights: a name that comes with the program or a file; the network is theirs, unless --set or "
                      "the configuration say otherwise");
  command->add_option("--params", options->parameters_file, "Configuration as JSON or YAML, when NNI gives none");
  command->add_option("--out", options->out, "Output folder (default: NNI's, else runs/<time>)");
  command->add_option("--set", options->overrides, "key=value over the recipe; may be repeated")
      ->allow_extra_args(false);
  command->add_option("--device", options->trainer.device, "auto, cpu or cuda")->capture_default_str();
  command->add_option("--threads", options->threads, "Threads that compute")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  command
      ->add_option("--workers", options->trainer.loader_workers,
                   "Threads that read and augment images; 0: the training thread does it")
      ->check(CLI::Range(0, 256))
      ->capture_default_str();
  command->add_option("--cache", options->cache_megabytes, "Memory for decoded images, in MB")
      ->check(CLI::Range(0, 1 << 20))
      ->capture_default_str();
  command
      ->add_option("--checkpoint-every", options->trainer.checkpoint_seconds,
                   "Seconds between checkpoints (after epochs); a run that was cut off goes on with the same --out")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  command->add_option("--seed", options->trainer.seed, "Of weights, order and augmentation")->capture_default_str();
  command->footer(
      "SIGINT or SIGTERM ends training: the best validation so far is the result (exit code 0); before the first "
      "validation there is none (exit code 1).\n\n"
      "Recipe keys, also the keys of configurations:\n" +
      describe_recipe_keys() +
      "\nExamples:\n"
      "  hyperfd-trial train --data my_faces --recipe mini\n"
      "  hyperfd-trial train --data my_faces --recipe mini --set epochs=30 --set learning_rate=0.001 --out runs/a\n"
      "  echo '{\"optimizer\": \"adam\", \"negative_ratio\": 2}' > c.json && hyperfd-trial train --data my_faces "
      "--params c.json\n");
  command->callback([options] { train(*options); });
}

}  // namespace hyperfd::commands
