#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <soci/soci.h>

#include "tuner/base/error.h"
#include "tuner/platform/sqlite_store.h"
#include "tuner/platform/store_lock.h"

namespace hyperfd {

// The file behind a store: opened and locked, checked, brought to this program's schema. Every failure is a StoreError
// that names the file.
class SqliteFile {
 public:
  SqliteFile(const std::string& file, StoreAccess access);

  soci::session& session() { return sql_; }
  void begin(Durability durability);
  void commit();
  void rollback() noexcept;

  // Whatever SOCI throws becomes a StoreError that names the file.
  template <typename Work>
  auto guarded(Work&& work) -> decltype(work()) {
    try {
      return work();
    } catch (const soci::soci_error& error) {
      throw StoreError(file_ + ": " + first_line(error.what()));
    } catch (const StoreError& error) {
      const std::string message = error.what();
      throw StoreError(message.compare(0, file_.size(), file_) == 0 ? message : file_ + ": " + message);
    }
  }

 private:
  // SOCI's message repeats the statement with its values, which for us can be megabytes.
  static std::string first_line(const char* message);

  void prepare(StoreAccess access);
  void check_kind(StoreAccess access);
  void migrate(int version);
  void check_pages();

  std::string file_;
  std::unique_ptr<StoreLock> lock_;
  soci::session sql_;
  Durability durability_ = Durability::kMachine;  // that the session is set to
};

// A column that may be NULL, in the shape that SOCI binds.
struct NullableId {
  NullableId() = default;
  explicit NullableId(const std::optional<std::int64_t>& id)
      : value(id.value_or(0)), indicator(id ? soci::i_ok : soci::i_null) {}
  std::optional<std::int64_t> get() const {
    return indicator == soci::i_ok ? std::optional<std::int64_t>(value) : std::nullopt;
  }
  long long value = 0;
  soci::indicator indicator = soci::i_null;
};

struct NullableReal {
  NullableReal() = default;
  explicit NullableReal(const std::optional<double>& number)
      : value(number.value_or(0)), indicator(number ? soci::i_ok : soci::i_null) {}
  std::optional<double> get() const { return indicator == soci::i_ok ? std::optional<double>(value) : std::nullopt; }
  double value = 0;
  soci::indicator indicator = soci::i_null;
};

std::string bytes_of(soci::blob& blob);

}  // namespace hyperfd
