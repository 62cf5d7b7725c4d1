#pragma once

#include <string>
#include <vector>

namespace hyperfd {

// "HFD1" in SQLite's header field for the kind of application, so that a foreign database is recognised.
inline constexpr int kStoreApplicationId = 0x48464431;
inline constexpr int kStoreSchemaVersion = 3;

// The statements that make an empty store of kStoreSchemaVersion. docs/store.md explains the tables.
const std::vector<std::string>& store_schema();

// The statements that bring a store of this earlier version to the next one.
const std::vector<std::string>& store_migration(int from_version);

}  // namespace hyperfd
