// Version vectors: which changes of which authors a version of a path has seen.
#pragma once

#include <compare>
#include <cstddef>
#include <utility>
#include <vector>

#include "dagsync/core/names.h"

namespace dagsync {

// How two versions stand to each other.
enum class Causality { kEqual, kBefore, kAfter, kConcurrent };

class VersionVector {
 public:
  using Entry = std::pair<AuthorId, Sequence>;

  [[nodiscard]] Sequence at(const AuthorId& author) const;        // 0: has seen nothing of it
  void raise(const AuthorId& author, Sequence sequence);          // to at least this
  void join(const VersionVector& other);                          // to the least that has seen both
  [[nodiscard]] bool has_seen(const VersionVector& other) const;  // other <= this
  [[nodiscard]] Causality compare(const VersionVector& other) const;

  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }  // by author
  [[nodiscard]] bool empty() const { return entries_.empty(); }
  bool operator==(const VersionVector&) const = default;

 private:
  std::vector<Entry> entries_;  // sorted by author, no zero
};

}  // namespace dagsync
