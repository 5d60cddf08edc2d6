// What seldom happens to two nodes.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "engine/two_nodes.h"
#include "support/noise.h"

using namespace dagsync;
using namespace std::chrono_literals;

namespace {

std::uint64_t traffic(TwoNodes& world) {
  return world.a().node.status().peers.front().bytes_sent +
         world.b().node.status().peers.front().bytes_sent;
}

std::string root_of(const TwoNodes::Side& side) {
  std::string root = side.real.real("");
  root.pop_back();
  return root;
}

FolderConfig dags() {
  FolderConfig config;
  config.name = "dags";
  config.path = "/srv/dags";
  return config;
}

// Of something that never was here: it takes memory, and nothing comes of it.
Announce::Item far_delete(TwoNodes& world, Sequence sequence) {
  std::string name;
  while (name.size() < 3800)
    name += std::to_string(sequence) + "-" + std::string(200, 'x') + "/";
  Change change;
  change.path = DiskWorld::path(name + "x");
  change.id = {{{"a"}, {1}}, sequence};
  change.record.origin = change.id;
  change.record.stamp = world.clock.now();
  change.record.seen.raise(change.id.author, sequence);
  change.record.version = change.record.seen;
  return {change, {}};
}

}  // namespace

TEST_CASE("a page that comes when too much was announced is taken, and answered later") {
  TwoNodes world;
  world.start();
  world.until_in_sync();
  Folder& folder = world.b().folder();
  Announce flood;
  flood.folder = "dags";
  for (Sequence sequence = 1; sequence <= 5500; ++sequence)
    flood.items.push_back(far_delete(world, sequence));
  folder.on_announce({"a"}, flood);
  const Announce::Item late = far_delete(world, 5501);
  const Announce::Item paged = far_delete(world, 5502);
  folder.on_announce({"a"}, Announce{"dags", {late}});
  Announce page{"dags", {paged}};
  page.page = 1;
  folder.on_announce({"a"}, page);
  CHECK(folder.replica().index().find(late.change.path) == nullptr);
  CHECK(folder.replica().index().find(paged.change.path) != nullptr);
}

TEST_CASE("what is hinted while it is being published is not read") {
  TwoNodes world;
  world.start();
  auto& a = world.a();
  auto& b = world.b();
  a.write_old("a.py", "bytes");
  b.disk->refuse = [&](const std::string& step, const RelPath& path) -> std::optional<Error> {
    if (step != "publish") return std::nullopt;
    b.watcher->handlers.on_hints({{path, false}});
    b.folder().take_in({}, false, [] {});
    return std::nullopt;
  };
  world.look_at(a, "a.py");
  world.until([&] { return b.real.exists("a.py"); });
  world.until_in_sync();
  CHECK(std::count(b.diary.begin(), b.diary.end(), "read a.py") == 0);
}

TEST_CASE("what makes room for a file is nobody's delete, whoever looks meanwhile") {
  TwoNodes world;
  world.start();
  world.until_in_sync();
  world.disconnect();
  auto& a = world.a();
  auto& b = world.b();
  std::filesystem::create_directory(b.real.real("d"));
  std::vector<Hint> hints;
  for (int i = 0; i < 30; ++i) {
    const std::string name = "d/f" + std::to_string(i);
    b.write_old(name, "bytes");
    hints.push_back({DiskWorld::path(name), false});
  }
  world.look(b);
  a.real.write("d", "a file that is younger than the directory");
  world.look(a);
  bool looked = false;
  b.disk->refuse = [&](const std::string& step, const RelPath& path) -> std::optional<Error> {
    if (step != "publish" || path.bytes() != "d") return std::nullopt;
    b.watcher->handlers.on_hints(hints);
    b.folder().take_in({}, false, [&] { looked = true; });
    world.worker.run_all();  // the look ends before the publishing does
    return std::nullopt;
  };
  world.connect();
  world.until([&] { return std::filesystem::is_regular_file(b.real.real("d")); });
  CHECK(looked);
  CHECK(b.status().state_reason == "");
  world.until_in_sync();
}

TEST_CASE("an edit of a long file travels with its announcement") {
  TwoNodes world;
  world.start();
  auto& a = world.a();
  auto& b = world.b();
  a.real.write("long", noise(200'000));
  world.look_at(a, "long");
  world.until_in_sync();
  const std::uint64_t before = traffic(world);
  a.real.save_by_rename("long", noise(200'000) + "one line more\n");
  world.look_at(a, "long");
  world.until_in_sync();
  CHECK(b.real.read("long") == noise(200'000) + "one line more\n");
  CHECK(traffic(world) - before < 20'000);

  // Where the basis is gone, the whole content is fetched.
  world.disconnect();
  b.write_old("long", noise(100));
  a.real.save_by_rename("long", noise(200'000) + "another line\n");
  world.look_at(a, "long");
  world.connect();
  world.until_in_sync();
  CHECK(b.real.read("long") == noise(200'000) + "another line\n");
}

TEST_CASE("a copy of a file that is there already needs no content") {
  TwoNodes world;
  world.start();
  auto& a = world.a();
  a.real.write("one", noise(300'000));
  world.look_and_sync(a);
  const std::uint64_t before = traffic(world);
  a.real.write("two", noise(300'000));
  world.look_and_sync(a);
  CHECK(world.b().real.read("two") == noise(300'000));
  CHECK(traffic(world) - before < 50'000);
}

TEST_CASE("kept versions go when they are old, or take too much room") {
  TwoNodes world;
  world.start();
  auto& a = world.a();
  auto& b = world.b();
  const auto kept = [&] { return b.folder().versions().of(DiskWorld::path("dag.py")).size(); };
  for (const char* content : {"one", "two", "three"}) {
    a.real.save_by_rename("dag.py", content);
    world.look_and_sync(a);
  }
  CHECK(kept() == 2);
  FolderConfig small = dags();
  small.versions_max_size = 1;
  b.node.configure_folder(small);
  a.real.save_by_rename("dag.py", "four");
  world.look_and_sync(a);
  CHECK(kept() < 2);
  b.node.configure_folder(dags());
  a.real.save_by_rename("dag.py", "five");
  world.look_and_sync(a);
  CHECK(kept() >= 1);
  FolderConfig brief = dags();
  brief.versions_keep = 60s;
  b.node.configure_folder(brief);
  world.clock.advance(11min);
  world.disconnect();
  world.until([&] { return kept() == 0; });
}

TEST_CASE("another directory in the folder's place halts it, until a person takes it for good") {
  TwoNodes world;
  world.start();
  auto& a = world.a();
  auto& b = world.b();
  a.real.write("dag.py", "content");
  world.look_and_sync(a);
  const std::string root = root_of(a);
  std::filesystem::rename(root, root + "-moved");
  std::filesystem::create_directory(root);
  a.watcher->handlers.on_root_gone();
  world.until([&] { return a.status().state == FolderState::kHalted; });
  CHECK(a.status().state_reason.find("the folder is not as it was") == 0);
  CHECK(b.real.exists("dag.py"));
  std::filesystem::remove_all(root + "-moved");
}

TEST_CASE("hints are gathered, and lost ones made good by looking at everything") {
  TwoNodes world;
  world.start();
  auto& a = world.a();
  auto& b = world.b();
  a.real.write("hinted", "1");
  a.real.write("x.pyc", "ignored");
  a.watcher->handlers.on_hints(
      {{DiskWorld::path("hinted"), false}, {DiskWorld::path("x.pyc"), false}});
  world.until([&] { return b.real.exists("hinted"); });
  a.real.write("missed", "2");
  a.watcher->handlers.on_overflow();
  world.until([&] { return b.real.exists("missed"); });
  CHECK_FALSE(b.real.exists("x.pyc"));
  FolderConfig config = dags();
  config.rescan_interval = 2s;
  a.node.configure_folder(config);
  a.real.write("found", "3");
  world.until([&] { return b.real.exists("found"); });
}

TEST_CASE("a directory that cannot be watched is polled, and the status says so") {
  TwoNodes world;
  auto& a = world.a();
  a.watcher->answer = [](const RelPath& directory) -> Status {
    if (directory.bytes() != "d") return {};
    return fail(ErrorCode::kNoSpace, "the system's inotify watches ran out");
  };
  a.real.mkdir("d");
  world.start();
  CHECK(a.status().state_reason.find("degraded: inotify watches ran out") == 0);
  a.real.write("d/new.py", "new");
  world.until([&] { return world.b().real.exists("d/new.py"); });
}

TEST_CASE("a FIFO is named and not replicated, and nobody waits for it") {
  TwoNodes world;
  world.start();
  auto& a = world.a();
  REQUIRE(::mkfifo(a.real.real("pipe").c_str(), 0600) == 0);
  world.look_and_sync(a);
  CHECK(a.trouble().find("FIFO") != std::string::npos);
  CHECK_FALSE(world.b().real.exists("pipe"));
  const UnixNanos since = a.status().errors.front().since;
  world.look_and_sync(a);
  CHECK(a.status().errors.front().since == since);
  std::filesystem::remove(a.real.real("pipe"));  // and no hint says so
  world.look_and_sync(a);
  CHECK(a.status().errors.empty());
}

TEST_CASE("a deleted directory takes compiled files with it, and stays with any other ignored") {
  TwoNodes world;
  world.start();
  auto& a = world.a();
  auto& b = world.b();
  for (const char* directory : {"gone", "stays"}) {
    a.real.mkdir(directory);
    a.real.write(std::string(directory) + "/dag.py", directory);
  }
  world.look_and_sync(a);
  b.real.write("gone/dag.pyc", "compiled");
  FolderConfig config = dags();
  config.ignore = {"*.log"};
  b.node.configure_folder(config);
  b.real.write("stays/run.log", "a log");
  world.until_in_sync();
  std::filesystem::remove_all(a.real.real("gone"));
  std::filesystem::remove_all(a.real.real("stays"));
  world.look(a);
  world.until([&] { return !b.real.exists("gone") && !b.real.exists("stays/dag.py"); });
  CHECK(b.real.exists("stays/run.log"));
  world.until([&] { return b.trouble() != ""; });
  CHECK(b.status().errors.front().path.bytes() == "stays");
  std::filesystem::remove(b.real.real("stays/run.log"));
  world.until([&] { return !b.real.exists("stays"); });
}

TEST_CASE("what somebody has open for writing is not replaced before it is closed") {
  TwoNodes world;
  world.start();
  auto& a = world.a();
  auto& b = world.b();
  a.real.write("dag.py", "one");
  world.look_and_sync(a);
  const int writer = ::open(b.real.real("dag.py").c_str(), O_WRONLY | O_CLOEXEC);
  REQUIRE(writer >= 0);
  a.real.save_by_rename("dag.py", "two");
  world.look(a);
  world.clock.advance(1s);
  world.until([&] { return b.folder().replica().wanted().size() == 1; });
  CHECK(b.real.read("dag.py") == "one");
  CHECK_FALSE(b.node.in_sync());
  ::close(writer);
  world.look_at(b, "dag.py");
  world.until_in_sync();
  CHECK(b.real.read("dag.py") == "two");
}

TEST_CASE("a peer that leaves the configuration is not waited for any more") {
  TwoNodes world;
  world.start();
  auto& a = world.a();
  world.disconnect();
  a.real.write("dag.py", "content");
  world.look(a);
  CHECK_FALSE(a.node.in_sync());
  std::optional<bool> met;
  a.node.wait_until([&] { return a.node.in_sync(); }, 30s, [&](bool holds) { met = holds; });
  a.node.cancel_wait(a.node.wait_until([] { return true; }, 30s, [](bool) { FAIL("cancelled"); }));
  a.node.configure_peers({});
  world.until([&] { return met.has_value(); });
  CHECK(*met);
  CHECK(a.node.status().peers.empty());
}

TEST_CASE("a folder that is not there at the start halts, and the node meets its peers") {
  TwoNodes world;
  std::filesystem::remove(root_of(world.a()));
  world.start();
  CHECK(world.a().status().state == FolderState::kHalted);
  world.until([&] { return world.b().node.status().peers.front().connected; });
  std::filesystem::create_directory(root_of(world.a()));
}

TEST_CASE("who does not read as fast as changes come is left behind, and caught up later") {
  TwoNodes world;
  world.start();
  world.until_in_sync();
  constexpr std::size_t kMostQueued = 32 << 20;
  world.fill_the_way_to_b(kMostQueued);
  world.a().real.save_by_rename("before.py", "this still goes");
  world.look_and_sync(world.a());
  CHECK(world.b().real.exists("before.py"));

  world.fill_the_way_to_b(kMostQueued + 1);
  world.a().real.save_by_rename("after.py", "and this does not");
  world.look(world.a());
  world.look(world.b());
  CHECK_FALSE(world.b().real.exists("after.py"));
  CHECK_FALSE(world.a().node.in_sync());

  world.fill_the_way_to_b(0);
  world.until_in_sync();
  CHECK(world.b().real.read("after.py") == "and this does not");
}

TEST_CASE("an edit is synced where it was made when the peer has it durably, not before") {
  TwoNodes world;
  world.start();
  world.until_in_sync();
  const auto has_synced = [](const TwoNodes::Side& side) {
    const auto it = std::find(side.diary.begin(), side.diary.end(), "sync x.py");
    return it != side.diary.end();
  };
  world.a().real.write("x.py", "an edit");
  world.look(world.a());
  world.until([&] { return has_synced(world.b()); });
  CHECK_FALSE(has_synced(world.a()));
  world.until_in_sync();
  CHECK(has_synced(world.a()));
}

TEST_CASE("a look that finds nothing is no news") {
  TwoNodes world;
  world.a().real.write("x.py", "content");
  world.start();
  const auto some_turns = [] { return [turns = 0]() mutable { return ++turns > 50; }; };
  world.until_in_sync();
  world.look(world.a());  // was written shortly before the first one
  world.until(some_turns());
  const std::uint64_t before = traffic(world);
  world.look(world.a());
  world.until(some_turns());
  CHECK(traffic(world) == before);
}
