// The stories and tables of younger-wins; reconcile_property_test.cc has the laws.
#include "dagsync/core/reconcile.h"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

#include "core/record_samples.h"

using namespace dagsync;

namespace {

// Both ways round, as a node cannot choose which record is its own.
Record merged(const Record& a, const Record& b) {
  const Record joined = reconcile(a, b);
  CHECK(joined == reconcile(b, a));
  return joined;
}

}  // namespace

TEST_CASE("a stamp is the mtime, but not after the observation, and after what it replaces") {
  struct Row {
    const char* what;
    Content content;
    std::int64_t observed;
    std::int64_t replaced;
    std::int64_t stamp;
  };
  const std::vector<Row> table = {
      {"an edit of now", file_content("a", 100), 100, 50, 100},
      {"an edit seen late", file_content("a", 100), 900, 50, 100},
      {"a mtime in the future", file_content("a", 5000), 100, 50, 100},
      {"a roll-back to an old mtime", file_content("a", 10), 100, 50, 51},
      {"the same mtime again", file_content("a", 50), 100, 50, 51},
      {"a clock that went back", file_content("a", 40), 40, 50, 51},
      {"a delete", Content{}, 100, 50, 100},
      {"a delete by a slow clock", Content{}, 20, 50, 51},
      {"a directory", directory_content(0755), 100, 50, 100},
      {"a symlink", symlink_content("x", 70), 100, 50, 70},
  };
  for (const Row& row : table) {
    CAPTURE(row.what);
    CHECK(make_stamp(row.content, {row.observed}, {row.replaced}) == UnixNanos{row.stamp});
  }
}

TEST_CASE("an older edit loses and is kept as a conflict") {
  const Record old_edit = edit("node1", 1, file_content("old", 100), 1000);
  const Record new_edit = edit("node2", 1, file_content("new", 200), 1000);
  CHECK(merged(old_edit, new_edit).content == new_edit.content);
  CHECK(is_conflict(old_edit, new_edit));
}

TEST_CASE("a version that has seen the other replaces it, whatever the clocks say") {
  const Record first = edit("node1", 1, file_content("first", 900), 900);
  const Record second = edit("node2", 1, file_content("second", 10), 20, &first);
  const Record joined = merged(first, second);
  CHECK(joined.content == second.content);
  CHECK(joined.version == second.version);
  CHECK_FALSE(is_conflict(first, second));
}

TEST_CASE("a roll-back against an unrelated edit ends the same in every order of merging") {
  // Node 1 writes X, node 2 sees it and rolls back to Y with an old mtime, node 3 meanwhile writes
  // Z.
  const Record x = edit("node1", 1, file_content("X", 10), 100);
  const Record y = edit("node2", 1, file_content("Y", 1), 100, &x);
  const Record z = edit("node3", 1, file_content("Z", 5), 100);
  VersionVector all;
  for (const Record& record : {x, y, z})
    all.join(record.version);
  for_every_merge_order({x, y, z}, reconcile, [&](const Record& outcome) {
    CHECK(outcome.content == y.content);
    CHECK(outcome.stamp == y.stamp);
    CHECK(outcome.version == all);
  });
  CHECK(is_conflict(y, z));
  CHECK(is_conflict(x, z));
  CHECK_FALSE(is_conflict(x, y));
}

TEST_CASE("the same story with plain mtimes would end differently, so the stamp is needed") {
  const auto plain = [](const Record& a, const Record& b) {
    Record winner = a.content.mtime >= b.content.mtime ? a : b;
    if (a.version.compare(b.version) == Causality::kAfter) winner = a;
    if (a.version.compare(b.version) == Causality::kBefore) winner = b;
    winner.version.join(a.version);
    winner.version.join(b.version);
    return winner;
  };
  const Record x = edit("node1", 1, file_content("X", 10), 100);
  const Record y = edit("node2", 1, file_content("Y", 1), 100, &x);
  const Record z = edit("node3", 1, file_content("Z", 5), 100);
  std::set<Digest> outcomes;
  for_every_merge_order({x, y, z}, plain,
                        [&](const Record& outcome) { outcomes.insert(outcome.content.digest); });
  CHECK(outcomes.size() > 1);
}

TEST_CASE("an edit and a delete that have not seen each other: the younger wins") {
  const Record base = edit("node1", 1, file_content("base", 10), 10);
  const Record edited = edit("node2", 1, file_content("edited", 50), 60, &base);
  const Record deleted_before = edit("node3", 1, Content{}, 40, &base);
  const Record deleted_after = edit("node3", 1, Content{}, 55, &base);
  CHECK(merged(edited, deleted_before).content == edited.content);
  CHECK_FALSE(merged(edited, deleted_after).is_live());
  CHECK(is_conflict(edited, deleted_after));
}

TEST_CASE("a delete loses every tie") {
  Record deleted = edit("zz", 9, Content{}, 100);
  for (const Content& content : {file_content("a", 100), directory_content(0700),
                                 symlink_content("t", 100), file_content("", 100)}) {
    const Record live = edit("aa", 1, content, 100);
    REQUIRE(live.stamp == deleted.stamp);
    CHECK(merged(deleted, live).content == live.content);
  }
}

TEST_CASE(
    "equal stamps are decided by kind, digest, mode, mtime, target, owner and author, in this "
    "order") {
  const auto at_100 = [](const std::string& node, Content content) {
    Record record = edit(node, 1, std::move(content), 1000);
    record.stamp = {100};
    return record;
  };
  Content low = file_content("a", 7);
  Content high = file_content("b", 7);
  if (high.digest < low.digest) std::swap(low, high);
  Content wide = high;
  wide.mode = 0755;
  Content late = wide;
  late.mtime = {8};
  Content owned = symlink_content("a", 10);  // against what nobody has told the owner of
  owned.owner = "a:a";
  Content owned_by_another = owned;
  owned_by_another.owner = "a:b";
  // Each one wins against all before it, though its author is the least of all so far.
  const std::vector<Record> ascending = {
      at_100("z", Content{}),
      at_100("y", directory_content(0700)),
      at_100("x", directory_content(0755)),
      at_100("w", low),
      at_100("v", high),
      at_100("u", wide),
      at_100("t", late),
      at_100("s", symlink_content("a", 9)),
      at_100("r", symlink_content("b", 9)),
      at_100("q", symlink_content("a", 10)),
      at_100("r", symlink_content("a", 10)),
      at_100("p", owned),
      at_100("o", owned_by_another),
  };
  for (std::size_t a = 0; a < ascending.size(); ++a) {
    for (std::size_t b = 0; b < ascending.size(); ++b) {
      CAPTURE(a);
      CAPTURE(b);
      CHECK(compare_age(ascending[a], ascending[b]) == (a <=> b));
      CHECK(merged(ascending[a], ascending[b]).content == ascending[std::max(a, b)].content);
    }
  }
}

TEST_CASE("a younger stamp beats every tie-break") {
  const Record strong = edit("zz", 1, symlink_content("zzz", 100), 1000);
  const Record young = edit("aa", 1, Content{}, 101);
  CHECK_FALSE(merged(strong, young).is_live());
}

TEST_CASE("the same bytes on both sides are no conflict, whatever their metadata") {
  const Record a = edit("node1", 1, file_content("same", 10), 100);
  Content other_mode = file_content("same", 20);
  other_mode.mode = 0755;
  const Record b = edit("node2", 1, other_mode, 100);
  CHECK_FALSE(is_conflict(a, b));
  CHECK(merged(a, b).content == other_mode);
  const Record d1 = edit("node1", 1, directory_content(0755), 10);
  const Record d2 = edit("node2", 1, directory_content(0700), 20);
  CHECK_FALSE(is_conflict(d1, d2));
  CHECK_FALSE(is_conflict(edit("node1", 1, Content{}, 10), edit("node2", 1, Content{}, 20)));
  CHECK(is_conflict(edit("node1", 1, symlink_content("a", 1), 9),
                    edit("node2", 1, symlink_content("b", 1), 9)));
}

TEST_CASE("an edit on top of a merged conflict has seen both sides") {
  const Record a = edit("node1", 1, file_content("A", 10), 100);
  const Record b = edit("node2", 1, file_content("B", 20), 100);
  const Record joined = merged(a, b);
  const Record resolved = edit("node3", 1, file_content("both", 5), 100, &joined);
  for (const Record& record : {a, b, joined}) {
    CHECK(merged(record, resolved).content == resolved.content);
    CHECK(merged(record, resolved).version == resolved.version);
    CHECK_FALSE(is_conflict(record, resolved));
  }
}

TEST_CASE("merging a conflict adds no entry of the merger, so merges of merges come to an end") {
  const Record a = edit("node1", 1, file_content("A", 10), 100);
  const Record b = edit("node2", 1, file_content("B", 20), 100);
  const Record joined = merged(a, b);
  CHECK(joined.version.entries().size() == 2);
  CHECK(merged(joined, a) == joined);
  CHECK(merged(joined, b) == joined);
  CHECK(merged(joined, joined) == joined);
  CHECK(joined.seen == b.seen);  // what was seen when the content was made stays
  CHECK(joined.origin == b.origin);
}
