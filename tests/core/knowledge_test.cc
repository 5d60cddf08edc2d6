#include "dagsync/core/knowledge.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <set>
#include <string>

using dagsync::AuthorId;
using dagsync::ChangeId;
using dagsync::Knowledge;
using dagsync::Sequence;
using dagsync::SequenceSet;

namespace {

using Model = std::set<Sequence>;

constexpr Sequence kLast = 40;  // of the sequences that the random tests use

AuthorId author(const std::string& node) {
  return {{node}, {1}};
}

SequenceSet::Interval random_interval(std::mt19937_64& random) {
  const Sequence first = 1 + random() % kLast;
  return {first, std::min(kLast, first + random() % 6)};
}

void add(Model& model, SequenceSet::Interval interval) {
  for (Sequence sequence = interval.first; sequence <= interval.second; ++sequence)
    model.insert(sequence);
}

void remove(Model& model, SequenceSet::Interval interval) {
  for (Sequence sequence = interval.first; sequence <= interval.second; ++sequence)
    model.erase(sequence);
}

// Disjoint, ascending, not adjacent: one set has one form, so that == and the wire can rely on it.
bool is_canonical(const SequenceSet& set) {
  Sequence previous_end = 0;
  bool first = true;
  for (const auto& [begin, end] : set.intervals()) {
    if (begin > end || (!first && begin <= previous_end + 1)) return false;
    previous_end = end;
    first = false;
  }
  return true;
}

void require_same(const SequenceSet& set, const Model& model) {
  REQUIRE(is_canonical(set));
  for (Sequence sequence = 0; sequence <= kLast + 1; ++sequence) {
    if (set.contains(sequence) != model.contains(sequence)) {
      CAPTURE(sequence);
      REQUIRE(set.contains(sequence) == model.contains(sequence));
    }
  }
  REQUIRE(set.last() == (model.empty() ? 0 : *model.rbegin()));
}

struct Both {
  SequenceSet set;
  Model model;
};

Both random_set(std::mt19937_64& random) {
  Both both;
  for (std::size_t n = random() % 6; n > 0; --n) {
    const auto interval = random_interval(random);
    both.set.add(interval);
    add(both.model, interval);
  }
  return both;
}

}  // namespace

TEST_CASE("changes that come in order are one interval") {
  SequenceSet set;
  for (Sequence sequence = 1; sequence <= 1000; ++sequence)
    set.add(sequence);
  CHECK(set.intervals() == std::vector<SequenceSet::Interval>{{1, 1000}});
  CHECK(set.last() == 1000);
}

TEST_CASE("a hole is seen, and closes when its change comes") {
  SequenceSet set;
  set.add({1, 4});
  set.add({6, 9});
  CHECK_FALSE(set.contains(5));
  CHECK(set.intervals().size() == 2);
  set.add(5);
  CHECK(set.intervals() == std::vector<SequenceSet::Interval>{{1, 9}});
  set.remove(5);
  CHECK(set.intervals() == std::vector<SequenceSet::Interval>{{1, 4}, {6, 9}});
  set.remove(9);
  set.remove(6);
  CHECK(set.intervals() == std::vector<SequenceSet::Interval>{{1, 4}, {7, 8}});
}

TEST_CASE("whatever is added and removed, the set is that of a plain model") {
  std::mt19937_64 random(43);
  for (int round = 0; round < 300; ++round) {
    SequenceSet set;
    Model model;
    for (int step = 0; step < 60; ++step) {
      const auto interval = random_interval(random);
      switch (random() % 5) {
        case 0:
          set.add(interval.first);
          model.insert(interval.first);
          break;
        case 1:
          set.add(interval);
          add(model, interval);
          break;
        case 2: {
          const Both other = random_set(random);
          set.add(other.set);
          model.insert(other.model.begin(), other.model.end());
          break;
        }
        case 3:
          set.remove(interval.first);
          model.erase(interval.first);
          break;
        default:
          set.remove(interval);
          remove(model, interval);
          break;
      }
      require_same(set, model);
    }
  }
}

TEST_CASE("one set contains another where the model does, and equals it where both do") {
  std::mt19937_64 random(47);
  int contained = 0;
  for (int round = 0; round < 5000; ++round) {
    const Both a = random_set(random);
    Both b = random_set(random);
    if (random() % 2 == 0) {  // make it likely
      b.set.add(a.set);
      b.model.insert(a.model.begin(), a.model.end());
      b.set.remove(1 + random() % kLast);
      b.model.clear();
      for (Sequence sequence = 1; sequence <= kLast; ++sequence)
        if (b.set.contains(sequence)) b.model.insert(sequence);
    }
    const bool expected =
        std::includes(b.model.begin(), b.model.end(), a.model.begin(), a.model.end());
    REQUIRE(b.set.contains(a.set) == expected);
    REQUIRE((a.set == b.set) == (a.model == b.model));
    contained += expected ? 1 : 0;
  }
  CHECK(contained > 1000);
  CHECK(contained < 4000);
}

TEST_CASE("knowledge is kept for each author by itself") {
  Knowledge knowledge;
  knowledge.add(ChangeId{author("a"), 1});
  knowledge.add(author("b"), {1, 5});
  CHECK(knowledge.covers(ChangeId{author("a"), 1}));
  CHECK_FALSE(knowledge.covers(ChangeId{author("a"), 2}));
  CHECK(knowledge.covers(ChangeId{author("b"), 5}));
  CHECK_FALSE(knowledge.covers(ChangeId{author("c"), 1}));
  CHECK_FALSE(knowledge.covers(ChangeId{{{"b"}, {2}}, 1}));  // another epoch is another author
  CHECK(knowledge.last(author("b")) == 5);
  CHECK(knowledge.last(author("c")) == 0);
  knowledge.remove(ChangeId{author("b"), 3});
  CHECK_FALSE(knowledge.covers(ChangeId{author("b"), 3}));
  CHECK(knowledge.last(author("b")) == 5);
  knowledge.remove(ChangeId{author("c"), 3});  // nothing to remove
}

TEST_CASE("a peer is in sync when its knowledge covers ours") {
  Knowledge ours;
  Knowledge peers;
  CHECK(peers.covers(ours));
  ours.add(author("a"), {1, 10});
  CHECK_FALSE(peers.covers(ours));
  peers.add(author("a"), {1, 4});
  peers.add(author("a"), {6, 12});
  CHECK_FALSE(peers.covers(ours));
  peers.add(ChangeId{author("a"), 5});
  CHECK(peers.covers(ours));
  CHECK_FALSE(ours.covers(peers));
  ours.add(peers);
  CHECK(ours.covers(peers));
  ours.add(ChangeId{author("b"), 1});
  CHECK_FALSE(peers.covers(ours));
  ours.remove(ChangeId{author("b"), 1});
  CHECK(peers.covers(ours));  // an author of whom nothing is known asks for nothing
}

TEST_CASE("what was taken away from knowledge is no longer covered, and nothing else") {
  Knowledge knowledge;
  knowledge.add(author("a"), {1, 10});
  knowledge.add(author("b"), {1, 3});
  Knowledge lost;
  lost.add(author("a"), {3, 4});
  lost.add(author("a"), {9, 20});
  lost.add(author("c"), {1, 1});
  knowledge.remove(lost);
  Knowledge expected;
  expected.add(author("a"), {1, 2});
  expected.add(author("a"), {5, 8});
  expected.add(author("b"), {1, 3});
  CHECK(knowledge == expected);
}
