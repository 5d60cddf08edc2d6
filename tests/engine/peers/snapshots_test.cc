#include "dagsync/engine/peers/snapshots.h"

#include <deque>
#include <set>

#include "core/one_replica.h"
#include "support/recording_outlet.h"

using namespace dagsync;

namespace {

struct SnapshotWorld {
  OneReplica one;
  RecordingOutlet outlet;
  bool written = true;  // the rows of all changes so far
  std::deque<std::function<void()>> waiting;
  Snapshots snapshots{"dags", one.replica, outlet, [this](std::function<void()> call) {
                        if (written) return call();
                        waiting.push_back(std::move(call));
                      }};
  void write() {
    written = true;
    for (const auto& call : std::exchange(waiting, {}))
      call();
  }

  void fill(int count, const std::string& prefix = "f") {
    std::vector<Observation> batch;
    for (int i = 1; i <= count; ++i)
      batch.push_back(seen(prefix + std::to_string(i), file_content("x", 10), 100));
    (void)one.look(batch);
  }
  [[nodiscard]] const Knowledge& received_by_b() const {
    return one.replica.peers().at(kB).received;
  }

  // Takes what was said to b: the pages, in order, and the end, if it has come.
  struct Heard {
    std::vector<Announce> pages;
    std::optional<SnapshotEnd> end;
    [[nodiscard]] std::multiset<std::string> paths() const {
      std::multiset<std::string> paths;
      for (const Announce& page : pages) {
        for (const Announce::Item& item : page.items)
          paths.insert(item.change.path.bytes());
      }
      return paths;
    }
  };
  Heard heard() {
    Heard heard;
    for (const RecordingOutlet::Said& said : outlet.take()) {
      CHECK(said.to == kB);
      CHECK_FALSE(heard.end.has_value());
      if (const auto* page = std::get_if<Announce>(&said.message)) {
        CHECK(page->folder == "dags");
        heard.pages.push_back(*page);
      } else {
        heard.end = std::get<SnapshotEnd>(said.message);
        CHECK(heard.end->folder == "dags");
      }
    }
    return heard;
  }
};

}  // namespace

TEST_CASE("nothing is told before its rows are written") {
  SnapshotWorld world;
  world.fill(3);
  world.one.connect(kB);
  world.written = false;
  world.snapshots.start(kB);
  SnapshotWorld::Heard heard = world.heard();
  CHECK(heard.pages.empty());
  CHECK_FALSE(heard.end.has_value());
  SUBCASE("then it is") {
    world.write();
    heard = world.heard();
    CHECK(heard.pages.size() == 1);
    CHECK(heard.end.has_value());
    CHECK(world.snapshots.idle());
  }
  SUBCASE("and not at all to a connection that is gone meanwhile") {
    world.snapshots.peer_lost(kB);
    world.write();
    heard = world.heard();
    CHECK(heard.pages.empty());
    CHECK_FALSE(heard.end.has_value());
  }
}

TEST_CASE("a small snapshot is one page and its end") {
  SnapshotWorld world;
  world.fill(3);
  world.one.connect(kB);
  world.snapshots.start(kB);
  const auto heard = world.heard();
  REQUIRE(heard.pages.size() == 1);
  CHECK(heard.pages[0].page == 1);
  CHECK(heard.pages[0].items.size() == 3);
  CHECK(heard.pages[0].items[0].change ==
        Change{at("f1"), world.one.entry("f1").id, world.one.record("f1")});
  REQUIRE(heard.end.has_value());
  CHECK(heard.end->knowledge == knowing(author_of("a"), 3));
  CHECK(world.snapshots.idle());
  CHECK(world.received_by_b() == knowing(author_of("a"), 3));
}

TEST_CASE("an empty index has only an end to send") {
  SnapshotWorld world;
  world.one.connect(kB);
  world.snapshots.start(kB);
  const auto heard = world.heard();
  CHECK(heard.pages.empty());
  CHECK(heard.end.has_value());
  CHECK(world.snapshots.idle());
}

TEST_CASE("only what the peer lacks is sent, and tombstones too") {
  SnapshotWorld world;
  world.fill(4);
  (void)world.one.erase("f4", 200);
  world.one.connect(kB);
  (void)world.one.tell(kB, tell_of(kB, knowing(author_of("a"), 2), {}));
  world.snapshots.start(kB);
  CHECK(world.heard().paths() == std::multiset<std::string>{"f3", "f4"});
}

TEST_CASE("no more pages are under way than the peer has room for") {
  constexpr int kFiles = static_cast<int>(Snapshots::kPageItems) * 4 + 1;
  SnapshotWorld world;
  world.fill(kFiles);
  world.one.connect(kB);
  world.snapshots.start(kB);
  auto all = world.heard();
  CHECK(all.pages.size() == Snapshots::kPagesAhead);
  CHECK(all.pages[0].items.size() == Snapshots::kPageItems);
  CHECK_FALSE(all.end.has_value());

  world.snapshots.on_page_done(kB, 9);  // of no page that was sent
  world.snapshots.on_page_done(kC, 1);
  CHECK(world.heard().pages.empty());
  for (std::uint64_t done = 1; done <= 4; ++done) {
    CHECK_FALSE(world.snapshots.idle());
    world.snapshots.on_page_done(kB, done);
    auto next = world.heard();
    CHECK(next.pages.size() == (done <= 3 ? 1 : 0));
    if (next.end) all.end = next.end;
    all.pages.insert(all.pages.end(), next.pages.begin(), next.pages.end());
    world.snapshots.on_page_done(kB, 1);  // again, and late
    CHECK(world.heard().pages.empty());
  }
  CHECK(all.end.has_value());
  CHECK(world.snapshots.idle());
  CHECK(all.paths().size() == kFiles);
  for (std::size_t i = 0; i < all.pages.size(); ++i)
    CHECK(all.pages[i].page == i + 1);
}

TEST_CASE("a page is bounded in bytes as well") {
  SnapshotWorld world;
  std::vector<Observation> batch;
  const std::string target(4000, 't');
  for (int i = 0; i < 600; ++i)
    batch.push_back(seen("l" + std::to_string(i), symlink_content(target, 10), 100));
  (void)world.one.look(batch);
  world.one.connect(kB);
  world.snapshots.start(kB);
  const auto heard = world.heard();
  REQUIRE(heard.pages.size() == 2);
  CHECK(heard.pages[0].items.size() < 300);
}

TEST_CASE("the end carries the knowledge of the beginning, whatever came meanwhile") {
  constexpr int kFiles = static_cast<int>(Snapshots::kPageItems) * 3;
  SnapshotWorld world;
  world.fill(kFiles);
  world.one.connect(kB);
  world.snapshots.start(kB);
  const Knowledge before = world.one.replica.offered();
  auto all = world.heard();
  // One change where the snapshot has not been yet, one where it has been.
  const Change ahead = world.one.write("z.py", file_content("new", 20), 100);
  const Change behind = world.one.write("a.py", file_content("new", 20), 100);
  for (std::uint64_t done = 1; done <= 3; ++done) {
    world.snapshots.on_page_done(kB, done);
    auto next = world.heard();
    if (next.end) all.end = next.end;
    all.pages.insert(all.pages.end(), next.pages.begin(), next.pages.end());
  }
  REQUIRE(all.end.has_value());
  CHECK(all.end->knowledge == before);
  CHECK(all.paths().contains("z.py"));
  CHECK_FALSE(all.paths().contains("a.py"));
  CHECK(world.received_by_b().covers(ahead.id));
  CHECK_FALSE(world.received_by_b().covers(behind.id));
}

TEST_CASE("what never entered here is not in the knowledge that is sent") {
  SnapshotWorld world;
  const Change ignored = change_of("x", edit("c", 1, file_content("x", 10), 10));
  (void)world.one.replica.announced(kC, {ignored}, [](auto&&...) { return true; });
  world.one.connect(kB);
  world.snapshots.start(kB);
  CHECK_FALSE(world.heard().end->knowledge.covers(ignored.id));
}

TEST_CASE("a snapshot ends with the connection, and the next one begins at the beginning") {
  constexpr int kFiles = static_cast<int>(Snapshots::kPageItems) * 3;
  SnapshotWorld world;
  world.fill(kFiles);
  world.one.connect(kB);
  world.snapshots.start(kB);
  (void)world.heard();
  world.snapshots.peer_lost(kB);
  CHECK(world.snapshots.idle());
  world.snapshots.on_page_done(kB, 1);
  CHECK(world.heard().pages.empty());

  world.one.connect(kB);  // it says that it has nothing
  world.snapshots.start(kB);
  const auto heard = world.heard();
  REQUIRE_FALSE(heard.pages.empty());
  CHECK(heard.pages[0].page == 1);
  CHECK(heard.pages[0].items[0].change.path == at("f1"));
}

TEST_CASE("a list is everything live, whatever the asker is thought to have") {
  SnapshotWorld world;
  world.fill(3);
  (void)world.one.erase("f3", 200);
  world.one.connect(kB);
  (void)world.one.tell(kB, tell_of(kB, world.one.replica.known(), {}));
  world.snapshots.list(kB);
  const auto heard = world.heard();
  CHECK(heard.paths() == std::multiset<std::string>{"f1", "f2"});
  CHECK(heard.end.has_value());
}

TEST_CASE("a list says nothing of what the asker has afterwards") {
  SnapshotWorld world;
  world.fill(2);
  world.one.connect(kB);
  world.snapshots.list(kB);
  (void)world.heard();
  CHECK(world.received_by_b() == Knowledge());
}
