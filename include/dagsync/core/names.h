// The names of nodes, authors and changes.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "dagsync/base/shared.h"
#include "dagsync/base/time.h"

namespace dagsync {

// A node as its certificate calls it: a DNS name in lower case.
struct NodeName {
  std::string value;
  auto operator<=>(const NodeName&) const = default;
};

// Whether it can be a node's name: dot-separated labels of 1 to 63 lower-case letters, digits, '-'
// and '_' (which container names have), none that begins or ends with '-', at most 253 bytes, no
// final dot, no wildcard.
[[nodiscard]] bool is_dns_name(std::string_view text);

// One life of a node's index: a number of its own, drawn anew when an index is lost or may have
// gone back. Two epochs of one node are two authors; the greater one came later.
struct Epoch {
  std::uint64_t value = 0;  // 0: none yet
  auto operator<=>(const Epoch&) const = default;
};

// An epoch that is greater than `last`, and than all before that were forgotten, as far as the
// clock is right: the milliseconds since 1970, with some of `random` behind them (as in a ULID or a
// UUID of version 7).
[[nodiscard]] Epoch epoch_after(Epoch last, UnixNanos now, std::uint64_t random);

// A node under one epoch. Every record names several, and all name the same few: copies share one.
class AuthorId {
 public:
  AuthorId() = default;  // nobody
  AuthorId(NodeName node, Epoch epoch) : life_(Life{std::move(node), epoch}) {}

  [[nodiscard]] const NodeName& node() const { return life_->node; }
  [[nodiscard]] Epoch epoch() const { return life_->epoch; }
  [[nodiscard]] bool is_copy_of(const AuthorId& other) const { return &*life_ == &*other.life_; }
  // Whether no copy of it is left elsewhere.
  [[nodiscard]] bool is_alone() const { return life_.is_alone(); }
  auto operator<=>(const AuthorId&) const = default;

 private:
  struct Life {
    NodeName node;
    Epoch epoch;
    auto operator<=>(const Life&) const = default;
  };
  Shared<Life> life_;
};

// An author's own count of its changes, from 1 without gaps.
using Sequence = std::uint64_t;

// Names a change for ever.
struct ChangeId {
  AuthorId author;
  Sequence sequence = 0;
  auto operator<=>(const ChangeId&) const = default;
};

}  // namespace dagsync
