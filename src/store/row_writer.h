// Binds values to a statement, one column after the other, and runs it. The first error sticks and
// comes out of finish(). One thread at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "dagsync/core/knowledge.h"
#include "dagsync/ports/store.h"
#include "store/database.h"

namespace dagsync {

class Authors;

class RowWriter {
 public:
  RowWriter(Database& database, Statement& statement, Authors& authors)
      : database_(database), statement_(statement), authors_(authors) {}

  void null();
  void integer(std::int64_t value);
  void natural(std::uint64_t value) { integer(static_cast<std::int64_t>(value)); }  // its 64 bits
  void hex64(std::uint64_t value);  // text, 16 digits
  void text(std::string_view value);
  void blob(std::string_view value);
  void optional_blob(std::string_view value);  // NULL where it is empty
  void path(const RelPath& value) { blob(value.bytes()); }
  void author(const AuthorId& author);  // NULL of nobody
  void vector(const VersionVector& vector);
  void knowledge(const Knowledge& knowledge);

  // The groups of columns that tables share (schema.cc).
  void content(const Content& content);
  void entry(const Record& record, const ChangeId& id, const std::optional<DiskState>& disk);
  void kept(const KeptVersion& version);

  [[nodiscard]] Status finish();

 private:
  void disk(const DiskState& disk);
  void number_of_owner(std::uint32_t number);
  void bound(int code);
  void set_text(const Result<std::string>& text);

  Database& database_;
  Statement& statement_;
  Authors& authors_;
  int column_ = 0;
  Status status_;
};

}  // namespace dagsync
