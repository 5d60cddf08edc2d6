#include "store/row_reader.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "store/authors.h"
#include "store/row_names.h"
#include "store/vector_text.h"

namespace dagsync {

template <typename Names>
auto RowReader::word(const Names& names) {
  const auto value = value_of(names, text_view());
  demand(value.has_value());
  return value.value_or(names.front().value);
}

std::int64_t RowReader::integer() {
  const int column = column_++;
  if (!demand(sqlite3_column_type(row_, column) == SQLITE_INTEGER)) return 0;
  return sqlite3_column_int64(row_, column);
}

std::uint32_t RowReader::natural32() {
  const std::int64_t value = integer();
  demand(value >= 0 && value <= std::numeric_limits<std::uint32_t>::max());
  return static_cast<std::uint32_t>(value);
}

bool RowReader::flag() {
  const std::int64_t value = integer();
  demand(value == 0 || value == 1);
  return value == 1;
}

std::uint64_t RowReader::hex64() {
  const std::string_view digits = text_view();
  std::uint64_t value = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  demand(digits.size() == 16 && error == std::errc() && end == digits.data() + digits.size());
  return value;
}

std::string_view RowReader::text_view() {
  const int column = column_++;
  if (!demand(sqlite3_column_type(row_, column) == SQLITE_TEXT)) return {};
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(row_, column));
  if (!demand(bytes != nullptr)) return {};
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(row_, column))};
}

std::string RowReader::blob() {
  const int column = column_++;
  if (!demand(sqlite3_column_type(row_, column) == SQLITE_BLOB)) return {};
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(row_, column));
  if (bytes == nullptr) return {};  // what SQLite says of an empty one
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(row_, column))};
}

std::string RowReader::optional_blob() {
  return take_null() ? std::string() : blob();
}

RelPath RowReader::path() {
  const std::string bytes = blob();
  if (bytes.empty()) return RelPath();
  Result<RelPath> parsed = RelPath::parse(bytes);
  return demand(parsed.has_value()) ? std::move(*parsed) : RelPath();
}

AuthorId RowReader::author() {
  if (take_null()) return {};
  const AuthorId* author = authors_.find(integer());
  return demand(author != nullptr) ? *author : AuthorId{};
}

VersionVector RowReader::vector() {
  auto vector = vector_from_text(text_view(), authors_);
  return demand(vector.has_value()) ? std::move(*vector) : VersionVector();
}

Knowledge RowReader::knowledge() {
  auto knowledge = knowledge_from_text(text_view(), authors_);
  return demand(knowledge.has_value()) ? std::move(*knowledge) : Knowledge();
}

ChangeId RowReader::change_id() {
  ChangeId id;
  id.author = author();
  id.sequence = natural();
  return id;
}

Content RowReader::content() {
  Content content;
  content.kind = word(kKindNames);
  content.mode = natural32();
  content.size = natural();
  const std::string digest = optional_blob();
  demand(digest.empty() || digest.size() == content.digest.bytes.size());
  if (sound_) std::copy(digest.begin(), digest.end(), content.digest.bytes.begin());
  content.mtime.value = integer();
  content.target = optional_blob();
  return content;
}

// A table of an older schema, as salvage reads it, has no such column.
Shared<std::string> RowReader::owner() {
  if (column_ >= sqlite3_column_count(row_)) return {};
  Shared<std::string> owner = optional_blob();
  demand(owner->empty() || is_owner(*owner));
  if (owners_ != nullptr) owners_->share(owner);
  return owner;
}

std::uint32_t RowReader::number_of_owner() {
  return take_null() ? kNobody : natural32();
}

IndexEntry RowReader::entry() {
  IndexEntry entry;
  Record& record = entry.record;
  record.content = content();
  record.stamp.value = integer();
  record.origin = change_id();
  const bool seen_all = take_null();
  if (!seen_all) record.seen = vector();
  record.version = vector();
  if (seen_all) record.seen = record.version;
  entry.id = change_id();
  entry.disk = disk();
  record.content.owner = owner();
  const std::uint32_t user = number_of_owner();
  const std::uint32_t group = number_of_owner();
  if (!entry.disk) return entry;
  entry.disk->user = user;
  entry.disk->group = group;
  return entry;
}

std::optional<DiskState> RowReader::disk() {
  const int after = column_ + kDiskColumns;
  if (take_null()) {
    column_ = after;
    return std::nullopt;
  }
  DiskState disk;
  disk.type = word(kFileTypeNames);
  disk.device = natural();
  disk.inode = natural();
  disk.size = natural();
  disk.mtime.value = integer();
  disk.ctime.value = integer();
  const std::uint32_t mode = natural32();
  demand(mode <= std::numeric_limits<std::uint16_t>::max());
  disk.mode = static_cast<std::uint16_t>(mode);
  disk.links = natural32();
  disk.racy = flag();
  return disk;
}

KeptVersion RowReader::kept() {
  KeptVersion version;
  version.id.value = text();
  demand(is_kept_id(version.id.value));
  version.path = path();
  version.content = content();
  version.origin.value = text();
  version.kept_at.value = integer();
  version.reason = word(kReasonNames);
  version.content.owner = owner();
  return version;
}

bool RowReader::take_null() {
  if (sqlite3_column_type(row_, column_) != SQLITE_NULL) return false;
  ++column_;
  return true;
}

bool RowReader::demand(bool condition) {
  sound_ = sound_ && condition;
  return condition;
}

}  // namespace dagsync
