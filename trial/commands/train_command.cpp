#include <chrono>
#include <memory>

#include "trial/commands/commands.h"
#include "trial/commands/options.h"
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

struct Options : TrainingOptions {
  std::string parameters_file;
};

// Whether `result`, of a run with the same recipe, is what this run would have; null is none.
bool is_result_of(const Json& result, const Json& context) {
  for (const char* key : {"data", "seed", "version"}) {
    if (!result.contains(key) || result.at(key) != context.at(key)) return false;
  }
  return true;
}

// NNI repeats a trial whose end it did not see.
void report_again(const Json& result, TrialChannel& channel) {
  for (const Json& validation : result.at("validations")) channel.report_intermediate(validation.at("ap"));
  channel.report_final(result.at("test_ap").is_null() ? Json(0.0) : result.at("test_ap"));
}

void train(const Options& options) {
  stop_on_signals();
  // First of all: NNI hands configurations to whoever asks next, so nothing may fail before.
  const TrialEnvironment environment = TrialEnvironment::of_this_process();
  const bool reads_file = environment.is_standalone() && !options.parameters_file.empty();
  const auto channel =
      open_trial_channel(environment, reads_file ? load_json_or_yaml(options.parameters_file) : Json::object());
  const Assignment& assignment = channel->assignment();

  Recipe recipe = options.load(assignment.parameters);
  for (const std::string& warning : apply_configuration(recipe, assignment.parameters)) spdlog::warn(warning);
  set_up_computing(options.threads);

  const FaceDataset data = load_dataset(options.data);
  const Json context = {{"data", options.data},
                        {"recipe", options.recipe},
                        {"parameters", assignment.parameters},
                        {"seed", options.trainer.seed},
                        {"version", kVersion}};
  // NNI may start a trial again while its earlier life ends.
  OutputFolder out(options.out, std::chrono::seconds(environment.is_standalone() ? 0 : 10));
  if (environment.is_standalone()) {
    out.refuse_finished_run();
  } else if (const Json result = out.finished_result(); is_result_of(result, context) && out.is_of(recipe)) {
    spdlog::info("{}: this trial came to its end before; its result is reported again", out.path());
    report_again(result, *channel);
    return;
  }
  options.check_weights_kept(recipe, out.file("best.pt"));
  Trainer trainer(training_data(data), recipe, options.trainer_with(out.file("checkpoint.pt")));
  const std::vector<std::string> remapping = remapping_report(recipe);

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
    if (epoch.average_precision) channel->report_intermediate(*epoch.average_precision);
  };
  observer.resumed = [&](const std::vector<EpochReport>& epochs) {
    spdlog::info("going on behind epoch {} of a run that was cut off", epochs.size());
    out.begin(recipe, remapping, epochs);
    for (const EpochReport& epoch : epochs) {
      if (epoch.average_precision) channel->report_intermediate(*epoch.average_precision);
    }
  };
  const TrainingResult result = trainer.run(out.file("best.pt"), observer);

  for (const std::string& line : result.warnings) spdlog::warn(options.data + ": " + line);
  const bool is_interrupted = result.ending == Ending::kInterrupted;
  // Before anything that a full disk may stop, and before the pictures: NNI kills a trial a few seconds after its
  // signal. A detector that diverged before its first validation finds nothing: that is its score.
  if (!is_interrupted) channel->report_final(result.test.value_or(0));
  if (is_interrupted && result.best_epoch > 0) channel->report_final(result.best_validation);
  out.write_result(result, context);
  draw_curves(result.epochs, out.file("curves.png"));
  if (is_interrupted) {
    progress.result(result, out.path());
    if (result.best_epoch == 0) throw Error("interrupted before the first validation: there is no result to report");
    return;
  }
  if (result.ending == Ending::kDiverged)
    spdlog::warn("training diverged (loss or gradient not finite, or the loss rose far); {}",
                 result.best_epoch > 0 ? "the best validation before counts"
                                       : "there was no validation before, so the result is 0");
  if (result.test) trainer.draw_detections(out.file("detections.png"));
  progress.result(result, out.path());
  trainer.discard_checkpoint();
}

}  // namespace

void add_train(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  options->recipe = "mini";
  CLI::App* command =
      app.add_subcommand("train", "Train a detector on a data set; report AP@50 to NNI, if NNI started it");
  command->add_option("--data", options->data, "Data set folder: annotations.json (COCO) and images/")->required();
  add_training_options(*command, *options);
  command->add_option("--params", options->parameters_file, "Configuration as JSON or YAML, when NNI gives none");
  command->add_option("--out", options->out,
                      "Output folder (default: NNI's, else runs/<time>); a run that was cut off goes on with the same "
                      "one, a finished one is not trained over");
  command->footer(
      "SIGINT or SIGTERM ends training: the best validation so far is the result (exit code 0); before the first "
      "validation there is none (exit code 1).\n"
      "Weights of another architecture are mapped to the recipe's; remapping.txt in the output folder says how, layer "
      "by layer.\n\n"
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
