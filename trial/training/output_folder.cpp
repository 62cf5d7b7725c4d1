#include "trial/training/output_folder.h"

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>

#include "tuner/base/error.h"
#include "tuner/base/files.h"

namespace hyperfd {
namespace {

constexpr const char* kEpochs = "train.jsonl";

}  // namespace

OutputFolder::OutputFolder(std::string folder) : folder_(std::move(folder)) {
  std::error_code failure;
  std::filesystem::create_directories(folder_, failure);
  if (failure) throw Error(folder_ + ": cannot be created: " + failure.message());
}

void OutputFolder::start_epochs(const std::vector<EpochReport>& epochs) const {
  std::string lines;
  for (const EpochReport& epoch : epochs) lines += to_json(epoch).dump() + "\n";
  write_file_atomically(file(kEpochs), lines);
}

void OutputFolder::write_recipe(const Recipe& recipe) const {
  write_file_atomically(file("recipe.yaml"), to_yaml(recipe));
}

void OutputFolder::append_epoch(const EpochReport& epoch) const {
  std::ofstream stream(file(kEpochs), std::ios::app);
  stream << to_json(epoch).dump() + "\n" << std::flush;
  if (!stream) throw Error(file(kEpochs) + ": cannot be written");
}

void OutputFolder::write_result(const TrainingResult& result, const Json& context) const {
  Json content = {{"ending", name_of(result.ending)},
                  {"test_ap", result.test ? Json(*result.test) : Json()},
                  {"validation_ap", result.best_epoch > 0 ? Json(result.best_validation) : Json()},
                  {"best_epoch", result.best_epoch},
                  {"epochs", result.epochs.size()},
                  {"seconds",
                   {{"training", result.training_seconds},
                    {"validation", result.validation_seconds},
                    {"test", result.test_seconds}}},
                  {"images_per_second", result.images_per_second},
                  {"waiting_share", result.waiting_share}};
  Json validations = Json::array();
  for (const EpochReport& epoch : result.epochs) {
    if (epoch.average_precision) validations.push_back({{"epoch", epoch.epoch}, {"ap", *epoch.average_precision}});
  }
  content["validations"] = validations;
  content.update(context);
  content["warnings"] = result.warnings;
  write_file_atomically(file("result.json"), content.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

std::string default_output_folder() {
  if (const char* nni = std::getenv("NNI_OUTPUT_DIR"); nni && *nni) return nni;
  const std::time_t now = std::time(nullptr);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d_%H-%M-%S", std::localtime(&now));
  return std::string("runs/") + text;
}

}  // namespace hyperfd
