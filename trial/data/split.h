#pragma once

#include <map>
#include <string>

namespace hyperfd {

enum class Split { kTrain, kValidation, kTest };

// "train", "val" or "test", the keys of splits.json.
const char* name_of(Split split);

// The split an image belongs to when no splits.json says otherwise: 6:1:3 by a hash of the file's name (without
// folders).
Split split_of(const std::string& file);

// File name, as annotations.json writes it → split.
using SplitList = std::map<std::string, Split>;

// Reads {"train": [file names], "val": […], "test": […]}. Throws InputError that names the file and the entry:
// an unknown key, something else than a name, a name listed twice.
SplitList read_splits(const std::string& file);

}  // namespace hyperfd
