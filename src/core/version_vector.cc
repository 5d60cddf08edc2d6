#include "dagsync/core/version_vector.h"

#include <algorithm>
#include <utility>

namespace dagsync {
namespace {

auto position(auto& entries, const AuthorId& author) {
  return std::lower_bound(entries.begin(), entries.end(), author,
                          [](const auto& entry, const AuthorId& key) { return entry.first < key; });
}

}  // namespace

std::span<const VersionVector::Entry> VersionVector::entries() const {
  if (only_.second > 0) return {&only_, 1};
  return *all_;
}

Sequence VersionVector::at(const AuthorId& author) const {
  const auto entries = this->entries();
  const auto it = position(entries, author);
  return it != entries.end() && it->first == author ? it->second : 0;
}

void VersionVector::raise(const AuthorId& author, Sequence sequence) {
  if (sequence <= at(author)) return;
  if (empty() || (only_.second > 0 && only_.first == author)) {
    only_ = {author, sequence};
    return;
  }
  auto& all = all_.own();
  if (only_.second > 0) all.push_back(std::exchange(only_, {}));
  const auto it = position(all, author);
  if (it != all.end() && it->first == author) {
    it->second = sequence;
  } else {
    all.insert(it, {author, sequence});
  }
}

void VersionVector::join(const VersionVector& other) {
  for (const auto& [author, sequence] : other.entries())
    raise(author, sequence);
}

void VersionVector::each_author(const std::function<void(AuthorId&)>& visit) {
  if (only_.second > 0) visit(only_.first);
  if (all_->empty()) return;
  for (Entry& entry : all_.own())
    visit(entry.first);
}

bool operator==(const VersionVector& a, const VersionVector& b) {
  const auto ours = a.entries();
  const auto theirs = b.entries();
  return std::equal(ours.begin(), ours.end(), theirs.begin(), theirs.end());
}

bool VersionVector::has_seen(const VersionVector& other) const {
  const auto entries = other.entries();
  return std::all_of(entries.begin(), entries.end(),
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
