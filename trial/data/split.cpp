#include "trial/data/split.h"

#include <filesystem>

#include "tuner/base/digest.h"
#include "tuner/base/error.h"
#include "tuner/base/json.h"
#include "tuner/base/names.h"

namespace hyperfd {

const char* name_of(Split split) {
  switch (split) {
    case Split::kTrain:
      return "train";
    case Split::kValidation:
      return "val";
    case Split::kTest:
      break;
  }
  return "test";
}

Split split_of(const std::string& file) {
  const std::uint64_t tenth = stable_hash(std::filesystem::path(file).filename().string()) % 10;
  return tenth < 6 ? Split::kTrain : tenth < 7 ? Split::kValidation : Split::kTest;
}

SplitList read_splits(const std::string& file) {
  const Json root = load_json_or_yaml(file);
  if (!root.is_object()) throw InputError(file + ": expected an object with train, val and test, got " + brief(root));
  SplitList splits;
  for (const auto& [key, names] : root.items()) {
    const Split split = key == "train" ? Split::kTrain : key == "val" ? Split::kValidation : Split::kTest;
    if (key != name_of(split)) {
      throw InputError(file + ": " + unknown_name_message("key", key, {"train", "val", "test"}));
    }
    if (!names.is_array()) throw InputError(file + ": " + key + ": expected a list of file names, got " + brief(names));
    for (std::size_t i = 0; i < names.size(); ++i) {
      const std::string place = file + ": " + key + "[" + std::to_string(i) + "]: ";
      if (!names[i].is_string()) throw InputError(place + "expected a file name, got " + brief(names[i]));
      const auto [entry, is_new] = splits.emplace(names[i].get<std::string>(), split);
      if (!is_new) throw InputError(place + brief(names[i]) + " is already in " + name_of(entry->second));
    }
  }
  return splits;
}

}  // namespace hyperfd
