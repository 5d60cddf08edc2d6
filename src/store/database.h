// SQLite's C interface with owners: a connection, a prepared statement, and errors with their
// mends. One thread at a time.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "dagsync/base/result.h"

namespace dagsync {

// A prepared statement, which is bound and run again and again.
class Statement {
 public:
  explicit Statement(sqlite3_stmt* prepared) : prepared_(prepared) {}

  void restart();            // no row, nothing bound
  [[nodiscard]] int step();  // SQLITE_ROW, SQLITE_DONE or an error
  [[nodiscard]] sqlite3_stmt* get() const { return prepared_.get(); }

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* prepared) const { sqlite3_finalize(prepared); }
  };
  std::unique_ptr<sqlite3_stmt, Finalize> prepared_;
};

class Database {
 public:
  // Opens the existing `file`, no other process's being (kUnavailable).
  [[nodiscard]] static Result<Database> open(const std::string& file);
  Database(Database&&) = default;
  Database& operator=(Database&&) = delete;  // the order of the members matters at the end
  ~Database() = default;

  // Runs statements that return nothing, or whose rows do not matter.
  [[nodiscard]] Status run(const char* sql);
  // The first column of the first row.
  [[nodiscard]] Result<std::int64_t> integer(const char* sql);
  [[nodiscard]] Result<std::string> text(const char* sql);
  // Prepares once and keeps it; `sql` is a constant, known by its address. Valid as long as this.
  [[nodiscard]] Result<Statement*> prepared(const char* sql);

  // The same of one that returns nothing, prepared: for what is run again and again.
  [[nodiscard]] Status run_prepared(const char* sql);

  // Runs a bound statement to its end.
  [[nodiscard]] Status finish(Statement& statement);
  // Rows that the last INSERT, UPDATE or DELETE changed.
  [[nodiscard]] int changes() const { return sqlite3_changes(handle_.get()); }
  // The next row of a bound statement; false after the last one.
  [[nodiscard]] Result<bool> next(Statement& statement);

  [[nodiscard]] bool in_transaction() const { return sqlite3_get_autocommit(handle_.get()) == 0; }
  // A failed sync: the system may have dropped what was written before, and will not say so again.
  [[nodiscard]] bool lost_a_sync() const { return lost_a_sync_; }
  // Closes without a checkpoint, so that the files stay as they are.
  void abandon();
  // Writes zeroes behind what the write-ahead log has, until that is about as long as `bytes`; the
  // next sync takes them along. Later ones find their place allocated, and wait for the file
  // system's own journal no more: on ext4 they take half the time. Without room for all, nothing is
  // taken.
  void reserve_log(std::int64_t bytes);
  // Gives the memory back that a large read or write took.
  void trim() { sqlite3_db_release_memory(handle_.get()); }

 private:
  struct Close {
    void operator()(sqlite3* handle) const { sqlite3_close(handle); }
  };
  Database(std::string file, sqlite3* handle) : file_(std::move(file)), handle_(handle) {}
  Unexpected failure(int code);

  std::string file_;
  std::unique_ptr<sqlite3, Close> handle_;
  std::unordered_map<const char*, Statement> statements_;  // finalized before the handle closes
  bool lost_a_sync_ = false;
};

}  // namespace dagsync
