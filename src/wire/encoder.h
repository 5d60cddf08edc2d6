// The parts of messages, written for protobuf.
#pragma once

#include <string>

#include "dagsync/core/messages.h"
#include "wire/authors.h"

namespace dagsync {

[[nodiscard]] std::string encode_digest(const Digest& digest);
// The fields of a content stand under the same names in every message that has one.
template <typename Row>
void encode_content(const Content& content, Row& out) {
  out.set_kind(static_cast<std::uint32_t>(content.kind));
  out.set_mode(content.mode);
  out.set_size(content.size);
  if (content.kind == Kind::kFile) out.set_digest(encode_digest(content.digest));
  out.set_mtime(content.mtime.value);
  out.set_target(*content.target);
  out.set_owner(*content.owner);
}

void encode_change(const Change& change, AuthorWriter& authors, pb::Change& out);
void encode_vector(const VersionVector& vector, AuthorWriter& authors, pb::Vector& out);
void encode_knowledge(const Knowledge& knowledge, AuthorWriter& authors, pb::Knowledge& out);

}  // namespace dagsync
