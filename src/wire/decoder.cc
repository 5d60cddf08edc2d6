#include "wire/decoder.h"

#include <algorithm>

namespace dagsync {
namespace {

constexpr std::uint64_t kMaxFileBytes = std::uint64_t{1} << 62;  // an off_t holds it

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}

}  // namespace

void Decoder::refuse(Error error) {
  if (!error_) error_ = std::move(error);
}

bool Decoder::fits(std::size_t count, std::size_t limit, std::string_view what) {
  if (count > limit) refuse(std::string("too many ") + std::string(what));
  return count <= limit;
}

AuthorId Decoder::author(std::uint32_t index) {
  if (authors_.has(index)) return authors_.at(index);
  refuse("an author that is not in the table");
  return {};
}

Sequence Decoder::sequence(std::uint64_t number) {
  if (number > kMaxSequence) refuse("a sequence that nobody gets to");
  return number;
}

UnixNanos Decoder::time(std::int64_t nanoseconds) {
  const UnixNanos farthest_past{-kFarthestMoment.value};
  const UnixNanos moment{nanoseconds};
  if (moment < farthest_past || moment > kFarthestMoment) refuse("a time that is too far from now");
  return moment;
}

ChangeId Decoder::change_id(std::uint32_t author_index, Sequence sequence_number) {
  if (sequence_number == 0) refuse("a change with sequence 0");
  return {author(author_index), sequence(sequence_number)};
}

NodeName Decoder::node(const std::string& name) {
  if (is_dns_name(name)) return {name};
  refuse("a node's name that is no DNS name");
  return {};
}

RelPath Decoder::path(const std::string& bytes) {
  Result<RelPath> path = RelPath::parse(bytes);
  if (path) return std::move(*path);
  refuse(std::move(path.error()));
  return {};
}

RelPath Decoder::path_or_root(const std::string& bytes) {
  return bytes.empty() ? RelPath() : path(bytes);
}

Digest Decoder::digest(const std::string& bytes) {
  Digest digest;
  if (bytes.size() == digest.bytes.size()) {
    std::copy(bytes.begin(), bytes.end(), digest.bytes.begin());
  } else {
    refuse("a digest that is not 16 bytes long");
  }
  return digest;
}

std::uint64_t Decoder::file_size(std::uint64_t size) {
  if (size > kMaxFileBytes) refuse("a size that no file has");
  return size;
}

std::string Decoder::folder(std::string& name) {
  const bool is_plain = std::none_of(name.begin(), name.end(), is_control);
  if (name.empty() || name.size() > kMaxFolderNameBytes || !is_plain)
    refuse("no name that a folder can have");
  return std::move(name);
}

// For logs and terminals: nothing in it may look like another line, or move the cursor.
std::string Decoder::text(std::string& bytes) {
  fits(bytes.size(), kMaxTextBytes, "bytes of text");
  if (std::none_of(bytes.begin(), bytes.end(), is_control)) return std::move(bytes);
  std::string shown = escape_bytes(bytes);
  shown.resize(std::min(shown.size(), kMaxTextBytes));  // what was taken must be sayable again
  return shown;
}

}  // namespace dagsync
