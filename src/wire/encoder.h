// The parts of messages, written for protobuf.
#pragma once

#include <string>

#include "dagsync/core/messages.h"
#include "wire/authors.h"

namespace dagsync {

[[nodiscard]] std::string encode_digest(const Digest& digest);
void encode_change(const Change& change, AuthorWriter& authors, pb::Change& out);
void encode_vector(const VersionVector& vector, AuthorWriter& authors, pb::Vector& out);
void encode_knowledge(const Knowledge& knowledge, AuthorWriter& authors, pb::Knowledge& out);

}  // namespace dagsync
