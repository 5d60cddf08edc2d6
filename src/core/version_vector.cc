#include "dagsync/core/version_vector.h"

#include <algorithm>

namespace dagsync {
namespace {

auto position(auto& entries, const AuthorId& author) {
  return std::lower_bound(entries.begin(), entries.end(), author,
                          [](const auto& entry, const AuthorId& key) { return entry.first < key; });
}

}  // namespace

Sequence VersionVector::at(const AuthorId& author) const {
  const auto it = position(entries_, author);
  return it != entries_.end() && it->first == author ? it->second : 0;
}

void VersionVector::raise(const AuthorId& author, Sequence sequence) {
  if (sequence == 0) return;
  const auto it = position(entries_, author);
  if (it != entries_.end() && it->first == author) {
    it->second = std::max(it->second, sequence);
  } else {
    entries_.insert(it, {author, sequence});
  }
}

void VersionVector::join(const VersionVector& other) {
  for (const auto& [author, sequence] : other.entries_)
    raise(author, sequence);
}

bool VersionVector::has_seen(const VersionVector& other) const {
  return std::all_of(other.entries_.begin(), other.entries_.end(),
                     [&](const Entry& entry) { return at(entry.first) >= entry.second; });
}

Causality VersionVector::compare(const VersionVector& other) const {
  const bool after = has_seen(other);
  const bool before = other.has_seen(*this);
  if (after && before) return Causality::kEqual;
  if (after) return Causality::kAfter;
  return before ? Causality::kBefore : Causality::kConcurrent;
}

}  // namespace dagsync
