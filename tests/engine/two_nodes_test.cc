#include "engine/two_nodes.h"

#include <sys/stat.h>

#include "support/noise.h"

using namespace dagsync;

namespace {

std::optional<Error> no_space() {
  return Error{ErrorCode::kNoSpace, "no space left on device"};
}

bool did(const TwoNodes::Side& side, const std::string& step) {
  return std::find(side.diary.begin(), side.diary.end(), step) != side.diary.end();
}

}  // namespace

TEST_CASE("what one node writes, makes, links, changes and deletes, the other one has") {
  TwoNodes world;
  world.start();
  auto& a = world.a();
  auto& b = world.b();
  a.real.write("small.py", "print(1)\n");
  a.real.mkdir("d");
  a.real.write("d/long", noise(300'000));
  a.real.symlink("small.py", "link");
  world.look_and_sync(a);
  CHECK(b.real.read("small.py") == "print(1)\n");
  CHECK(b.real.read("d/long") == noise(300'000));
  CHECK(b.real.read("link") == "print(1)\n");
  CHECK(b.status().files == a.status().files);

  REQUIRE(::chmod(a.real.real("small.py").c_str(), 0755) == 0);
  std::filesystem::remove(a.real.real("link"));
  world.look_and_sync(a);
  CHECK(b.real.look("small.py")->mode == 0755);
  CHECK_FALSE(b.real.exists("link"));
}

TEST_CASE("an edit of a long file travels as a delta, a rename without content") {
  TwoNodes world;
  world.start();
  auto& a = world.a();
  auto& b = world.b();
  a.real.write("long", noise(400'000));
  world.look_and_sync(a);
  const std::uint64_t before =
      b.node.status().peers.front().bytes_sent + a.node.status().peers.front().bytes_sent;
  a.real.save_by_rename("long", noise(400'000) + "one line more\n");
  world.look_and_sync(a);
  CHECK(b.real.read("long") == noise(400'000) + "one line more\n");
  std::filesystem::rename(a.real.real("long"), a.real.real("renamed"));
  world.look_and_sync(a);
  CHECK(b.real.read("renamed") == noise(400'000) + "one line more\n");
  CHECK_FALSE(b.real.exists("long"));
  const std::uint64_t after =
      b.node.status().peers.front().bytes_sent + a.node.status().peers.front().bytes_sent;
  CHECK(after - before < 100'000);
}

TEST_CASE("a peer that was away gets what it missed, and tells what it did") {
  TwoNodes world;
  world.start();
  auto& a = world.a();
  auto& b = world.b();
  world.disconnect();
  for (int i = 0; i < 50; ++i)
    a.real.write("a" + std::to_string(i), "of a " + std::to_string(i));
  b.real.write("of-b", "of b");
  world.look(a);
  world.look(b);
  CHECK_FALSE(a.node.in_sync());
  world.connect();
  world.until_in_sync();
  CHECK(b.real.read("a49") == "of a 49");
  CHECK(a.real.read("of-b") == "of b");
}

TEST_CASE("of two edits the younger wins on both nodes, the other one can be restored") {
  TwoNodes world;
  world.start();
  auto& a = world.a();
  auto& b = world.b();
  world.disconnect();
  a.real.write("dag.py", "older");
  world.look(a);
  b.real.write("dag.py", "younger");
  world.look(b);
  world.connect();
  world.until_in_sync();
  CHECK(a.real.read("dag.py") == "younger");
  CHECK(b.real.read("dag.py") == "younger");
  const auto conflicts = a.folder().versions().conflicts();
  REQUIRE(conflicts.size() == 1);
  CHECK(conflicts.front().origin.value == "a");

  Result<KeptVersion> restored = fail(ErrorCode::kUnavailable, "not yet");
  bool done = false;
  a.folder().restore(DiskWorld::path("dag.py"), std::nullopt, [&](Result<KeptVersion> version) {
    restored = std::move(version);
    done = true;
  });
  world.until([&] { return done; });
  REQUIRE_MESSAGE(restored.has_value(), restored.error().message);
  world.until_in_sync();
  CHECK(b.real.read("dag.py") == "older");
}

TEST_CASE("what cannot be restored says why") {
  TwoNodes world;
  world.start();
  auto& a = world.a();
  auto& b = world.b();
  std::filesystem::create_directory(a.real.real("d"));
  a.real.write("d/dag.py", "one");
  world.look_and_sync(a);
  const auto why_not = [&](auto& node, std::optional<KeptId> id) {
    std::optional<std::string> error;
    node.folder().restore(DiskWorld::path("d/dag.py"), id, [&](const Result<KeptVersion>& version) {
      error = version ? "" : version.error().message;
    });
    world.until([&] { return error.has_value(); });
    return *error;
  };
  CHECK(why_not(a, std::nullopt) != "");  // nothing was replaced yet
  CHECK(why_not(a, KeptId{"nonsense"}) != "");
  std::filesystem::remove(a.real.real("d/dag.py"));
  world.look_and_sync(a);
  REQUIRE(b.folder().versions().of(DiskWorld::path("d/dag.py")).size() == 1);
  const auto names = [](const std::string& error, const char* what) {
    return error.find(what) != std::string::npos;
  };
  b.real.mkdir("d/dag.py");  // in its way
  CHECK(names(why_not(b, std::nullopt), "a directory stands there now: move it away"));
  std::filesystem::remove_all(b.real.real("d"));
  b.real.write("d", "a file");
  CHECK(names(why_not(b, std::nullopt), "d is no directory now: move it away"));
}

TEST_CASE("a full disk is an error of its file, deletes go on, and room makes it good") {
  TwoNodes world;
  world.start();
  auto& a = world.a();
  auto& b = world.b();
  a.real.write("old.py", "old");
  a.real.write("stays.py", "stays");
  world.look_and_sync(a);
  b.disk->refuse = [](const std::string& step, const RelPath&) {
    return step == "stage" ? no_space() : std::nullopt;
  };
  a.real.write("new.py", std::string(1000, 'n'));
  a.real.write("fetched.py", noise(200'000));
  std::filesystem::remove(a.real.real("old.py"));
  world.look(a);
  world.until([&] { return b.status().errors.size() == 2 && !b.real.exists("old.py"); });
  CHECK(b.trouble().find("no space left") != std::string::npos);
  CHECK_FALSE(b.node.in_sync());
  CHECK_FALSE(a.node.in_sync());
  b.disk->refuse = [](const std::string&, const RelPath&) { return std::nullopt; };
  world.until_in_sync();
  CHECK(b.real.read("new.py") == std::string(1000, 'n'));
  CHECK(b.real.read("fetched.py") == noise(200'000));
  CHECK(b.status().errors.empty());
}

TEST_CASE("what comes while something is published goes into the folder together, after that") {
  TwoNodes world;
  world.start();
  world.worker.hold(world.b().publishing);
  const std::vector<std::string> names = {"one.py", "two.py", "three.py", "four.py"};
  for (const std::string& name : names) {
    world.a().write_old(name, name);
    world.look_at(world.a(), name);
  }
  world.until([&] { return world.b().status().pending_changes == names.size(); });
  world.worker.release();
  world.until_in_sync();
  std::vector<std::size_t> batches;
  for (const MemoryStore::Commit& commit : world.b().store->commits) {
    const auto intents = std::count_if(
        commit.transaction.writes.begin(), commit.transaction.writes.end(),
        [](const auto& write) { return std::holds_alternative<Transaction::PutIntent>(write); });
    if (intents > 0) batches.push_back(static_cast<std::size_t>(intents));
  }
  // One at once, one that waits for it.
  CHECK(batches == std::vector<std::size_t>{1, 1, 2});
  for (const std::string& name : names)
    CHECK(world.b().real.read(name) == name);
}

TEST_CASE("a publishing that fails is tried again, and the store's failure too") {
  TwoNodes world;
  world.start();
  auto& a = world.a();
  auto& b = world.b();
  int failures = 3;
  b.disk->refuse = [&](const std::string& step, const RelPath&) -> std::optional<Error> {
    if (step != "publish" || failures-- <= 0) return std::nullopt;
    return Error{ErrorCode::kPermission, "permission denied"};
  };
  b.store->failures = 2;
  b.disk->sync_failures = 1;
  a.real.write("dag.py", "content");
  world.look_and_sync(a);
  CHECK(b.real.read("dag.py") == "content");
  CHECK(failures <= 0);
  CHECK(b.status().errors.empty());
}

TEST_CASE("a file that cannot be read is named, and taken in when it can") {
  TwoNodes world;
  world.start();
  auto& a = world.a();
  a.disk->refuse = [](const std::string& step, const RelPath& path) -> std::optional<Error> {
    if (step != "read" || path.bytes() != "secret.py") return std::nullopt;
    return Error{ErrorCode::kPermission, "open secret.py: permission denied"};
  };
  a.real.write("secret.py", "secret");
  a.real.write("open.py", "open");
  world.look(a);
  world.until([&] { return world.b().real.exists("open.py"); });
  CHECK(a.trouble().find("permission denied") != std::string::npos);
  CHECK_FALSE(a.node.in_sync());
  CHECK(a.folder().not_pushed(DiskWorld::path("secret.py")).size() == 1);
  a.disk->refuse = [](const std::string&, const RelPath&) { return std::nullopt; };
  world.until_in_sync();
  CHECK(world.b().real.read("secret.py") == "secret");
}

TEST_CASE("an edit that is there before the publishing is no loss") {
  TwoNodes world;
  world.start();
  auto& a = world.a();
  auto& b = world.b();
  a.real.write("dag.py", "one");
  world.look_and_sync(a);
  a.real.write("dag.py", "of a");
  world.look(a);
  b.real.save_by_rename("dag.py", "of b, unseen yet");
  world.until([&] { return did(b, "publish dag.py"); });
  world.look_and_sync(b);
  CHECK(a.real.read("dag.py") == b.real.read("dag.py"));
  std::size_t kept = a.folder().versions().conflicts().size();
  kept += b.folder().versions().conflicts().size();
  CHECK(kept > 0);
}

TEST_CASE("a folder that loses most of its files at once halts, and deletes nothing elsewhere") {
  TwoNodes world;
  world.start();
  auto& a = world.a();
  auto& b = world.b();
  for (int i = 0; i < 60; ++i)
    a.real.write("f" + std::to_string(i), std::to_string(i));
  world.look_and_sync(a);
  for (int i = 0; i < 60; ++i)
    std::filesystem::remove(a.real.real("f" + std::to_string(i)));
  world.look(a);
  CHECK(a.status().state == FolderState::kHalted);
  CHECK(a.status().state_reason != "");
  CHECK_FALSE(a.node.in_sync());
  CHECK(b.real.exists("f59"));

  const auto resume = [&](bool accept) {
    std::optional<Status> resumed;
    a.folder().resume(accept, [&](const Status& status) { resumed = status; });
    world.until([&] { return resumed.has_value(); });
    CHECK(resumed->has_value());
    world.until_in_sync();
  };
  SUBCASE("without their deletes they come back") {
    resume(false);
    CHECK(a.real.read("f59") == "59");
  }
  SUBCASE("with them they are deleted everywhere") {
    resume(true);
    CHECK_FALSE(b.real.exists("f0"));
    CHECK(b.folder().versions().of(DiskWorld::path("f0")).size() == 1);
  }
}

TEST_CASE("a halt counts the deletes that came before it, and says what can be brought back") {
  TwoNodes world;
  world.start();
  auto& a = world.a();
  for (int i = 0; i < 30; ++i)
    a.real.write("f" + std::to_string(i), std::to_string(i));
  world.look_and_sync(a);
  for (int i = 0; i < 30; ++i) {
    std::filesystem::remove(a.real.real("f" + std::to_string(i)));
    if (i == 9) world.look_and_sync(a);
  }
  world.look(a);
  const std::string why = a.status().state_reason;
  CHECK(why.find("30 files of 30 went within 60 s") != std::string::npos);
  CHECK(why.find("brings the 20 that no peer was told of back") != std::string::npos);
  CHECK_FALSE(world.b().real.exists("f9"));
  CHECK(world.b().real.exists("f10"));
}

TEST_CASE("a receive-only folder keeps its own changes to itself, and shows them") {
  TwoNodes world({.mode_of_b = FolderMode::kReceiveOnly});
  world.start();
  auto& a = world.a();
  auto& b = world.b();
  a.real.write("dag.py", "of a");
  world.look_and_sync(a);
  b.real.write("dag.py", "drifted");
  b.real.write("own.py", "own");
  world.look(b);
  world.until([&] { return b.status().drift > 0; });
  CHECK(a.real.read("dag.py") == "of a");
  CHECK_FALSE(a.real.exists("own.py"));
  CHECK(b.folder().not_pushed(DiskWorld::path("own.py")).size() == 1);
  a.real.write("dag.py", "of a again");
  world.look(a);
  world.until([&] { return b.real.read("dag.py") == "of a again"; });
}

TEST_CASE("a send-only folder takes nothing in") {
  TwoNodes world({.mode_of_b = FolderMode::kSendOnly});
  world.start();
  auto& a = world.a();
  auto& b = world.b();
  a.real.write("of-a", "a");
  b.real.write("of-b", "b");
  world.look(a);
  world.look_and_sync(b);
  CHECK(a.real.read("of-b") == "b");
  CHECK_FALSE(b.real.exists("of-a"));
}

TEST_CASE("a peer that may not send is not listened to") {
  TwoNodes world({.a_may_send = false});
  world.start();
  auto& a = world.a();
  auto& b = world.b();
  a.real.write("of-a", "a");
  b.real.write("of-b", "b");
  world.look(a);
  world.look(b);
  world.until([&] { return a.real.exists("of-b"); });
  world.clock.advance(std::chrono::seconds(5));
  world.until([&] { return b.folder().is_at_rest(); });
  CHECK_FALSE(b.real.exists("of-a"));
}

TEST_CASE("ignore rules that change take in what they excluded") {
  TwoNodes world;
  world.start();
  auto& a = world.a();
  auto& b = world.b();
  a.real.write(".dagsyncignore", "*.log\n");
  world.look_and_sync(a);
  a.real.write("x.log", "log");
  world.look_and_sync(a);
  CHECK_FALSE(b.real.exists("x.log"));
  CHECK(a.folder().not_pushed(DiskWorld::path("x.log")).size() == 1);
  a.real.write(".dagsyncignore", "\n");
  world.look_and_sync(a);
  world.until([&] { return b.real.exists("x.log"); });
}

TEST_CASE("a kind of file that is replaced by another one is replaced there too") {
  TwoNodes world;
  world.start();
  auto& a = world.a();
  auto& b = world.b();
  a.real.write("thing", "a file");
  world.look_and_sync(a);
  std::filesystem::remove(a.real.real("thing"));
  a.real.mkdir("thing");
  a.real.write("thing/inside", "now a directory");
  world.look_and_sync(a);
  CHECK(b.real.read("thing/inside") == "now a directory");
  std::filesystem::remove_all(a.real.real("thing"));
  a.real.write("thing", "a file again");
  world.look_and_sync(a);
  CHECK(b.real.read("thing") == "a file again");
}

TEST_CASE("a node that stops leaves a clean index, and its peer knows that it left") {
  TwoNodes world;
  world.start();
  world.a().real.write("dag.py", "content");
  world.look_and_sync(world.a());
  bool stopped = false;
  world.b().node.stop([&] { stopped = true; });
  world.until([&] { return stopped; });
  REQUIRE_FALSE(world.b().store->commits.empty());
  CHECK(describe(world.b().store->commits.back().transaction).find("clean meta") !=
        std::string::npos);
  world.until([&] { return !world.a().node.status().peers.front().connected; });
  CHECK(world.a().node.status().peers.front().trouble.find("shutting down") != std::string::npos);
}
