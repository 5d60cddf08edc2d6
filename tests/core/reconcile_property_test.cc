// The laws of younger-wins, on random records and on random lives of one path in a small mesh.
#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "core/record_samples.h"

using namespace dagsync;

namespace {

using Random = std::mt19937_64;

// Few values of everything, so that ties of every depth come up.
Content random_content(Random& random) {
  const auto mtime = static_cast<std::int64_t>(random() % 6);
  switch (random() % 4) {
    case 0:
      return {};
    case 1:
      return directory_content(random() % 2 == 0 ? 0755 : 0700);
    case 2:
      return symlink_content(random() % 2 == 0 ? "a" : "b", mtime);
    default: {
      Content content = file_content(std::string(1 + random() % 2, 'x'), mtime);
      if (random() % 2 == 0) content.mode = 0755;
      if (random() % 2 == 0) content.owner = random() % 2 == 0 ? "a:a" : "b:b";
      return content;
    }
  }
}

// Records with nothing in common but the values: no history made them. Each has an origin of its
// own, since a change has one content.
std::vector<Record> random_records(Random& random, std::size_t count) {
  std::vector<Record> records;
  for (std::size_t i = 0; i < count; ++i) {
    Record record = edit("node" + std::to_string(random() % 3), i + 1, random_content(random), 9);
    record.stamp = {static_cast<std::int64_t>(random() % 3)};
    for (int entry = 0; entry < 3; ++entry)
      record.seen.raise(author_of("node" + std::to_string(entry)), random() % (count + 1));
    record.version = record.seen;
    for (int entry = 0; entry < 3; ++entry)
      record.version.raise(author_of("node" + std::to_string(entry)), random() % (count + 1));
    records.push_back(record);
  }
  return records;
}

Record greatest(const std::vector<Record>& records) {
  return *std::max_element(records.begin(), records.end(),
                           [](const Record& a, const Record& b) { return compare_age(a, b) < 0; });
}

VersionVector join_of(const std::vector<Record>& records) {
  VersionVector joined;
  for (const Record& record : records)
    joined.join(record.version);
  return joined;
}

void require_one_outcome(const std::vector<Record>& records) {
  const Record winner = greatest(records);
  const VersionVector joined = join_of(records);
  for_every_merge_order(records, reconcile, [&](const Record& outcome) {
    if (outcome.content == winner.content && outcome.stamp == winner.stamp &&
        outcome.origin == winner.origin && outcome.seen == winner.seen && outcome.version == joined)
      return;
    REQUIRE(outcome.content == winner.content);
    REQUIRE(outcome.stamp == winner.stamp);
    REQUIRE(outcome.origin == winner.origin);
    REQUIRE(outcome.seen == winner.seen);
    REQUIRE(outcome.version == joined);
  });
}

// One path on a few nodes that edit it, by clocks that are off, and hear from each other.
class OnePath {
 public:
  explicit OnePath(Random& random) : random_(random) {
    for (int node = 0; node < kNodes; ++node) {
      clocks_.push_back(static_cast<std::int64_t>(random() % 20));
      here_.push_back(edit("none", 0, Content{}, INT64_MIN / 4));
      here_.back().version = here_.back().seen = VersionVector();
    }
  }

  void step() {
    const std::size_t node = random_() % kNodes;
    clocks_[node] += static_cast<std::int64_t>(random_() % 8) - 2;
    if (random_() % 2 == 0) {
      const Content content = random_content(random_);
      here_[node] = edit("node" + std::to_string(node), ++sequences_[node], content, clocks_[node],
                         &here_[node]);
      made_.push_back(here_[node]);
    } else {
      here_[node] = reconcile(here_[node], here_[random_() % kNodes]);
    }
  }

  [[nodiscard]] const std::vector<Record>& here() const { return here_; }  // by node
  [[nodiscard]] const std::vector<Record>& made() const { return made_; }  // every version ever

 private:
  static constexpr int kNodes = 4;
  Random& random_;
  std::vector<std::int64_t> clocks_;
  std::vector<Record> here_;
  std::vector<Record> made_;
  Sequence sequences_[kNodes] = {};
};

bool has_seen(const Record& later, const Record& earlier) {
  return later.origin != earlier.origin &&
         later.seen.at(earlier.origin.author) >= earlier.origin.sequence;
}

}  // namespace

TEST_CASE("merging is symmetric, idempotent and deterministic, and the vector is the join") {
  Random random(53);
  for (int round = 0; round < 5000; ++round) {
    const auto records = random_records(random, 2);
    const Record joined = reconcile(records[0], records[1]);
    REQUIRE(joined == reconcile(records[1], records[0]));
    REQUIRE(joined == reconcile(records[0], records[1]));
    REQUIRE(reconcile(joined, joined) == joined);
    REQUIRE(reconcile(joined, records[0]) == joined);
    REQUIRE(reconcile(records[1], joined) == joined);
    REQUIRE(reconcile(records[0], records[0]) == records[0]);
    REQUIRE(joined.version == join_of(records));
    REQUIRE(joined.stamp >= records[0].stamp);
    REQUIRE(joined.stamp >= records[1].stamp);
  }
}

TEST_CASE("three and four records end as the greatest of them, in every order of merging") {
  Random random(59);
  for (int round = 0; round < 1000; ++round) {
    require_one_outcome(random_records(random, 3));
    if (round % 5 == 0) require_one_outcome(random_records(random, 4));
  }
}

TEST_CASE("age is a total order") {
  Random random(61);
  for (int round = 0; round < 5000; ++round) {
    const auto r = random_records(random, 3);
    for (const Record& a : r) {
      REQUIRE(compare_age(a, a) == 0);
      for (const Record& b : r) {
        REQUIRE((compare_age(a, b) == 0) == (a.origin == b.origin));
        REQUIRE((compare_age(a, b) < 0) == (compare_age(b, a) > 0));
        for (const Record& c : r)
          REQUIRE((compare_age(a, b) > 0 || compare_age(b, c) > 0 || compare_age(a, c) <= 0));
      }
    }
  }
}

TEST_CASE("a stamp is never after the observation unless what it replaces is") {
  Random random(67);
  for (int round = 0; round < 5000; ++round) {
    const Content content = random_content(random);
    const UnixNanos observed{static_cast<std::int64_t>(random() % 10)};
    const UnixNanos replaced{static_cast<std::int64_t>(random() % 10)};
    const UnixNanos stamp = make_stamp(content, observed, replaced);
    REQUIRE(stamp > replaced);
    REQUIRE((stamp <= observed || stamp == replaced + Duration(1)));
    REQUIRE(make_stamp(content, observed + Duration(1), replaced) >= stamp);
    REQUIRE(make_stamp(content, observed, replaced + Duration(1)) >= stamp);
  }
}

TEST_CASE("in every life of a path, a version is younger than all that it has seen") {
  Random random(71);
  for (int life = 0; life < 200; ++life) {
    OnePath path(random);
    for (int step = 0; step < 40; ++step)
      path.step();
    for (const Record& a : path.made()) {
      for (const Record& b : path.made()) {
        if (has_seen(a, b)) REQUIRE(compare_age(a, b) > 0);
      }
    }
  }
}

TEST_CASE("in every life of a path, all nodes end with the greatest version ever made") {
  Random random(73);
  for (int life = 0; life < 100; ++life) {
    OnePath path(random);
    for (int step = 0; step < 30; ++step)
      path.step();
    if (path.made().empty()) continue;
    const Record winner = greatest(path.made());
    for_every_merge_order(path.here(), reconcile, [&](const Record& outcome) {
      REQUIRE(outcome.content == winner.content);
      REQUIRE(outcome.origin == winner.origin);
    });
  }
}

TEST_CASE("on no node does a version come back that the node has seen replaced") {
  Random random(79);
  for (int life = 0; life < 200; ++life) {
    OnePath path(random);
    std::vector<Record> before = path.here();
    for (int step = 0; step < 40; ++step) {
      path.step();
      for (std::size_t node = 0; node < before.size(); ++node) {
        REQUIRE(compare_age(path.here()[node], before[node]) >= 0);
        REQUIRE(path.here()[node].version.has_seen(before[node].version));
      }
      before = path.here();
    }
  }
}

TEST_CASE("whether two contents are in conflict does not depend on who merged first") {
  Random random(83);
  int conflicts = 0;
  int pairs = 0;
  for (int life = 0; life < 200; ++life) {
    OnePath path(random);
    for (int step = 0; step < 20; ++step)
      path.step();
    const auto& made = path.made();
    for (const Record& a : made) {
      for (const Record& b : made) {
        const bool conflict = is_conflict(a, b);
        REQUIRE(conflict == is_conflict(b, a));
        if (has_seen(a, b) || has_seen(b, a)) REQUIRE_FALSE(conflict);
        ++pairs;
        conflicts += conflict ? 1 : 0;
        // Wherever the same content stands after other merges, the answer is the same.
        for (const Record& c : made) {
          const Record merged = reconcile(a, c);
          if (merged.origin != a.origin) continue;
          REQUIRE(is_conflict(merged, b) == conflict);
          REQUIRE(is_conflict(b, merged) == conflict);
        }
      }
    }
  }
  CHECK(conflicts > pairs / 20);
  CHECK(conflicts < pairs * 19 / 20);
}
