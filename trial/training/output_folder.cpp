#include "trial/training/output_folder.h"

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>

#include "tuner/base/error.h"
#include "tuner/base/files.h"
#include "tuner/base/log.h"

namespace fs = std::filesystem;

namespace hyperfd {
namespace {

constexpr const char* kEpochs = "train.jsonl";
constexpr const char* kRecipe = "recipe.yaml";
constexpr const char* kRemapping = "remapping.txt";
constexpr const char* kResult = "result.json";

// Whether the folder is new. `make` is one of the standard library's, which says so.
template <typename Make>
bool make_folder(const std::string& folder, Make make) {
  std::error_code failure;
  const bool is_new = make(folder, failure);
  if (failure) throw Error(folder + ": cannot be created: " + failure.message());
  return is_new;
}

bool make_all_folders(const std::string& folder) {
  return make_folder(
      folder, [](const fs::path& path, std::error_code& failure) { return fs::create_directories(path, failure); });
}

// runs/<date and time>, or runs/<date and time>-2 and so on when another run began in the same second.
std::string make_default_folder() {
  const std::time_t now = std::time(nullptr);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d_%H-%M-%S", std::localtime(&now));
  make_all_folders("runs");
  const std::string first = std::string("runs/") + text;
  std::string folder = first;
  const auto make = [](const fs::path& path, std::error_code& failure) { return fs::create_directory(path, failure); };
  for (int i = 2; !make_folder(folder, make); ++i) folder = first + "-" + std::to_string(i);
  return folder;
}

}  // namespace

OutputFolder::OutputFolder(const std::string& folder, std::chrono::milliseconds patience) : folder_(folder) {
  const char* nni = std::getenv("NNI_OUTPUT_DIR");
  if (folder_.empty() && nni) folder_ = nni;
  if (folder_.empty()) {
    folder_ = make_default_folder();
    is_new_ = true;
  } else {
    is_new_ = make_all_folders(folder_);
  }
  lock_.emplace(folder_, patience);
}

OutputFolder::~OutputFolder() {
  if (!is_new_ || has_begun_) return;
  std::error_code failure;  // something else is in it by now
  fs::remove(FolderLock::file_in(folder_), failure);
  fs::remove(folder_, failure);
}

Json OutputFolder::finished_result() const {
  std::error_code missing;
  if (!fs::is_regular_file(file(kResult), missing)) return nullptr;
  Json result = Json::parse(read_file(file(kResult)), nullptr, /*allow_exceptions=*/false);
  if (!result.is_object()) return Json::object();
  if (result.value("ending", Json()) == Json(name_of(Ending::kInterrupted))) return nullptr;
  return result;
}

void OutputFolder::refuse_finished_run() const {
  if (!finished_result().is_null()) {
    throw InputError(folder_ + ": holds a finished run (its " + kResult + "); choose another folder or remove it");
  }
}

bool OutputFolder::is_of(const Recipe& recipe) const {
  std::error_code missing;
  return fs::is_regular_file(file(kRecipe), missing) && read_file(file(kRecipe)) == to_yaml(recipe);
}

void OutputFolder::begin(const Recipe& recipe, const std::vector<std::string>& remapping,
                         const std::vector<EpochReport>& epochs) {
  if (has_begun_) return;
  has_begun_ = true;
  std::error_code missing;
  fs::remove(file(kResult), missing);
  fs::remove(file(kRemapping), missing);
  write_file_atomically(file(kRecipe), to_yaml(recipe));
  std::string lines;
  for (const EpochReport& epoch : epochs) lines += to_json(epoch).dump() + "\n";
  write_file_atomically(file(kEpochs), lines);
  if (remapping.empty()) return;
  std::string report;
  for (const std::string& line : remapping) report += line + "\n";
  write_file_atomically(file(kRemapping), report);
  spdlog::info("{} says how each layer of the initial weights was mapped", file(kRemapping));
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
  write_file_atomically(file(kResult), content.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

}  // namespace hyperfd
