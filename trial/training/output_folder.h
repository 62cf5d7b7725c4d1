#pragma once

#include <string>

#include "trial/training/trainer.h"
#include "tuner/base/json.h"

namespace hyperfd {

// What a training run leaves behind: recipe.yaml (all keys, resolved), train.jsonl (a line an epoch), best.pt
// (weights), result.json, curves.png and detections.png. Every file is replaced atomically, train.jsonl grows by whole
// lines.
class OutputFolder {
 public:
  // Creates the folder. Throws Error that names it.
  explicit OutputFolder(std::string folder);

  const std::string& path() const { return folder_; }
  std::string file(const std::string& name) const { return folder_ + "/" + name; }

  void write_recipe(const Recipe& recipe) const;
  // Replaces train.jsonl by the epochs of a run that goes on, or by none.
  void start_epochs(const std::vector<EpochReport>& epochs) const;
  void append_epoch(const EpochReport& epoch) const;
  // `context`: what else belongs into result.json (data set, seed, parameters, version).
  void write_result(const TrainingResult& result, const Json& context) const;

 private:
  std::string folder_;
};

// Under NNI its output folder, else ./runs/<date and time>.
std::string default_output_folder();

}  // namespace hyperfd
