// The authors of one message: they stand in it once, and everything else names them by index.
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "dagsync/base/result.h"
#include "dagsync/core/names.h"
#include "wire.pb.h"

namespace dagsync {

[[nodiscard]] Unexpected malformed(std::string_view what);

// While encoding: hands out indexes in the order of first mention, and writes the table.
class AuthorWriter {
 public:
  explicit AuthorWriter(pb::Envelope& envelope) : envelope_(envelope) {}
  [[nodiscard]] std::uint32_t index_of(const AuthorId& author);

 private:
  struct Hash {
    // An epoch is a random number.
    std::size_t operator()(const AuthorId& author) const { return author.epoch().value; }
  };
  pb::Envelope& envelope_;
  std::unordered_map<AuthorId, std::uint32_t, Hash> indexes_;
};

// While decoding: the table of a message, checked, and the order of its authors, so that vectors
// can be checked for order without comparing names again and again.
class AuthorTable {
 public:
  [[nodiscard]] static Result<AuthorTable> parse(const pb::Envelope& envelope);
  [[nodiscard]] bool has(std::uint32_t index) const { return index < authors_.size(); }
  [[nodiscard]] const AuthorId& at(std::uint32_t index) const { return authors_[index]; }
  // Position among all authors of the message, sorted.
  [[nodiscard]] std::uint32_t rank(std::uint32_t index) const { return ranks_[index]; }

 private:
  std::vector<AuthorId> authors_;
  std::vector<std::uint32_t> ranks_;
};

}  // namespace dagsync
