// The Store in SQLite, one database a folder: <directory>/index.db with its write-ahead log beside
// it. While it is open no other process can read or write it. It takes less than 1 MiB of memory,
// whatever the size of the index.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "dagsync/ports/store.h"
#include "store/authors.h"
#include "store/database.h"

namespace dagsync {

class SqliteStore final : public Store {
 public:
  // Makes the directory (0700) and the index where they are missing; a corrupt one is set aside.
  // kPermission: somebody else's; kUnavailable: another process has it open; kRefused: written by a
  // newer dagsync, or not by dagsync at all.
  [[nodiscard]] static Result<std::unique_ptr<SqliteStore>> open(std::string directory);
  // Of the index in a directory, with its log; without opening it.
  [[nodiscard]] static std::uint64_t bytes_on_disk(const std::string& directory);

  // Whether the last run came to its end in order (FolderMeta::clean), by what is committed so far.
  [[nodiscard]] bool stopped_cleanly();

  [[nodiscard]] Result<FolderImage> load() override;
  // After kCorrupt, and after a sync that failed, every other commit fails the same way: what the
  // disk holds is not sure any more, and only a new start can find out.
  [[nodiscard]] Status commit(const Transaction& transaction, Durability durability) override;

 private:
  explicit SqliteStore(std::string directory) : directory_(std::move(directory)) {}
  Status connect();
  Status begin_anew(const Error& reason);  // sets the index aside
  Result<FolderImage> read();
  Status write(const Transaction& transaction, Durability durability);
  Status set_durability(Durability durability);

  std::string directory_;
  std::optional<Database> database_;
  std::optional<Authors> authors_;
  std::string set_aside_;
  std::optional<Durability> durability_;  // of the next transaction, as SQLite knows it
  std::optional<Error> broken_;
};

}  // namespace dagsync
