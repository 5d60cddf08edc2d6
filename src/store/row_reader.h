// Reads a row, one column after the other. What cannot be what RowWriter wrote makes the row
// unsound, and its values mean nothing. Valid until the statement goes on. One thread at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "dagsync/base/pool.h"
#include "dagsync/core/knowledge.h"
#include "dagsync/ports/store.h"
#include "store/database.h"

namespace dagsync {

class Authors;
using OwnerPool = Pool<Shared<std::string>>;

class RowReader {
 public:
  // With `owners`, equal owners of several rows share.
  RowReader(const Statement& statement, const Authors& authors, OwnerPool* owners = nullptr)
      : row_(statement.get()), authors_(authors), owners_(owners) {}

  [[nodiscard]] bool is_sound() const { return sound_; }

  std::int64_t integer();
  std::uint64_t natural() { return static_cast<std::uint64_t>(integer()); }
  std::uint32_t natural32();
  bool flag();
  std::uint64_t hex64();
  std::string text() { return std::string(text_view()); }
  std::string blob();
  std::string optional_blob();  // "" of NULL
  RelPath path();
  AuthorId author();
  VersionVector vector();
  Knowledge knowledge();

  Content content();
  IndexEntry entry();
  KeptVersion kept();

 private:
  std::optional<DiskState> disk();
  Shared<std::string> owner();
  std::uint32_t number_of_owner();
  ChangeId change_id();
  std::string_view text_view();
  [[nodiscard]] bool take_null();  // over the column where it is NULL
  bool demand(bool condition);
  template <typename Names>
  auto word(const Names& names);

  sqlite3_stmt* row_;
  const Authors& authors_;
  OwnerPool* owners_;
  int column_ = 0;
  bool sound_ = true;
};

}  // namespace dagsync
