#include "dagsync/engine/observe/observer.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dagsync/core/messages.h"
#include "posix/disk_world.h"
#include "posix/unique_fd.h"
#include "support/inline_worker.h"
#include "support/noting_disk.h"

using namespace dagsync;

namespace {

using Outcome = LookResult::Outcome;
constexpr std::int64_t kSecond = 1'000'000'000;
constexpr UnixNanos kLongAgo{1'600'000'000 * kSecond + 123};
constexpr UnixNanos kNow{1'700'000'000 * kSecond};

struct ObserverWorld {
  DiskWorld real;
  std::vector<std::string> diary;
  NotingDisk disk{real.disk(), diary};

  void write(const std::string& name, const std::string& bytes, UnixNanos mtime = kLongAgo) {
    real.write(name, bytes);
    const struct timespec times[2] = {{0, UTIME_OMIT},
                                      {mtime.value / kSecond, mtime.value % kSecond}};
    REQUIRE(::utimensat(AT_FDCWD, real.real(name).c_str(), times, 0) == 0);
  }
  LookAt at(const std::string& name) {
    LookAt at;
    at.path = DiskWorld::path(name);
    return at;
  }
  LookResult look(const std::string& name, bool keep_bytes = false) {
    return look_at(disk, at(name), kNow, keep_bytes);
  }
};

}  // namespace

TEST_CASE("a file is seen with its bytes' digest, its permission bits and its mtime") {
  ObserverWorld world;
  world.write("a.py", "hello");
  REQUIRE(::chmod(world.real.real("a.py").c_str(), 06755) == 0);
  const LookResult look = world.look("a.py", true);
  REQUIRE(look.outcome == Outcome::kSeen);
  CHECK(look.seen.content.kind == Kind::kFile);
  CHECK(look.seen.content.digest == digest_of("hello"));
  CHECK(look.seen.content.size == 5);
  CHECK(look.seen.content.mode == 0755);  // never setuid or setgid
  CHECK(look.seen.content.mtime == kLongAgo);
  CHECK(look.seen.moment == kNow);
  CHECK(look.seen.disk == world.real.look("a.py"));
  REQUIRE(look.bytes != nullptr);
  CHECK(*look.bytes == "hello");
}

TEST_CASE("bytes are kept of small files, and only where asked for") {
  ObserverWorld world;
  world.write("small", std::string(kMaxInlineBytes, 's'));
  world.write("large", std::string(kMaxInlineBytes + 1, 'l'));
  CHECK(world.look("small", true).bytes != nullptr);
  CHECK(world.look("large", true).bytes == nullptr);
  CHECK(world.look("small", false).bytes == nullptr);
  CHECK(world.look("large", true).seen.content.digest ==
        digest_of(std::string(kMaxInlineBytes + 1, 'l')));
}

TEST_CASE("what nothing stands at is seen as nothing") {
  ObserverWorld world;
  world.write("file", "x");
  for (const char* name : {"no.py", "no/such/a.py", "file/below"}) {
    const LookResult look = world.look(name);
    CHECK(look.outcome == Outcome::kSeen);
    CHECK(look.seen.content == Content());
    CHECK_FALSE(look.seen.disk.has_value());
  }
}

TEST_CASE("directories and symlinks have only what is replicated of them") {
  ObserverWorld world;
  world.real.mkdir("d");
  REQUIRE(::chmod(world.real.real("d").c_str(), 02750) == 0);
  world.real.symlink("../outside", "link");
  const Content directory = world.look("d").seen.content;
  CHECK(directory.kind == Kind::kDirectory);
  CHECK(directory.mode == 02750);
  CHECK(directory.mtime == UnixNanos());
  const Content link = world.look("link").seen.content;
  CHECK(link.kind == Kind::kSymlink);
  CHECK(link.target == "../outside");
  CHECK(link.mode == 0);
  CHECK(link.mtime == world.real.look("link")->mtime);
}

TEST_CASE("what is unchanged since it was indexed is not read") {
  ObserverWorld world;
  world.write("a.py", "hello");
  LookAt at = world.at("a.py");
  const LookResult first = look_at(world.disk, at, kNow, true);
  CHECK(world.diary == std::vector<std::string>{"read a.py"});
  at.known_state = first.seen.disk;
  at.known = first.seen.content;
  world.diary.clear();
  const LookResult again = look_at(world.disk, at, kNow, true);
  CHECK(again.seen.content == first.seen.content);
  CHECK(again.bytes == nullptr);
  CHECK(world.diary.empty());

  SUBCASE("though another content of the same size and mtime is, by its ctime") {
    world.write("a.py", "HELLO");
    const LookResult edited = look_at(world.disk, at, kNow, true);
    CHECK(edited.seen.content.digest == digest_of("HELLO"));
    CHECK(world.diary == std::vector<std::string>{"read a.py"});
  }
  SUBCASE("though a file that was looked at too early is") {
    at.known_state->racy = true;
    CHECK(look_at(world.disk, at, kNow, true).bytes != nullptr);
  }
}

TEST_CASE("a file whose mtime is as late as the look must be read again next time") {
  ObserverWorld world;
  world.write("old", "x", kNow - std::chrono::milliseconds(20));
  world.write("fresh", "x", kNow - std::chrono::milliseconds(20) + Duration(1));
  world.write("future", "x", kFarthestMoment);
  CHECK_FALSE(world.look("old").seen.disk->racy);
  CHECK(world.look("fresh").seen.disk->racy);
  CHECK(world.look("future").seen.disk->racy);
}

TEST_CASE("a file that somebody has open for writing is not taken, a large one not even read") {
  ObserverWorld world;
  world.write("a.py", "half");
  world.write("large.bin", std::string(kMaxInlineBytes + 1, 'x'));
  int reads = 0;
  world.disk.on_read = [&](const RelPath&) { ++reads; };
  for (const char* name : {"a.py", "large.bin"}) {
    const UniqueFd writer(::open(world.real.real(name).c_str(), O_WRONLY | O_CLOEXEC));
    REQUIRE(writer.get() >= 0);
    CHECK(world.look(name).outcome == Outcome::kOpen);
  }
  CHECK(reads == 1);
  CHECK(world.look("a.py").outcome == Outcome::kSeen);
}

TEST_CASE("nor is one that a writer opened while it was read") {
  ObserverWorld world;
  world.write("a.py", "half");
  UniqueFd writer;
  world.disk.on_read = [&](const RelPath&) {
    writer.reset(::open(world.real.real("a.py").c_str(), O_WRONLY | O_CLOEXEC));
  };
  CHECK(world.look("a.py").outcome == Outcome::kOpen);
}

TEST_CASE("a FIFO is special, and blocks nothing") {
  ObserverWorld world;
  REQUIRE(::mkfifo(world.real.real("pipe").c_str(), 0600) == 0);
  CHECK(world.look("pipe").outcome == Outcome::kSpecial);
  CHECK(world.diary.empty());
}

TEST_CASE("a file that cannot be read is an error with a reason") {
  if (::geteuid() == 0) return;  // root reads all
  ObserverWorld world;
  world.write("a.py", "x");
  REQUIRE(::chmod(world.real.real("a.py").c_str(), 0) == 0);
  const LookResult look = world.look("a.py");
  CHECK(look.outcome == Outcome::kFailed);
  CHECK_FALSE(look.error.empty());
}

TEST_CASE("a file that changes whenever it is read is looked at later") {
  ObserverWorld world;
  world.write("a.py", "0");
  int edits = 0;
  int most = 0;
  world.disk.on_read = [&](const RelPath&) {
    if (edits < most) world.write("a.py", std::string(static_cast<std::size_t>(++edits) + 1, 'x'));
  };
  SUBCASE("once: the second look holds") {
    most = 1;
    const LookResult look = world.look("a.py");
    CHECK(look.outcome == Outcome::kSeen);
    CHECK(look.seen.content.digest == digest_of("xx"));
    CHECK(world.diary.size() == 2);
  }
  SUBCASE("for ever") {
    most = 1000;
    CHECK(world.look("a.py").outcome == Outcome::kMoving);
    CHECK(edits < 10);
  }
  SUBCASE("replaced by a rename") {
    world.disk.on_read = [&](const RelPath&) {
      world.real.save_by_rename("a.py", std::to_string(edits++));
    };
    CHECK(world.look("a.py").outcome == Outcome::kMoving);
  }
}

TEST_CASE("many looks come back once, in the order in which they were asked for") {
  constexpr int kPaths = 200;
  ObserverWorld world;
  InlineWorker worker;
  Observer observer(worker, world.disk);
  std::vector<LookAt> paths;
  for (int i = 0; i < kPaths; ++i) {
    world.write("f" + std::to_string(i), std::to_string(i));
    paths.push_back(world.at("f" + std::to_string(i)));
  }
  int calls = 0;
  std::vector<LookResult> looks;
  observer.look(paths, kNow, false, [&](std::vector<LookResult> results) {
    ++calls;
    looks = std::move(results);
  });
  CHECK(worker.waiting() > 1);
  worker.run_all();
  CHECK(calls == 1);
  REQUIRE(looks.size() == kPaths);
  for (int i = 0; i < kPaths; ++i) {
    CHECK(looks[static_cast<std::size_t>(i)].seen.path == paths[static_cast<std::size_t>(i)].path);
    CHECK(looks[static_cast<std::size_t>(i)].seen.content.digest == digest_of(std::to_string(i)));
  }
}

TEST_CASE("no looks are an answer too") {
  ObserverWorld world;
  InlineWorker worker;
  Observer observer(worker, world.disk);
  int calls = 0;
  observer.look({}, kNow, false, [&](const std::vector<LookResult>& looks) {
    ++calls;
    CHECK(looks.empty());
  });
  worker.run_all();
  CHECK(calls == 1);
}

TEST_CASE("an edit of a file too large to be signed makes a short delta, and any other one none") {
  ObserverWorld world;
  std::string bytes(9 << 20, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<char>(i * i >> 7);
  world.write("large", bytes);
  const LookResult first = world.look("large");
  REQUIRE(first.blocks != nullptr);
  CHECK(first.delta.empty());
  LookAt at = world.at("large");
  at.known = first.seen.content;
  at.known_state = first.seen.disk;
  at.blocks = first.blocks;
  bytes[5 << 20] ^= 1;
  world.write("large", bytes, kNow);
  const LookResult flipped = look_at(world.disk, at, kNow, false);
  CHECK(flipped.seen.content.digest == digest_of(bytes));
  CHECK_FALSE(flipped.delta.empty());
  CHECK(flipped.delta.size() < 17'000);
  std::string other(9 << 20, 'x');
  world.write("large", other, kNow);
  const LookResult replaced = look_at(world.disk, at, kNow, false);
  CHECK(replaced.seen.content.digest == digest_of(other));
  CHECK(replaced.delta.empty());
}

TEST_CASE(
    "a large file that was moved keeps its blocks' sums, and one that looks so gets its own") {
  const std::string bytes(9 << 20, 'x');
  ObserverWorld world;
  world.write("old", bytes);
  const LookResult before = world.look("old");
  LookAt old = world.at("old");
  old.known = before.seen.content;
  old.known_state = before.seen.disk;
  old.blocks = before.blocks;
  const std::vector round{world.at("new"), old};
  const CutFiles cut(round);
  REQUIRE(::rename(world.real.real("old").c_str(), world.real.real("new").c_str()) == 0);
  const LookResult moved = look_at(world.disk, world.at("new"), kNow, false, cut);
  CHECK(moved.seen.content.digest == digest_of(bytes));
  CHECK(moved.blocks == before.blocks);
  const std::string other(9 << 20, 'y');
  world.write("new", other);  // the same inode, size and mtime
  const LookResult changed = look_at(world.disk, world.at("new"), kNow, false, cut);
  CHECK(changed.seen.content.digest == digest_of(other));
  REQUIRE(changed.blocks != nullptr);
  CHECK(changed.blocks->whole != before.blocks->whole);
}
