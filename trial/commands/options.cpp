#include "trial/commands/options.h"

#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <sstream>

#include "trial/commands/output_check.h"
#include "trial/training/initial_weights.h"
#include "trial/training/recipe_files.h"
#include "tuner/base/log.h"

namespace hyperfd::commands {
namespace {

std::string interval(double low, double high) {
  std::ostringstream text;
  text << "[" << low << ", " << high << "]";
  return text.str();
}

}  // namespace

CLI::Validator real_number(double low, double high) {
  const auto check = [low, high](const std::string& text) -> std::string {
    char* end = nullptr;
    const double number = std::strtod(text.c_str(), &end);
    // NaN compares as false.
    if (!text.empty() && *end == '\0' && number >= low && number <= high) return "";
    return "expected a number in " + interval(low, high) + ", got \"" + text + "\"";
  };
  return {check, "in " + interval(low, high)};
}

CLI::Validator whole_number(std::uint64_t low, std::uint64_t high) {
  std::string expected = "a whole number >= " + std::to_string(low);
  if (high < std::numeric_limits<std::uint64_t>::max()) expected += " and <= " + std::to_string(high);
  const auto check = [low, high, expected](const std::string& text) -> std::string {
    char* end = nullptr;
    errno = 0;
    const std::uint64_t number = std::strtoull(text.c_str(), &end, 0);  // as CLI11 reads it
    const bool is_whole = std::isdigit(static_cast<unsigned char>(text[0])) != 0 && *end == '\0' && errno == 0;
    if (is_whole && number >= low && number <= high) return "";
    return "expected " + expected + ", got \"" + text + "\"";
  };
  return {check, ""};
}

void add_computing_options(CLI::App& command, std::string& device, int& threads) {
  command.add_option("--device", device, "auto, cpu or cuda")->capture_default_str();
  command.add_option("--threads", threads, "Threads that compute")->check(CLI::Range(1, 1024))->capture_default_str();
}

void add_precision_option(CLI::App& command, std::string& precision) {
  command
      .add_option("--precision", precision,
                  "float32, or bfloat16, which may be faster where the processor or GPU has it (default: the weights' "
                  "recipe's)")
      ->check(CLI::IsMember({"float32", "bfloat16"}));
}

Recipe TrainingOptions::load(const Json& configuration) const {
  std::optional<std::string> chosen = weights;
  if (configuration.contains("weights") && configuration["weights"].is_string())
    chosen = configuration["weights"].get<std::string>();
  std::vector<std::string> all = overrides;
  if (chosen && chosen->empty()) all.push_back("weights=");
  return load_recipe_for_weights(recipe, chosen.value_or(""), all);
}

void TrainingOptions::check_weights_kept(const Recipe& loaded, const std::string& best_file) const {
  if (!loaded.weights.empty()) InputFiles({find_model(loaded.weights)}).check_kept("--out", best_file);
}

TrainerOptions TrainingOptions::trainer_with(const std::string& checkpoint_file) const {
  TrainerOptions options = trainer;
  options.cache_bytes = static_cast<std::size_t>(cache_megabytes) << 20;
  options.checkpoint_file = checkpoint_file;
  return options;
}

void add_training_options(CLI::App& command, TrainingOptions& options) {
  command
      .add_option("--recipe", options.recipe,
                  "Recipe: a name that comes with the program (mini, mini_fast, mini_nas, scratch, paper, pretrain) or "
                  "a YAML file")
      ->capture_default_str();
  command.add_option("--weights", options.weights,
                     "Initial weights: a name that comes with the program or a file, also of a backbone alone; the "
                     "network is theirs, unless --set or the configuration say otherwise. \"\": random ones");
  command.add_option("--set", options.overrides, "key=value over the recipe; may be repeated")->allow_extra_args(false);
  add_computing_options(command, options.trainer.device, options.threads);
  command
      .add_option("--workers", options.trainer.loader_workers,
                  "Threads that read and augment images; 0: the training thread does it")
      ->check(CLI::Range(0, 256))
      ->capture_default_str();
  command
      .add_option("--cache", options.cache_megabytes,
                  "Memory for decoded images, in MB; a quarter of it is for validation and test")
      ->check(CLI::Range(0, 1 << 20))
      ->capture_default_str();
  command
      .add_option("--checkpoint-every", options.trainer.checkpoint_seconds,
                  "Seconds between checkpoints (after epochs); a run that was cut off goes on with the same --out")
      ->check(real_number(0, 1e6))
      ->capture_default_str();
  command
      .add_option("--seed", options.trainer.seed,
                  "Of weights, order and augmentation; the same one gives the same run, bit for bit on the CPU with "
                  "--threads 1")
      ->check(whole_number())
      ->capture_default_str();
}

FaceDataset load_dataset(const std::string& folder) {
  Warnings warnings;
  FaceDataset dataset = FaceDataset::load(folder, warnings);
  for (const std::string& line : warnings.lines()) spdlog::warn("{}: {}", folder, line);
  return dataset;
}

}  // namespace hyperfd::commands
