#include "store/row_writer.h"

#include <cstdio>

#include "store/authors.h"
#include "store/row_names.h"
#include "store/vector_text.h"

namespace dagsync {

void RowWriter::null() {
  bound(sqlite3_bind_null(statement_.get(), ++column_));
}

void RowWriter::integer(std::int64_t value) {
  bound(sqlite3_bind_int64(statement_.get(), ++column_, value));
}

void RowWriter::hex64(std::uint64_t value) {
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(value));
  text(digits);
}

void RowWriter::text(std::string_view value) {
  const char* bytes = value.empty() ? "" : value.data();  // a null pointer would bind NULL
  bound(sqlite3_bind_text64(statement_.get(), ++column_, bytes, value.size(), SQLITE_TRANSIENT,
                            SQLITE_UTF8));
}

void RowWriter::blob(std::string_view value) {
  const char* bytes = value.empty() ? "" : value.data();
  bound(sqlite3_bind_blob64(statement_.get(), ++column_, bytes, value.size(), SQLITE_TRANSIENT));
}

void RowWriter::optional_blob(std::string_view value) {
  if (value.empty()) return null();
  blob(value);
}

void RowWriter::author(const AuthorId& author) {
  if (author == AuthorId{}) return null();
  const auto number = authors_.number_of(author);
  if (!number && status_) status_ = tl::unexpected(number.error());
  integer(number.value_or(0));
}

void RowWriter::vector(const VersionVector& vector) {
  set_text(to_text(vector, authors_));
}

void RowWriter::knowledge(const Knowledge& knowledge) {
  set_text(to_text(knowledge, authors_));
}

void RowWriter::content(const Content& content) {
  text(name_of(kKindNames, content.kind));
  integer(content.mode);
  natural(content.size);
  const bool has_digest = content.digest != Digest{};
  optional_blob({reinterpret_cast<const char*>(content.digest.bytes.data()),
                 has_digest ? content.digest.bytes.size() : 0});
  integer(content.mtime.value);
  optional_blob(*content.target);
}

void RowWriter::entry(const Record& record, const ChangeId& id,
                      const std::optional<DiskState>& on_disk) {
  content(record.content);
  integer(record.stamp.value);
  author(record.origin.author);
  natural(record.origin.sequence);
  if (record.seen == record.version) {
    null();
  } else {
    vector(record.seen);
  }
  vector(record.version);
  author(id.author);
  natural(id.sequence);
  // Columns that are left out stay NULL.
  if (on_disk) {
    disk(*on_disk);
  } else {
    column_ += kDiskColumns;
  }
  optional_blob(*record.content.owner);
  if (!on_disk) return;
  number_of_owner(on_disk->user);
  number_of_owner(on_disk->group);
}

void RowWriter::number_of_owner(std::uint32_t number) {
  if (number == kNobody) return null();
  integer(number);
}

void RowWriter::disk(const DiskState& disk) {
  text(name_of(kFileTypeNames, disk.type));
  natural(disk.device);
  natural(disk.inode);
  natural(disk.size);
  integer(disk.mtime.value);
  integer(disk.ctime.value);
  integer(disk.mode);
  integer(disk.links);
  integer(disk.racy ? 1 : 0);
}

void RowWriter::kept(const KeptVersion& version) {
  text(version.id.value);
  path(version.path);
  content(version.content);
  text(version.origin.value);
  integer(version.kept_at.value);
  text(name_of(kReasonNames, version.reason));
  optional_blob(*version.content.owner);
}

Status RowWriter::finish() {
  if (!status_) {
    statement_.restart();
    return status_;
  }
  return database_.finish(statement_);
}

void RowWriter::bound(int code) {
  if (code == SQLITE_OK || !status_) return;
  status_ = fail(code == SQLITE_NOMEM ? ErrorCode::kUnavailable : ErrorCode::kInvalid,
                 std::string("index: ") + sqlite3_errstr(code));
}

void RowWriter::set_text(const Result<std::string>& result) {
  if (!result && status_) status_ = tl::unexpected(result.error());
  text(result ? *result : std::string());
}

}  // namespace dagsync
