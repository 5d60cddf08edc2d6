// Younger-wins as a join: the one place that decides between two versions of a path. Pure: it sees
// two records, never the time or which node it runs on, so all nodes decide alike.
#pragma once

#include <compare>

#include "dagsync/core/record.h"

namespace dagsync {

// The stamp of a new version: the later of (its mtime, but not after the moment of observation) and
// (the stamp of what it replaces + 1 ns). So a version is always younger than what it has seen, and
// causality and younger-wins cannot disagree. A tombstone and a directory have the moment itself.
[[nodiscard]] UnixNanos make_stamp(const Content& content, UnixNanos observed, UnixNanos replaced);

// The total order (stamp, kind, digest, mode, mtime, target, owner, author).
[[nodiscard]] std::strong_ordering compare_age(const Record& a, const Record& b);

// The content of the younger record under the join of both vectors. Commutative, associative and
// idempotent, whatever arrives when.
[[nodiscard]] Record reconcile(const Record& a, const Record& b);

// Whether neither of the two contents was made in sight of the other, and their bytes differ: the
// loser is then listed as a conflict. It looks at what was seen when each content was made, so the
// answer does not depend on who merged first.
[[nodiscard]] bool is_conflict(const Record& a, const Record& b);

}  // namespace dagsync
