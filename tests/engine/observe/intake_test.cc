#include "dagsync/engine/observe/intake.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

#include "posix/disk_world.h"
#include "support/bare_folder.h"
#include "support/fake_clock.h"
#include "support/inline_worker.h"
#include "support/noting_disk.h"

using namespace dagsync;

namespace {

// A real folder whose hints are the test's. Between the look at a path and the watch of a directory
// above it anything may happen: `watcher.answer` does it.
struct IntakeWorld {
  IntakeWorld() {
    auto root = real.disk().identify_root(std::nullopt);
    REQUIRE(root.has_value());
    intake.expect_root(*root);
    clock.advance(std::chrono::hours(24 * 365 * 10));  // nothing that is written now is racy
  }

  void hint(const std::vector<std::string>& names) {
    std::vector<Hint> hints;
    for (const std::string& name : names) {
      const std::string at = real.real(name);
      hints.push_back({DiskWorld::path(name), std::filesystem::is_directory(at)});
    }
    intake.hint(hints);
    worker.run_all();
  }
  // What was observed of a path last; null where nothing was.
  [[nodiscard]] const Observation* seen(const std::string& name) const {
    const auto it = std::find_if(all.rbegin(), all.rend(), [&](const Observation& one) {
      return one.path == DiskWorld::path(name);
    });
    return it == all.rend() ? nullptr : &*it;
  }
  [[nodiscard]] auto times_read(const std::string& name) const {
    return std::count(diary.begin(), diary.end(), "read " + name);
  }

  DiskWorld real;
  std::vector<std::string> diary;
  NotingDisk disk{real.disk(), diary};
  FakeClock clock;
  InlineWorker worker;
  BareWatcher watcher;
  Index index;
  IgnoreRules rules;
  std::vector<Observation> all;
  Intake intake{clock,
                worker,
                disk,
                watcher,
                index,
                rules,
                {[this](const Intake::Batch& batch) {
                   all.insert(all.end(), batch.seen.begin(), batch.seen.end());
                 },
                 [](const std::string& why) { FAIL("the root is lost: ", why); },
                 [this] { return clock.now(); }, [](const RelPath&) { return false; }}};
};

}  // namespace

TEST_CASE("what comes between its look and the watch of its new directory is seen") {
  IntakeWorld world;
  world.real.mkdir("d");
  world.watcher.answer = [&](const RelPath& directory) {
    if (directory == DiskWorld::path("d")) world.real.write("d/late.py", "late");
    return Status();
  };
  world.hint({"d", "d/late.py"});  // as of one that was deleted with the directory before
  const Observation* late = world.seen("d/late.py");
  REQUIRE(late != nullptr);
  CHECK(late->content.digest == digest_of("late"));
}

TEST_CASE("what goes between its look and the watch of its new directory is not seen") {
  IntakeWorld world;
  world.real.mkdir("d");
  world.real.write("d/gone.py", "gone");
  world.real.write("d/changed.py", "then");
  world.watcher.answer = [&](const RelPath& directory) {
    if (directory != DiskWorld::path("d")) return Status();
    world.clock.advance(std::chrono::seconds(1));
    std::filesystem::remove(world.real.real("d/gone.py"));
    world.real.save_by_rename("d/changed.py", "now");
    return Status();
  };
  const UnixNanos asked = world.clock.now();
  world.hint({"d", "d/gone.py", "d/changed.py"});
  REQUIRE(world.seen("d/gone.py") != nullptr);
  CHECK(world.seen("d/gone.py")->content.kind == Kind::kTombstone);
  CHECK(world.seen("d/gone.py")->moment == asked);  // it may be there again by now
  REQUIRE(world.seen("d/changed.py") != nullptr);
  CHECK(world.seen("d/changed.py")->content.digest == digest_of("now"));
  CHECK(world.seen("d/changed.py")->moment == world.clock.now());  // not before it was written
  const auto told = std::count_if(world.all.begin(), world.all.end(), [](const Observation& one) {
    return one.path == DiskWorld::path("d/changed.py");
  });
  CHECK(told == 1);
}

TEST_CASE("what stands as it stood at its look is not read again with its new directory") {
  IntakeWorld world;
  world.real.mkdir("d");
  world.real.mkdir("d/e");
  world.real.write("d/a.py", "a");
  world.real.write("d/e/b.py", "b");
  world.hint({"d", "d/e", "d/a.py", "d/e/b.py"});
  for (const char* name : {"d", "d/e", "d/a.py", "d/e/b.py"})
    CHECK_MESSAGE(world.seen(name) != nullptr, name);
  CHECK(world.all.size() == 4);
  CHECK(world.times_read("d/a.py") == 1);
  CHECK(world.times_read("d/e/b.py") == 1);
}
