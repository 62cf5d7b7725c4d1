#pragma once

#include <string>

#include "tuner/platform/experience_store.h"
#include "tuner/platform/sqlite_file.h"

namespace hyperfd {

// ExperienceStore::merge() for SQLite. No transaction may be open.
MergedExperience merge_store(SqliteFile& store, const std::string& other);

// ExperienceStore::export_to() for SQLite.
void export_store(SqliteFile& store, const std::string& file);

}  // namespace hyperfd
