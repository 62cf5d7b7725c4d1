#include "trial/training/checkpoint.h"

#include <cstring>
#include <filesystem>

#include "trial/training/weights_file.h"
#include "tuner/base/error.h"
#include "tuner/base/log.h"

namespace hyperfd {
namespace {

// A checkpoint is a weights file: its tensors are named by what they are of, its description is the rest as JSON.
constexpr const char* kOptimizer = "optimizer";
constexpr int kFormat = 2;  // of the description; 1 did not say it

// Not damage, but days of training that another program can go on from: the user decides.
class OtherVersion : public InputError {
 public:
  OtherVersion(const std::string& file, const std::string& difference)
      : InputError(file + ": of another version of hyperfd-trial (" + difference +
                   "); end the training with that version, or delete the file to start anew") {}
};

std::string previous(const std::string& file) {
  return file + ".previous";
}

// For a moment, while `file` becomes the previous one.
std::string second_name(const std::string& file) {
  return file + ".link";
}

std::string damaged(const std::string& file) {
  return file + ".damaged";
}

void put(Weights& file, const std::string& prefix, const Weights& weights) {
  for (const auto& [name, tensor] : weights.tensors) file.tensors[prefix + name] = tensor;
}

Weights take(const Weights& file, const std::string& prefix) {
  Weights weights;
  for (auto item = file.tensors.lower_bound(prefix);
       item != file.tensors.end() && item->first.compare(0, prefix.size(), prefix) == 0; ++item)
    weights.tensors[item->first.substr(prefix.size())] = item->second;
  return weights;
}

Checkpoint read(const std::string& file) {
  const Weights content = load_weights(file);
  const Json state = parse_json(content.description, file);
  Checkpoint checkpoint;
  try {
    const int format = state.contains("format") ? state["format"].get<int>() : 1;
    if (format != kFormat)
      throw OtherVersion(file, "format " + std::to_string(format) + ", expected " + std::to_string(kFormat));
    state.at("layout").get_to(checkpoint.layout);
    state.at("run").get_to(checkpoint.run);
    for (const Json& line : state.at("epochs")) checkpoint.epochs.push_back(epoch_from_json(line));
    state.at("best_epoch").get_to(checkpoint.best_epoch);
    state.at("best_validation").get_to(checkpoint.best_validation);
    const Json& schedule = state.at("schedule");
    checkpoint.schedule = {schedule.at("best"), schedule.at("stagnant"), schedule.at("since_fall"),
                           schedule.at("plateau")};
    state.at("description").get_to(checkpoint.best.description);
  } catch (const Json::exception& error) {
    const std::string message = error.what();  // behind a tag in brackets
    throw InputError(file + ": the state of the training: " + message.substr(message.find("] ") + 2));
  }
  const auto optimizer = content.tensors.find(kOptimizer);
  if (optimizer == content.tensors.end() || optimizer->second.scalar_type() != torch::kByte)
    throw InputError(file + ": the optimizer's state is missing");
  const torch::Tensor bytes = optimizer->second.contiguous();
  checkpoint.optimizer.assign(reinterpret_cast<const char*>(bytes.data_ptr<std::uint8_t>()),
                              static_cast<std::size_t>(bytes.numel()));
  const std::string description = checkpoint.best.description;
  checkpoint.network = take(content, "network.");
  checkpoint.average = take(content, "average.");
  checkpoint.best = take(content, "best.");
  checkpoint.network.description = checkpoint.best.description = description;
  return checkpoint;
}

}  // namespace

void save_checkpoint(const std::string& file, const Checkpoint& checkpoint) {
  Json epochs = Json::array();
  for (const EpochReport& epoch : checkpoint.epochs) epochs.push_back(to_json(epoch));
  const Schedule::State& schedule = checkpoint.schedule;
  Weights content;
  content.description = Json{{"format", kFormat},
                             {"layout", checkpoint.layout},
                             {"run", checkpoint.run},
                             {"epochs", epochs},
                             {"best_epoch", checkpoint.best_epoch},
                             {"best_validation", checkpoint.best_validation},
                             {"schedule",
                              {{"best", schedule.best},
                               {"stagnant", schedule.stagnant},
                               {"since_fall", schedule.since_fall},
                               {"plateau", schedule.plateau}}},
                             {"description", checkpoint.network.description}}
                            .dump();
  torch::Tensor bytes = torch::empty({static_cast<std::int64_t>(checkpoint.optimizer.size())}, torch::kByte);
  std::memcpy(bytes.data_ptr<std::uint8_t>(), checkpoint.optimizer.data(), checkpoint.optimizer.size());
  content.tensors[kOptimizer] = bytes;
  put(content, "network.", checkpoint.network);
  put(content, "average.", checkpoint.average);
  put(content, "best.", checkpoint.best);
  // By a second name, so that there is a whole checkpoint by the first one at every moment.
  std::error_code failure;
  std::filesystem::create_hard_link(file, second_name(file), failure);
  // No such links here, or nothing to keep.
  std::filesystem::rename(failure ? file : second_name(file), previous(file), failure);
  std::filesystem::remove(second_name(file), failure);  // stays where both are one file, of a run that was killed here
  save_weights(file, content);
}

std::optional<Checkpoint> load_checkpoint(const std::string& file, const std::string& run, const std::string& layout,
                                          const CheckpointCheck& check) {
  for (const std::string& candidate : {file, previous(file)}) {
    std::error_code error;
    if (!std::filesystem::exists(std::filesystem::symlink_status(candidate, error))) continue;
    try {
      Checkpoint checkpoint = read(candidate);
      if (checkpoint.run == run) {
        if (checkpoint.layout != layout) throw OtherVersion(candidate, "another layout of the optimizer's state");
        if (check) check(checkpoint, candidate);
        return checkpoint;
      }
      spdlog::info("{}: of another recipe, data set, seed or initial weights; training starts anew", candidate);
      return std::nullopt;
    } catch (const OtherVersion&) {
      throw;
    } catch (const InputError& unusable) {
      spdlog::warn("{}; not used", unusable.what());
      std::error_code failure;  // the next one must not take the place of one that is good
      std::filesystem::rename(candidate, damaged(file), failure);
    }
  }
  return std::nullopt;
}

void remove_checkpoint(const std::string& file) {
  std::error_code missing;
  std::filesystem::remove(file, missing);
  std::filesystem::remove(previous(file), missing);
  std::filesystem::remove(second_name(file), missing);
  std::filesystem::remove(damaged(file), missing);
}

}  // namespace hyperfd
