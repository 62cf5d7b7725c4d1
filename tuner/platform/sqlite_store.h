#pragma once

#include <memory>
#include <string>

#include "tuner/platform/experience_store.h"

namespace hyperfd {

enum class StoreAccess {
  kReadWrite,  // one process at a time; makes the file and its folder if they are missing
  kReadOnly,   // any number, also while another process writes; the file must exist
};

// Whether the file says of itself that it is an experience store; false where there is none.
bool is_store(const std::string& file);

// The experience store in one SQLite file, through SOCI. `file` may be ":memory:" (read-write): gone with the object.
// Throws StoreError that names the file: locked by another process, not a store, damaged, of a later schema version.
std::unique_ptr<ExperienceStore> open_store(const std::string& file, StoreAccess access = StoreAccess::kReadWrite);

}  // namespace hyperfd
