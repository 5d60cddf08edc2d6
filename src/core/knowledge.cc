#include "dagsync/core/knowledge.h"

#include <algorithm>
#include <utility>

#include "dagsync/base/assert.h"

namespace dagsync {

bool SequenceSet::contains(Sequence sequence) const {
  const auto it = std::lower_bound(
      intervals_.begin(), intervals_.end(), sequence,
      [](const Interval& interval, Sequence key) { return interval.second < key; });
  return it != intervals_.end() && it->first <= sequence;
}

bool SequenceSet::contains(const SequenceSet& other) const {
  auto ours = intervals_.begin();
  for (const auto& [first, last] : other.intervals_) {
    while (ours != intervals_.end() && ours->second < first)
      ++ours;
    if (ours == intervals_.end() || ours->first > first || ours->second < last) return false;
  }
  return true;
}

void SequenceSet::add(Interval added) {
  DAGSYNC_ASSERT(added.first <= added.second);
  // The common case: the next one in order.
  if (!intervals_.empty() && intervals_.back().second + 1 == added.first) {
    intervals_.back().second = added.second;
    return;
  }
  // All intervals that overlap or touch the added one melt into it.
  auto begin = std::lower_bound(
      intervals_.begin(), intervals_.end(), added.first,
      [](const Interval& interval, Sequence key) { return interval.second + 1 < key; });
  auto end = begin;
  while (end != intervals_.end() && end->first <= added.second + 1) {
    added.first = std::min(added.first, end->first);
    added.second = std::max(added.second, end->second);
    ++end;
  }
  begin = intervals_.erase(begin, end);
  intervals_.insert(begin, added);
}

void SequenceSet::add(const SequenceSet& other) {
  for (const Interval& interval : other.intervals_)
    add(interval);
}

void SequenceSet::remove(Interval removed) {
  auto it = std::lower_bound(
      intervals_.begin(), intervals_.end(), removed.first,
      [](const Interval& interval, Sequence key) { return interval.second < key; });
  while (it != intervals_.end() && it->first <= removed.second) {
    const Interval whole = *it;
    it = intervals_.erase(it);
    if (whole.first < removed.first) {
      it = std::next(intervals_.insert(it, {whole.first, removed.first - 1}));
    }
    if (removed.second < whole.second) {
      it = intervals_.insert(it, {removed.second + 1, whole.second});
    }
  }
}

bool Knowledge::covers(const ChangeId& id) const {
  const auto it = authors_.find(id.author);
  return it != authors_.end() && it->second.contains(id.sequence);
}

bool Knowledge::covers(const Knowledge& other) const {
  return std::all_of(other.authors_.begin(), other.authors_.end(), [&](const auto& entry) {
    if (entry.second.intervals().empty()) return true;
    const auto it = authors_.find(entry.first);
    return it != authors_.end() && it->second.contains(entry.second);
  });
}

void Knowledge::add(const Knowledge& other) {
  for (const auto& [author, sequences] : other.authors_)
    authors_[author].add(sequences);
}

void Knowledge::remove(const ChangeId& id) {
  const auto it = authors_.find(id.author);
  if (it != authors_.end()) it->second.remove(id.sequence);
}

void Knowledge::remove(const Knowledge& other) {
  for (const auto& [author, sequences] : other.authors_) {
    const auto it = authors_.find(author);
    if (it == authors_.end()) continue;
    for (const SequenceSet::Interval& interval : sequences.intervals())
      it->second.remove(interval);
  }
}

void Knowledge::remove_beyond(const AuthorId& author, Sequence last) {
  const auto it = authors_.find(author);
  if (it == authors_.end() || it->second.last() <= last) return;
  it->second.remove({last + 1, it->second.last()});
}

std::size_t Knowledge::intervals() const {
  std::size_t count = 0;
  for (const auto& [author, sequences] : authors_)
    count += sequences.intervals().size();
  return count;
}

// Half, so that the next interval does not make all of it to be copied again.
Knowledge Knowledge::at_most(std::size_t intervals) && {
  if (this->intervals() <= intervals) return std::move(*this);
  Knowledge less;
  const std::size_t of_each = std::max<std::size_t>(1, intervals / 2 / authors_.size());
  for (const auto& [author, sequences] : authors_) {
    const auto& all = sequences.intervals();
    for (std::size_t i = 0; i < std::min(of_each, all.size()); ++i)
      less.add(author, all[i]);
  }
  return less;
}

Sequence Knowledge::last(const AuthorId& author) const {
  const auto it = authors_.find(author);
  return it == authors_.end() ? 0 : it->second.last();
}

}  // namespace dagsync
