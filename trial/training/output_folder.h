#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "trial/training/folder_lock.h"
#include "trial/training/trainer.h"
#include "tuner/base/json.h"

namespace hyperfd {

// What a training run leaves behind: recipe.yaml (all keys, resolved), remapping.txt (how the initial weights were
// mapped, if they were of another architecture), train.jsonl (a line an epoch), best.pt (weights), result.json,
// curves.png and detections.png. Every file is replaced atomically, train.jsonl grows by whole lines. One process at a
// time has the folder.
class OutputFolder {
 public:
  // Makes the folder; "": NNI's, else a new one, ./runs/<date and time>. Waits up to `patience` for another process
  // that has it. Throws Error that names it; InputError when another process still has it.
  explicit OutputFolder(const std::string& folder, std::chrono::milliseconds patience = {});
  OutputFolder(const OutputFolder&) = delete;
  OutputFolder& operator=(const OutputFolder&) = delete;
  // A folder that was made for a run that did not begin is removed.
  ~OutputFolder();

  const std::string& path() const { return folder_; }
  std::string file(const std::string& name) const { return folder_ + "/" + name; }

  // result.json of a run that came to its end here, an object; null when there is none, or it was interrupted.
  Json finished_result() const;
  // Throws InputError when a run came to its end here.
  void refuse_finished_run() const;
  // Whether recipe.yaml here is that of `recipe`.
  bool is_of(const Recipe& recipe) const;

  // The run has begun, behind `epochs` of a run that was cut off, or of none: writes recipe.yaml, remapping.txt and
  // train.jsonl, removes another run's result. Later calls do nothing.
  void begin(const Recipe& recipe, const std::vector<std::string>& remapping, const std::vector<EpochReport>& epochs);
  void append_epoch(const EpochReport& epoch) const;
  // `context`: what else belongs into result.json (data set, seed, parameters, version).
  void write_result(const TrainingResult& result, const Json& context) const;

 private:
  bool is_new_ = false, has_begun_ = false;
  std::string folder_;
  std::optional<FolderLock> lock_;
};

}  // namespace hyperfd
