// `verify` between two whole nodes, and with one that does not play along.
#include <algorithm>

#include "engine/two_nodes.h"
#include "support/heard.h"

using namespace dagsync;
using namespace std::chrono_literals;

namespace {

using Lines = std::vector<std::string>;

struct VerifyWorld : TwoNodes {
  using TwoNodes::TwoNodes;

  std::optional<VerifyReport> report;
  bool abandoned = false;

  void begin(Side& side, bool repair = false) {
    report.reset();
    Verifier::Order order;
    order.repair = repair;
    order.abandoned = [this] { return abandoned; };
    order.progress = [](const Verification::Progress&) {};
    order.done = [this](const VerifyReport& done) { report = done; };
    side.node.verify(side.folder(), std::move(order));
  }
  // "dag.py on b: ..."
  Lines verify(Side& side, bool repair = false) {
    begin(side, repair);
    until([&] { return report.has_value(); });
    Lines lines;
    for (const auto& each : report->differences)
      lines.push_back(display(each.path) + " on " + each.node.value + ": " + each.problem);
    return lines;
  }
  void write_and_sync(Side& side, const std::string& name, const std::string& bytes) {
    side.real.save_by_rename(name, bytes);
    look_and_sync(side);
    // Nothing is racy any more.
    clock.advance(1s);
    look(a());
    look(b());
  }
  // The disk gives other bytes of this very file from now on, or none.
  void let_rot(Side& side, const std::string& name, const Status& fault = {}) {
    const std::uint64_t inode = side.real.look(name)->inode;
    side.disk->rot = [&side, name, inode, fault](const RelPath& path, std::span<char> bytes) {
      const auto stands = side.real.look(name);
      if (path.bytes() != name || !stands || stands->inode != inode) return Status();
      bytes.front() ^= 1;
      return fault;
    };
  }
};

// A peer of another time, by hand.
struct OldPeer {
  explicit OldPeer(TwoNodes& world) {
    world.until([&] { return !world.a().transport.dials.empty(); });
    far->identity.names = {{"b"}};
    world.a().transport.answer(std::make_unique<FakeConnection>(far));
    Hello hello = hello_from("b");
    hello.minor = 0;
    hello.folders = {{"dags", {{"b"}, {7}}, 0}};
    far->say(frame_message(hello));
  }
  std::shared_ptr<FarEnd> far = std::make_shared<FarEnd>();
};

}  // namespace

TEST_CASE("two nodes that have the same are identical") {
  VerifyWorld world;
  world.start();
  world.write_and_sync(world.a(), "dag.py", "content");
  CHECK(world.verify(world.a()) == Lines{});
  CHECK(world.report->files == 1);
  CHECK(world.verify(world.b()) == Lines{});
}

TEST_CASE("what rotted on the disk is found from either side and repaired where it is") {
  VerifyWorld world;
  world.start();
  auto& b = world.b();
  world.write_and_sync(world.a(), "dag.py", "content");
  world.let_rot(b, "dag.py");
  for (auto* side : {&world.a(), &b}) {
    const Lines found = world.verify(*side);
    REQUIRE(found.size() == 1);
    CHECK(found[0].starts_with("dag.py on b: its content changed behind the index"));
    CHECK(b.trouble().find("verify --repair") != std::string::npos);
  }
  CHECK(world.verify(b, true) == Lines{});
  REQUIRE(world.report->repaired.size() == 1);
  CHECK(world.report->repaired[0].path == DiskWorld::path("dag.py"));
  CHECK(b.trouble() == "");
  CHECK(b.folder().versions().of(DiskWorld::path("dag.py")).size() == 1);
  CHECK(b.real.read("dag.py") == "content");
  CHECK(world.verify(world.a()) == Lines{});
}

TEST_CASE("a file that the disk cannot read any more is fetched, and what is left of it kept") {
  VerifyWorld world;
  world.start();
  auto& b = world.b();
  world.write_and_sync(world.a(), "dag.py", "content");
  world.let_rot(b, "dag.py", fail(ErrorCode::kIo, "input/output error"));
  const Lines found = world.verify(b);
  REQUIRE(found.size() == 1);
  CHECK(found[0].starts_with("dag.py on b: it cannot be read: input/output error"));
  CHECK(world.verify(b, true) == Lines{});
  CHECK(world.report->repaired.size() == 1);
  CHECK(b.folder().versions().of(DiskWorld::path("dag.py")).size() == 1);
}

TEST_CASE("what nobody else has is not repaired, and stays wanted") {
  VerifyWorld world;
  world.start();
  auto& b = world.b();
  world.write_and_sync(world.a(), "dag.py", "content");
  world.let_rot(b, "dag.py");
  world.disconnect();
  const Lines found = world.verify(b, true);
  CHECK(found.size() == 2);  // and a is away
  CHECK(world.report->repaired.empty());
  CHECK(b.real.read("dag.py") == "content");
  world.connect();
  world.until([&] { return b.status().pending_changes == 0; });
  CHECK(world.verify(b) == Lines{});
}

TEST_CASE("a receive-only node gives its drift up, and keeps it") {
  VerifyWorld world({.mode_of_b = FolderMode::kReceiveOnly});
  world.start();
  auto& b = world.b();
  world.write_and_sync(world.a(), "dag.py", "content");
  b.real.save_by_rename("dag.py", "mine");
  b.real.mkdir("own");
  b.real.write("own/more.py", "mine, too");
  world.look(b);
  for (auto* side : {&b, &world.a()}) {
    const Lines found = world.verify(*side);
    CHECK(found.size() == 3);
    for (const std::string& line : found)
      CHECK(line.find(" on b: drift: ") != std::string::npos);
  }
  CHECK(world.verify(b, true) == Lines{});
  CHECK(world.report->repaired.size() == 3);
  CHECK(b.real.read("dag.py") == "content");
  CHECK_FALSE(b.real.exists("own"));
  CHECK(b.folder().versions().of(DiskWorld::path("dag.py")).size() == 1);
  CHECK(b.folder().versions().of(DiskWorld::path("own/more.py")).size() == 1);
}

TEST_CASE("a peer that goes away meanwhile is named") {
  VerifyWorld world;
  world.start();
  world.write_and_sync(world.a(), "dag.py", "content");
  world.begin(world.a());
  world.disconnect();
  world.until([&] { return world.report.has_value(); });
  REQUIRE(world.report->differences.size() == 1);
  CHECK(world.report->differences[0].path.is_root());
  CHECK(world.report->differences[0].problem == "not compared: it went away");
}

TEST_CASE("a run is answered when its folder is taken out") {
  VerifyWorld world;
  world.start();
  world.write_and_sync(world.a(), "dag.py", "content");
  world.begin(world.a());
  world.a().node.remove_folder("dags");
  world.until([&] { return world.report.has_value(); });
  REQUIRE(world.report->differences.size() == 1);
  CHECK(world.report->differences[0].path.is_root());
  CHECK(world.report->differences[0].problem == "the folder was taken out of dagsync.toml");
}

TEST_CASE("a run that nobody waits for ends") {
  VerifyWorld world;
  world.start();
  world.write_and_sync(world.a(), "dag.py", "content");
  world.begin(world.a());
  world.abandoned = true;
  world.clock.advance(1s);
  world.look(world.b());
  CHECK_FALSE(world.report.has_value());
}

TEST_CASE("a peer whose protocol knows no verify is named, and not asked") {
  VerifyWorld world;
  bool started = false;
  world.a().node.start({}, [&](const Status&) { started = true; });
  world.until([&] { return started; });
  const OldPeer peer(world);
  const Lines found = world.verify(world.a());
  REQUIRE(found.size() == 1);
  CHECK(found[0] == ". on b: not compared: its dagsync 1.2 does not know how: update it");
  CHECK_FALSE(first_of<Verify>(take_heard(*peer.far)));
}

TEST_CASE("a peer has one question under way at a time") {
  VerifyWorld world;
  bool started = false;
  world.a().node.start({}, [&](const Status&) { started = true; });
  world.until([&] { return started; });
  world.a().real.write("dag.py", "content");
  world.look(world.a());
  OldPeer peer(world);
  (void)take_heard(*peer.far);
  std::map<std::uint64_t, VerifyPage> pages;
  const auto take_pages = [&] {
    for (const Message& message : take_heard(*peer.far)) {
      if (const auto* page = std::get_if<VerifyPage>(&message)) pages[page->request] = *page;
    }
    return pages.size();
  };
  peer.far->say(frame_message(Verify{"dags", 1, {}, {}}) +
                frame_message(Verify{"dags", 2, {}, {}}));
  world.until([&] { return take_pages() == 2; });
  CHECK(pages.at(2).error == "one request at a time");
  REQUIRE(pages.at(1).rows.size() == 1);
  CHECK(pages.at(1).rows[0].path == DiskWorld::path("dag.py"));

  peer.far->say(frame_message(Verify{"dags", 3, {}, {}}) + frame_message(Cancel{3}));
  world.look(world.a());
  CHECK(take_pages() == 2);

  world.a().folder().verifier().peer_lost({"b"});
  std::filesystem::rename(world.a().real.real("dag.py"), world.a().real.real("moved.py"));
  peer.far->say(frame_message(Verify{"dags", 4, {}, {DiskWorld::path("dag.py")}}));
  world.until([&] { return take_pages() == 3; });
  CHECK(pages.at(4).rows.empty());  // it is not there any more, and that was taken in
}

TEST_CASE("a peer that has the folder read again and again is told to come back later") {
  VerifyWorld world;
  bool started = false;
  world.a().node.start({}, [&](const Status&) { started = true; });
  world.until([&] { return started; });
  // Large, and quickly read: the disk fails at its first byte.
  world.a().real.write("dag.py", "content");
  std::filesystem::resize_file(world.a().real.real("dag.py"), Verifier::kLeastReading);
  world.look(world.a());
  world.clock.advance(1s);  // nothing is racy any more
  world.look(world.a());
  world.let_rot(world.a(), "dag.py", fail(ErrorCode::kIo, "input/output error"));
  std::uint64_t request = 0;
  const auto ask = [&](OldPeer& peer) {
    peer.far->say(frame_message(Verify{"dags", ++request, {}, {}}));
    std::optional<VerifyPage> answer;
    world.until([&] {
      for (const Message& message : take_heard(*peer.far)) {
        if (const auto* page = std::get_if<VerifyPage>(&message)) answer = *page;
      }
      return answer.has_value();
    });
    return *answer;
  };
  const std::string refused = "it is asked too often by this node: try again in ";
  auto peer = std::make_optional<OldPeer>(world);
  VerifyPage page;
  while (page.error.empty() && request < 100)
    page = ask(*peer);
  CHECK(page.error.starts_with(refused + "15"));
  constexpr auto kAtOnce = static_cast<std::uint64_t>(Verifier::kMostReadings);
  CHECK(request > kAtOnce);
  CHECK(request <= kAtOnce + 2);

  // A new connection is no new allowance.
  const auto connect_after = [&](Duration pause) {
    peer->far->hang_up();
    world.clock.advance(pause);
    world.until([&] { return !world.a().transport.dials.empty(); });
    peer.emplace(world);
  };
  connect_after(1s);
  CHECK(ask(*peer).error.starts_with(refused));
  connect_after(Verifier::kReadingEach);
  CHECK(ask(*peer).rows.size() == 1);
  CHECK(ask(*peer).error.starts_with(refused));
}
