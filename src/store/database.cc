#include "store/database.h"

#include <array>
#include <cstddef>
#include <utility>

#include "dagsync/base/rel_path.h"

namespace dagsync {
namespace {

// For the end of another daemon that is just stopping, or of an admin's query.
constexpr int kBusyWaitMs = 1000;
constexpr int kOldestLibrary = 3037000;  // the first with STRICT tables

// What SQLite calls it, in our terms; the failed system call says more where there was one.
ErrorCode error_code(int code, int system_error) {
  switch (code & 0xFF) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_ERROR:  // our statements are constant: it is the tables that are not as they were
      return ErrorCode::kCorrupt;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_NOMEM:
      return ErrorCode::kUnavailable;
    case SQLITE_FULL:
      return ErrorCode::kNoSpace;
    case SQLITE_PERM:
    case SQLITE_READONLY:
      return ErrorCode::kPermission;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
      if (code == SQLITE_IOERR_CORRUPTFS) return ErrorCode::kCorrupt;
      return system_error == 0 ? ErrorCode::kIo : error_code_of(system_error);
    default:
      return ErrorCode::kIo;
  }
}

const char* mend(int code, ErrorCode kind) {
  if ((code & 0xFF) == SQLITE_BUSY)
    return ": another process has it open: stop the other dagsync daemon, or the sqlite3 shell";
  switch (kind) {
    case ErrorCode::kNoSpace:
      return ": free some space on the file system of state_dir";
    case ErrorCode::kPermission:
      return ": make it readable and writable for the user that dagsync runs as";
    case ErrorCode::kIo:
      return ": see the kernel's log for what is wrong with the disk of state_dir";
    default:
      return "";
  }
}

}  // namespace

void Statement::restart() {
  sqlite3_reset(prepared_.get());
  sqlite3_clear_bindings(prepared_.get());
}

int Statement::step() {
  return sqlite3_step(prepared_.get());
}

Result<Database> Database::open(const std::string& file) {
  if (sqlite3_libversion_number() < kOldestLibrary)
    return fail(ErrorCode::kUnsupported, std::string("SQLite ") + sqlite3_libversion() +
                                             " is too old: dagsync needs 3.37 or later");
  sqlite3* handle = nullptr;
  // Without a mutex of its own: the store is called from one lane.
  const int code =
      sqlite3_open_v2(file.c_str(), &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  Database database(file, handle);
  if (code != SQLITE_OK) return database.failure(code);
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, kBusyWaitMs);
  return database;
}

Status Database::run(const char* sql) {
  const int code = sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return failure(code);
  return {};
}

Result<std::int64_t> Database::integer(const char* sql) {
  const auto value = text(sql);
  if (!value) return tl::unexpected(value.error());
  return std::strtoll(value->c_str(), nullptr, 10);
}

Result<std::string> Database::text(const char* sql) {
  sqlite3_stmt* raw = nullptr;
  const int code = sqlite3_prepare_v2(handle_.get(), sql, -1, &raw, nullptr);
  Statement statement(raw);
  if (code != SQLITE_OK) return failure(code);
  const auto row = next(statement);
  if (!row) return tl::unexpected(row.error());
  const auto* bytes = *row ? sqlite3_column_text(raw, 0) : nullptr;
  return bytes == nullptr ? std::string() : std::string(reinterpret_cast<const char*>(bytes));
}

Result<Statement*> Database::prepared(const char* sql) {
  auto known = statements_.find(sql);
  if (known == statements_.end()) {
    sqlite3_stmt* raw = nullptr;
    const int code =
        sqlite3_prepare_v3(handle_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
    if (code != SQLITE_OK) return failure(code);
    known = statements_.emplace(sql, Statement(raw)).first;
  }
  known->second.restart();
  return &known->second;
}

Status Database::run_prepared(const char* sql) {
  const auto statement = prepared(sql);
  return statement ? finish(**statement) : tl::unexpected(statement.error());
}

Status Database::finish(Statement& statement) {
  const auto row = next(statement);
  statement.restart();
  if (!row) return tl::unexpected(row.error());
  return {};
}

Result<bool> Database::next(Statement& statement) {
  const int code = statement.step();
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return failure(code);
}

void Database::reserve_log(std::int64_t bytes) {
  static constexpr std::array<std::byte, 64 << 10> kZeroes{};
  sqlite3_file* log = nullptr;
  sqlite3_int64 begin = 0;
  if (sqlite3_file_control(handle_.get(), "main", SQLITE_FCNTL_JOURNAL_POINTER, &log) !=
          SQLITE_OK ||
      log == nullptr || log->pMethods == nullptr ||
      log->pMethods->xFileSize(log, &begin) != SQLITE_OK)
    return;
  // A frame of zeroes has no page and not the salt of this round of the log, so reading ends there.
  for (sqlite3_int64 end = begin; end < bytes; end += kZeroes.size()) {
    if (log->pMethods->xWrite(log, kZeroes.data(), kZeroes.size(), end) == SQLITE_OK) continue;
    static_cast<void>(log->pMethods->xTruncate(log, begin));
    return;
  }
}

void Database::abandon() {
  sqlite3_db_config(handle_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  statements_.clear();
  handle_.reset();
}

Unexpected Database::failure(int code) {
  if (code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC) lost_a_sync_ = true;
  const int system_error = handle_ == nullptr ? 0 : sqlite3_system_errno(handle_.get());
  const ErrorCode kind = error_code(code, system_error);
  const char* what = handle_ == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(handle_.get());
  return fail(kind, "index " + escape_bytes(file_) + ": " + escape_bytes(what) + mend(code, kind));
}

}  // namespace dagsync
