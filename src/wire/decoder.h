// Takes the parts of a message out of what protobuf parsed, and trusts nothing but protobuf's
// types. The first thing that is wrong is remembered, and what was asked for comes back empty: so a
// decoder reads like a list of fields, and whoever holds it asks once, at the end, whether all was
// well.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "dagsync/core/messages.h"
#include "dagsync/wire/codec.h"
#include "wire/authors.h"

namespace dagsync {

class Decoder {
 public:
  explicit Decoder(AuthorTable authors) : authors_(std::move(authors)) {}
  [[nodiscard]] bool ok() const { return !error_; }
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }
  void refuse(Error error);
  void refuse(std::string_view what) { refuse(malformed(what).value()); }
  // A number of rows or bytes that has a limit.
  bool fits(std::size_t count, std::size_t limit, std::string_view what);

  [[nodiscard]] AuthorId author(std::uint32_t index);
  [[nodiscard]] Sequence sequence(std::uint64_t number);  // 0 is fine
  [[nodiscard]] UnixNanos time(std::int64_t nanoseconds);
  [[nodiscard]] ChangeId change_id(std::uint32_t author_index, Sequence sequence_number);
  [[nodiscard]] NodeName node(const std::string& name);
  [[nodiscard]] RelPath path(const std::string& bytes);
  [[nodiscard]] RelPath path_or_root(const std::string& bytes);
  [[nodiscard]] Digest digest(const std::string& bytes);
  [[nodiscard]] std::uint64_t file_size(std::uint64_t size);
  [[nodiscard]] std::string folder(std::string& name);  // takes the string, as the following do
  [[nodiscard]] std::string text(std::string& bytes);
  [[nodiscard]] Change change(pb::Change& in);
  [[nodiscard]] VerifyPage::Row verify_row(pb::VerifyPage::Row& in);
  [[nodiscard]] VersionVector vector(const pb::Vector& in);
  [[nodiscard]] Knowledge knowledge(const pb::Knowledge& in);

 private:
  template <typename Column>
  bool is_ascending(const Column& column);
  template <typename Row>
  Content content(Row& in);
  void intervals(const pb::Knowledge& in, int row, int& next, Knowledge& out);

  AuthorTable authors_;
  std::size_t vector_entries_left_ = kMaxMessageVectorEntries;
  std::size_t intervals_left_ = kMaxKnowledgeIntervals;
  std::optional<Error> error_;
};

}  // namespace dagsync
