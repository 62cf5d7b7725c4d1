#pragma once

#include <string>

#include "tuner/platform/experience_store.h"

namespace hyperfd {

class SqliteFile;

// Throws StoreError that names the file unless it is a store that merge() reads: whole, and of today's schema.
void check_bundle(const std::string& file);

// ExperienceStore::merge() for SQLite. No transaction may be open.
MergedExperience merge_store(SqliteFile& store, const std::string& other);

// ExperienceStore::export_to() for SQLite.
void export_store(SqliteFile& store, const std::string& file);

}  // namespace hyperfd
