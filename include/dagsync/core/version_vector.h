// Version vectors: which changes of which authors a version of a path has seen.
#pragma once

#include <compare>
#include <cstddef>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "dagsync/base/shared.h"
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

  [[nodiscard]] std::span<const Entry> entries() const;  // by author; until the next change
  [[nodiscard]] bool empty() const { return entries().empty(); }
  friend bool operator==(const VersionVector& a, const VersionVector& b);

  // Calls `visit` with each author, for which it may put an equal one.
  void each_author(const std::function<void(AuthorId&)>& visit);

 private:
  // Sorted by author, no zero. Most files have one author, so a single entry stands here and takes
  // no memory of its own; two or more stand in `all_`.
  Entry only_;  // sequence 0: none
  Shared<std::vector<Entry>> all_;
};

}  // namespace dagsync
