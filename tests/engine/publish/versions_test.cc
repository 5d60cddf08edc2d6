#include "dagsync/engine/publish/versions.h"

#include <string>
#include <vector>

#include "core/record_samples.h"
#include "engine/two_nodes.h"
#include "posix/disk_world.h"
#include "support/fake_clock.h"
#include "support/inline_worker.h"
#include "support/memory_store.h"

using namespace dagsync;

namespace {

using Reason = KeptVersion::Reason;
using Names = std::vector<std::string>;

constexpr Duration kKeep = std::chrono::hours(24);
constexpr std::uint64_t kMost = 100'000;

// A catalogue, and a real disk on which the versions stand; a version's bytes tell its name.
struct VersionsWorld {
  DiskWorld real;
  FakeClock clock;
  FakeRandom random;
  InlineWorker worker;
  MemoryStore store;
  Journal journal{clock,
                  worker,
                  worker.new_lane(),
                  real.disk(),
                  store,
                  {[] { return FolderMeta(); }, [](const Knowledge&) {}, [](const Error&) {},
                   [] { return false; }, [] { return false; }}};
  Versions versions{clock, random, worker, real.disk(), journal};

  explicit VersionsWorld(Duration keep = kKeep, std::uint64_t most = kMost) {
    versions.configure(keep, most);
  }
  // Replaces what stands at the path by what nobody keeps; a second later than what came before.
  KeptId keep(const std::string& path, std::size_t size, Reason reason = Reason::kReplaced) {
    clock.advance(std::chrono::seconds(1));
    const std::string bytes(size, 'x');
    real.write(path, bytes);
    const KeptId id = versions.new_id();
    const auto published = real.publish(path, real.look(path), real.staged_file("new"), id);
    REQUIRE((published && published->kept));
    versions.add({id, DiskWorld::path(path), file_content(bytes, 0), {"a"}, clock.now(), reason});
    worker.run_all();
    return id;
  }
  void expire() {
    versions.expire();
    worker.run_all();
  }
  // Sees that the catalogue, the rows and the disk agree, and gives what is left, oldest first.
  [[nodiscard]] std::vector<KeptId> left() {
    std::vector<KeptId> listed;
    for (const std::string name : {"a.py", "b.py", "c.py"})
      for (const KeptVersion& version : versions.of(DiskWorld::path(name)))
        listed.push_back(version.id);
    std::sort(listed.begin(), listed.end());
    std::vector<KeptId> rows;
    for (const MemoryStore::Commit& commit : store.commits) {
      for (const Transaction::Write& write : commit.transaction.writes) {
        if (const auto* put = std::get_if<Transaction::PutKept>(&write))
          rows.push_back(put->version.id);
        if (const auto* drop = std::get_if<Transaction::DropKept>(&write))
          std::erase(rows, drop->id);
      }
    }
    CHECK(rows == listed);
    auto standing = real.disk().list_kept();
    REQUIRE(standing.has_value());
    std::sort(standing->begin(), standing->end());
    CHECK(*standing == listed);
    return listed;
  }
};

using Ids = std::vector<KeptId>;

}  // namespace

TEST_CASE("a version is kept for as long as the configuration says, and no longer") {
  VersionsWorld world;
  const KeptId first = world.keep("a.py", 10);
  const KeptId lost = world.keep("a.py", 10, Reason::kConflict);  // no exception by age
  world.clock.advance(kKeep - std::chrono::seconds(2));
  const KeptId last = world.keep("b.py", 10, Reason::kDeleted);  // the first one's age is kKeep now
  CHECK(world.left() == Ids{first, lost, last});
  world.expire();
  CHECK(world.left() == Ids{lost, last});
  CHECK(world.versions.conflict_count() == 1);
  world.clock.advance(std::chrono::seconds(1));
  world.expire();
  CHECK(world.left() == Ids{last});
  CHECK(world.versions.conflict_count() == 0);
  world.clock.advance(kKeep);
  world.expire();
  CHECK(world.left().empty());
}

TEST_CASE("what is kept of all paths together is bounded, and the oldest go first") {
  VersionsWorld world;
  const KeptId first = world.keep("a.py", 40'000);
  const KeptId second = world.keep("b.py", 40'000);
  const KeptId third = world.keep("a.py", 20'000);  // 100,000 in all: as much as may be
  CHECK(world.left() == Ids{first, second, third});
  const KeptId fourth = world.keep("c.py", 1);
  CHECK(world.left() == Ids{second, third, fourth});
  const KeptId fifth = world.keep("b.py", 60'000);
  CHECK(world.left() == Ids{third, fourth, fifth});
}

TEST_CASE("an empty version takes room, too") {
  VersionsWorld world(kKeep, 3 * 4096);
  for (int i = 0; i < 3; ++i)
    (void)world.keep("a.py", 0);
  const Ids three = world.left();
  CHECK(three.size() == 3);
  const KeptId fourth = world.keep("b.py", 0);
  CHECK(world.left() == Ids{three[1], three[2], fourth});
}

TEST_CASE("losers of conflicts go after all that was replaced or deleted on purpose") {
  VersionsWorld world;
  const KeptId lost = world.keep("a.py", 40'000, Reason::kConflict);
  const KeptId replaced = world.keep("b.py", 40'000);
  const KeptId deleted = world.keep("b.py", 40'000, Reason::kDeleted);
  CHECK(world.left() == Ids{lost, deleted});
  CHECK_FALSE(world.versions.with_digest(file_content("none", 0).digest));
  const KeptId again = world.keep("a.py", 60'000, Reason::kConflict);
  CHECK(world.left() == Ids{lost, again});
  const KeptId third = world.keep("c.py", 30'000, Reason::kConflict);  // nothing else is left
  CHECK(world.left() == Ids{again, third});
  CHECK(world.versions.conflict_count() == 2);
  CHECK(world.versions.of(DiskWorld::path("b.py")).empty());
  (void)replaced;
}

TEST_CASE("a version that is larger than all that may be kept is not kept, and all others are") {
  VersionsWorld world;
  const KeptId before = world.keep("b.py", 1, Reason::kDeleted);
  (void)world.keep("a.py", kMost + 1);
  CHECK(world.left() == Ids{before});
  const KeptId next = world.keep("a.py", kMost);
  CHECK(world.left() == Ids{next});
}

TEST_CASE(
    "a smaller limit and a shorter time hold for what is kept already, also after a restart") {
  VersionsWorld world;
  const KeptId first = world.keep("a.py", 40'000);
  const KeptId second = world.keep("b.py", 40'000);
  const std::vector<KeptVersion> listed = {world.versions.of(DiskWorld::path("a.py")).front(),
                                           world.versions.of(DiskWorld::path("b.py")).front()};
  Versions later(world.clock, world.random, world.worker, world.real.disk(), world.journal);
  later.restore(listed);
  later.configure(kKeep, 50'000);
  later.expire();
  world.worker.run_all();
  CHECK(later.of(DiskWorld::path("a.py")).empty());
  CHECK(later.of(DiskWorld::path("b.py")).front().id == second);
  CHECK_FALSE(world.real.disk().open_kept(first).has_value());
  later.configure(std::chrono::seconds(0), 50'000);
  later.expire();
  world.worker.run_all();
  CHECK(later.of(DiskWorld::path("b.py")).empty());
  CHECK_FALSE(later.with_digest(listed.back().content.digest).has_value());
}

TEST_CASE("a node that runs looks every ten minutes for versions that are too old") {
  TwoNodes::Setup setup;
  setup.versions_keep = std::chrono::hours(1);
  TwoNodes world(setup);
  world.start();
  world.a().write_old("dag.py", "first");
  world.look_and_sync(world.a());
  world.a().real.write("dag.py", "second");
  world.look_and_sync(world.a());
  const Versions& versions = world.b().folder().versions();
  const auto kept = [&] { return versions.of(DiskWorld::path("dag.py")).size(); };
  REQUIRE(kept() == 1);
  const auto pass = [&](Duration time) {
    for (Duration passed{}; passed < time; passed += std::chrono::seconds(1)) {
      world.clock.advance(std::chrono::seconds(1));
      world.worker.run_all();
    }
  };
  world.disconnect();
  pass(std::chrono::minutes(59));
  CHECK(kept() == 1);
  pass(std::chrono::minutes(11));
  CHECK(kept() == 0);
  CHECK(world.b().real.disk().list_kept()->empty());
}
