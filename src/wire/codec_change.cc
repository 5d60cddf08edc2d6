// Changes and the records in them.
#include "wire/decoder.h"
#include "wire/encoder.h"

namespace dagsync {
namespace {

constexpr std::uint32_t kModeBits = 07777;
constexpr std::size_t kMaxTargetBytes = kMaxPathBytes;  // symlink(2) takes no more

bool has_mode(Kind kind) {
  return kind == Kind::kDirectory || kind == Kind::kFile;
}
bool has_mtime(Kind kind) {
  return kind == Kind::kFile || kind == Kind::kSymlink;
}

// Whether every field that its kind does not have is zero: equal contents must be equal records.
template <typename Row>
bool has_only_its_fields(const Row& in, Kind kind) {
  const bool has_bytes = kind == Kind::kFile;
  const bool has_target = kind == Kind::kSymlink;
  return (has_mode(kind) || in.mode() == 0) && (has_mtime(kind) || in.mtime() == 0) &&
         (has_bytes || (in.size() == 0 && in.digest().empty())) &&
         (has_target || in.target().empty()) && (kind != Kind::kTombstone || in.owner().empty());
}

bool is_target(std::string_view target) {
  return !target.empty() && target.size() <= kMaxTargetBytes &&
         target.find('\0') == std::string_view::npos;
}

}  // namespace

std::string encode_digest(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.bytes.data()), digest.bytes.size()};
}

void encode_change(const Change& change, AuthorWriter& authors, pb::Change& out) {
  const Record& record = change.record;
  out.set_path(change.path.bytes());
  out.set_author(authors.index_of(change.id.author));
  out.set_sequence(change.id.sequence);
  encode_content(record.content, out);
  out.set_stamp(record.stamp.value);
  if (record.origin != change.id) {
    out.set_origin_author(authors.index_of(record.origin.author));
    out.set_origin_sequence(record.origin.sequence);
  }
  encode_vector(record.seen, authors, *out.mutable_seen());
  if (record.version != record.seen) encode_vector(record.version, authors, *out.mutable_version());
}

template <typename Row>
Content Decoder::content(Row& in) {
  Content content;
  if (in.kind() > static_cast<std::uint32_t>(Kind::kSymlink)) {
    refuse("unknown kind of a record");
    return content;
  }
  content.kind = static_cast<Kind>(in.kind());
  if (!has_only_its_fields(in, content.kind)) refuse("a field that a record's kind does not have");
  if (in.mode() > kModeBits) refuse("mode bits beyond 07777");
  if (content.kind == Kind::kSymlink && !is_target(in.target())) refuse("no target of a symlink");
  if (!in.owner().empty() && !is_owner(in.owner())) refuse("no owner, \"user:group\", of a record");
  if (content.kind == Kind::kFile) content.digest = digest(in.digest());
  content.mode = in.mode();
  content.size = file_size(in.size());
  content.mtime = time(in.mtime());
  content.target = std::move(*in.mutable_target());
  content.owner = std::move(*in.mutable_owner());
  return content;
}

VerifyPage::Row Decoder::verify_row(pb::VerifyPage::Row& in) {
  VerifyPage::Row row;
  row.path = path(in.path());
  row.content = content(in);
  row.problem = text(*in.mutable_problem());
  row.unsettled = in.unsettled();
  return row;
}

Change Decoder::change(pb::Change& in) {
  Change change;
  change.path = path(in.path());
  change.id = change_id(in.author(), in.sequence());
  Record& record = change.record;
  record.content = content(in);
  record.stamp = time(in.stamp());
  record.origin =
      in.origin_sequence() == 0 ? change.id : change_id(in.origin_author(), in.origin_sequence());
  record.seen = vector(in.seen());
  record.version = in.has_version() ? vector(in.version()) : record.seen;
  if (record.seen.at(record.origin.author) < record.origin.sequence)
    refuse("a record that has not seen its origin");
  if (in.has_version() && !record.version.has_seen(record.seen))
    refuse("a version without what it was made of");
  return change;
}

std::size_t encoded_bound(const Change& change) {
  // An entry takes at most 5 bytes of index and 10 of sequence; an author's row 16 and its name;
  // all the rest, that is tags, lengths and single numbers, less than kFixed.
  constexpr std::size_t kFixed = 256;
  constexpr std::size_t kEntry = 15;
  constexpr std::size_t kAuthor = 16;
  const Record& record = change.record;
  std::size_t bytes = kFixed + change.path.bytes().size() + record.content.target->size() +
                      record.content.owner->size();
  const auto add_author = [&](const AuthorId& author) {
    bytes += kAuthor + author.node().value.size();
  };
  add_author(change.id.author);
  add_author(record.origin.author);
  for (const VersionVector* vector : {&record.seen, &record.version})
    for (const auto& [author, sequence] : vector->entries()) {
      add_author(author);
      bytes += kEntry;
    }
  return bytes;
}

std::size_t encoded_bound(const Announce::Item& item) {
  std::size_t bytes = encoded_bound(item.change);
  if (const auto* whole = std::get_if<Announce::Whole>(&item.content)) bytes += whole->bytes.size();
  if (const auto* delta = std::get_if<Announce::Delta>(&item.content)) bytes += delta->bytes.size();
  return bytes;
}

}  // namespace dagsync
