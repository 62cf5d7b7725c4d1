#include "tuner/platform/sqlite_file.h"

#include <cstring>
#include <filesystem>
#include <fstream>

#include <soci/sqlite3/soci-sqlite3.h>

#include "tuner/platform/store_schema.h"

namespace hyperfd {
namespace {

constexpr char kInMemory[] = ":memory:";

}  // namespace

SqliteFile::SqliteFile(const std::string& file, StoreAccess access) : file_(file) {
  guarded([&] {
    if (file != kInMemory) prepare(access);
    sql_.open(soci::sqlite3, "db=\"" + file + "\"");
    sql_ << "PRAGMA busy_timeout = 10000";
    if (access == StoreAccess::kReadOnly) sql_ << "PRAGMA query_only = ON";
    check_kind(access);
    check_pages();
    if (access == StoreAccess::kReadOnly) return;
    std::string mode;
    sql_ << "PRAGMA journal_mode = WAL", soci::into(mode);
    if (mode != "wal" && file != kInMemory) throw StoreError("write-ahead log not available, journal mode is " + mode);
    sql_ << "PRAGMA synchronous = FULL";
    sql_ << "PRAGMA foreign_keys = ON";
  });
}

void SqliteFile::begin(Durability durability) {
  guarded([&] {
    if (durability != durability_) {
      sql_ << (durability == Durability::kMachine ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
      durability_ = durability;
    }
    sql_ << "BEGIN IMMEDIATE";
  });
}

void SqliteFile::commit() {
  guarded([&] { sql_ << "COMMIT"; });
}

void SqliteFile::rollback() noexcept {
  try {
    sql_ << "ROLLBACK";
  } catch (const std::exception&) {
    // SQLite has already rolled back by itself, as it does after a failed write.
  }
}

std::string SqliteFile::first_line(const char* message) {
  std::string text = message;
  if (text.compare(0, 8, "sqlite3_") == 0) text.erase(0, text.find(": ") + 2);  // the function that failed
  text.resize(std::min({text.size(), text.find(" while "), text.find('\n'), std::size_t{200}}));
  return text;
}

void SqliteFile::prepare(StoreAccess access) {
  const std::filesystem::path path(file_);
  std::error_code failure;
  if (access == StoreAccess::kReadOnly) {
    if (!std::filesystem::exists(path, failure)) throw StoreError("does not exist");
  } else if (path.has_parent_path()) {
    std::filesystem::create_directories(path.parent_path(), failure);
    if (failure) throw StoreError("its folder cannot be created: " + failure.message());
  }
  if (std::filesystem::is_directory(path, failure)) throw StoreError("is a folder, expected a file");
  if (file_.find('"') != std::string::npos) throw StoreError("a store's path must not contain a double quote");
  if (access == StoreAccess::kReadWrite) lock_ = std::make_unique<StoreLock>(file_);
}

void SqliteFile::check_kind(StoreAccess access) {
  int application = 0, version = 0, objects = 0;
  sql_ << "PRAGMA application_id", soci::into(application);
  sql_ << "PRAGMA user_version", soci::into(version);
  sql_ << "SELECT count(*) FROM sqlite_master", soci::into(objects);
  const bool is_ours = application == kStoreApplicationId;
  if (is_ours && version > 0 && version <= kStoreSchemaVersion) {
    // What is read without writing is in every version.
    if (access == StoreAccess::kReadWrite) migrate(version);
    return;
  }
  if (is_ours) {
    throw StoreError("schema version " + std::to_string(version) + ", this program reads versions up to " +
                     std::to_string(kStoreSchemaVersion));
  }
  if (objects > 0 || access == StoreAccess::kReadOnly)
    throw StoreError("a SQLite database, but not an experience store");
  soci::transaction all(sql_);
  for (const std::string& statement : store_schema()) sql_ << statement;
  sql_ << "PRAGMA user_version = " + std::to_string(kStoreSchemaVersion);
  sql_ << "PRAGMA application_id = " + std::to_string(kStoreApplicationId);
  all.commit();
}

void SqliteFile::migrate(int version) {
  if (version == kStoreSchemaVersion) return;
  soci::transaction all(sql_);
  for (; version < kStoreSchemaVersion; ++version) {
    for (const std::string& statement : store_migration(version)) sql_ << statement;
  }
  sql_ << "PRAGMA user_version = " + std::to_string(kStoreSchemaVersion);
  all.commit();
}

void SqliteFile::check_pages() {
  std::string verdict;
  sql_ << "PRAGMA quick_check(1)", soci::into(verdict);
  if (verdict != "ok") throw StoreError("damaged: " + first_line(verdict.c_str()));
}

bool is_store(const std::string& file) {
  // https://www.sqlite.org/fileformat.html: 16 bytes of magic; at 68 the application id, big-endian.
  char header[72] = {};
  std::ifstream(file, std::ios::binary).read(header, sizeof header);
  std::uint32_t application = 0;
  for (int i = 68; i < 72; ++i) application = application << 8 | static_cast<unsigned char>(header[i]);
  return std::memcmp(header, "SQLite format 3", 16) == 0 && application == kStoreApplicationId;
}

std::string bytes_of(soci::blob& blob) {
  std::string bytes(blob.get_len(), '\0');
  if (!bytes.empty()) blob.read(0, bytes.data(), bytes.size());
  return bytes;
}

}  // namespace hyperfd
