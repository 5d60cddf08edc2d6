// Knowledge: which changes of which authors a node has, or has something younger than.
#pragma once

#include <cstddef>
#include <map>
#include <utility>
#include <vector>

#include "dagsync/core/names.h"

namespace dagsync {

// A set of sequences as disjoint, ascending, non-adjacent closed intervals. In a healthy mesh it is
// one interval from 1 on; a hole is a change that is under way, failed, or whose superseding is not
// confirmed yet.
class SequenceSet {
 public:
  using Interval = std::pair<Sequence, Sequence>;

  [[nodiscard]] bool contains(Sequence sequence) const;
  [[nodiscard]] bool contains(const SequenceSet& other) const;
  void add(Sequence sequence) { add({sequence, sequence}); }
  void add(Interval interval);
  void add(const SequenceSet& other);
  void remove(Sequence sequence) { remove({sequence, sequence}); }
  void remove(Interval interval);
  [[nodiscard]] Sequence last() const { return intervals_.empty() ? 0 : intervals_.back().second; }
  [[nodiscard]] const std::vector<Interval>& intervals() const { return intervals_; }
  bool operator==(const SequenceSet&) const = default;

 private:
  std::vector<Interval> intervals_;
};

class Knowledge {
 public:
  [[nodiscard]] bool covers(const ChangeId& id) const;
  [[nodiscard]] bool covers(const Knowledge& other) const;
  void add(const ChangeId& id) { authors_[id.author].add(id.sequence); }
  void add(const AuthorId& author, SequenceSet::Interval interval) {
    authors_[author].add(interval);
  }
  void add(const AuthorId& author, const SequenceSet& sequences) {
    authors_[author].add(sequences);
  }
  void add(const Knowledge& other);
  void remove(const ChangeId& id);
  void remove(const Knowledge& other);
  // Nobody can know more of an author than it has issued.
  void remove_beyond(const AuthorId& author, Sequence last);
  [[nodiscard]] std::size_t intervals() const;
  // The same, or about half of `intervals` where it has more: of each author the first ones stay.
  [[nodiscard]] Knowledge at_most(std::size_t intervals) &&;
  [[nodiscard]] Sequence last(const AuthorId& author) const;
  [[nodiscard]] const std::map<AuthorId, SequenceSet>& authors() const { return authors_; }
  bool operator==(const Knowledge&) const = default;

 private:
  std::map<AuthorId, SequenceSet> authors_;
};

}  // namespace dagsync
