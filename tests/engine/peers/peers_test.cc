#include "dagsync/engine/peers/peers.h"

#include "engine/peers/peers_world.h"

using namespace dagsync;
using namespace std::chrono_literals;

namespace {

using Names = PeersWorld::Names;

}  // namespace

TEST_CASE("every peer with an address is dialed, and greeted first") {
  PeersWorld world;
  world.peers.start_dialing();
  world.peers.start_dialing();  // those under way are left alone
  CHECK(world.addresses_dialed() == Names{"a:1", "z:1"});
  const auto far = world.be_dialed({"a"});
  CHECK(first_of<Hello>(take_heard(*far))->name.value == "m");
  CHECK(world.take_events().empty());
  PeersWorld::greet(*far, "a");
  CHECK(world.take_events() == Names{"connected a"});
  CHECK(world.status_of("a").connected);
  CHECK(world.status_of("a").version == "1.2");
  CHECK(world.status_of("a").address == "10.0.0.9:7411");
}

TEST_CASE("who dials us speaks first, and is answered when it is known") {
  PeersWorld world;
  const auto far = world.come_in({"dials-us"});
  CHECK(far->heard.empty());
  PeersWorld::greet(*far, "dials-us");
  CHECK(first_of<Hello>(take_heard(*far)));
  far->say(frame_message(List{"dags"}) + frame_chunk_header(1, 1, false) + "x");
  CHECK(world.take_events() == Names{"connected dials-us", "message dials-us", "chunk dials-us"});
}

TEST_CASE("a certificate with no configured name is refused before it speaks") {
  PeersWorld world;
  const auto far = world.come_in({"stranger"});
  CHECK(far->gone);
  CHECK(far->heard.empty());
  CHECK(world.come_in({})->gone);
}

TEST_CASE("who says something else than hello, or nothing, is told of, and how to mend it") {
  const std::string mend = ": is that a dagsync of our major version?";
  PeersWorld world;
  SUBCASE("another message first") {
    world.come_in({"a"})->say(frame_message(List{"dags"}));
    CHECK(world.refused == Names{"a, before its hello: no hello" + mend});
  }
  SUBCASE("no message at all") {
    world.come_in({"a"})->say(std::string(100, 'x'));
    REQUIRE(world.refused.size() == 1);
    CHECK(world.refused[0].starts_with("a, before its hello: malformed frame"));
    world.come_in({"a"})->say(std::string(100, 'x'));
    CHECK(world.refused.size() == 1);  // once a minute
  }
  SUBCASE("nothing") {
    const auto far = world.come_in({"a"});
    world.clock.advance(10s);
    CHECK(world.refused == Names{"a, before its hello: no hello within 9 s" + mend});
  }
  SUBCASE("it hangs up: that was no breach") {
    world.come_in({"a"})->hang_up();
    CHECK(world.refused.empty());
  }
}

TEST_CASE("a hello that claims another name is refused without a word") {
  struct Case {
    Names certificate;
    std::string claims;
    std::uint32_t major;
  };
  for (const Case& c : {Case{{"a"}, "z", 1}, Case{{"a", "new"}, "new", 1}, Case{{"a"}, "a", 2}}) {
    PeersWorld world;
    const auto far = world.come_in(c.certificate);
    Hello hello = hello_from(c.claims);
    hello.major = c.major;
    far->say(frame_message(hello));
    CHECK(far->heard.empty());
    CHECK(far->finished);
    CHECK(world.take_events().empty());
    CHECK(world.peers.connected().empty());
    world.clock.advance(1s);
    CHECK(far->gone);
  }
}

TEST_CASE("status says why a peer that we dial is not connected, and how to mend it") {
  struct Case {
    Hello hello;
    Names certificate;
    std::string trouble;
  };
  Hello other_major = hello_from("a");
  other_major.major = 2;
  for (const Case& c :
       {Case{other_major, {"a"}, "it speaks protocol 2, we speak 1: install the same major"},
        Case{hello_from("b"), {"a"}, "it calls itself b, but its certificate bears a: set [node]"},
        Case{hello_from("b"), {}, "it calls itself b, but its certificate bears no DNS name"},
        Case{hello_from("b"), {"b"}, "b is not configured here: add a [[peer]] with name = \"b\""},
        Case{hello_from("z"), {"z"}, "another node answers at this address: z"}}) {
    PeersWorld world;
    world.peers.start_dialing();
    const auto far = world.be_dialed(c.certificate);
    far->say(frame_message(c.hello));
    CAPTURE(world.status_of("a").trouble);
    CHECK(world.status_of("a").trouble.find(c.trouble) == 0);
    CHECK_FALSE(world.status_of("a").connected);
    CHECK(world.take_events().empty());
  }
}

TEST_CASE("a peer that hangs up on our hello probably does not know us") {
  PeersWorld world;
  world.peers.start_dialing();
  const auto far = world.be_dialed({"a"});
  far->hang_up({ErrorCode::kUnavailable, "end of file"});
  CHECK(
      world.status_of("a").trouble ==
      "it closed the connection without a hello: is m a [[peer]] in its dagsync.toml, and dagsync "
      "of the same major version there? (end of file)");
}

TEST_CASE("why a peer that dials us was refused outlasts that it hangs up when we dial it") {
  PeersWorld world;
  world.peers.start_dialing();
  Hello hello = hello_from("a");
  hello.major = 2;
  const std::string why = "it speaks protocol 2, we speak 1: install the same major";
  const auto is_told = [&] { return world.status_of("a").trouble.find(why) == 0; };

  const auto refused = world.come_in({"a"});
  refused->say(frame_message(hello));
  CHECK(is_told());
  const auto dialed = world.be_dialed({"a"});
  dialed->hang_up({ErrorCode::kUnavailable, "end of file"});
  world.clock.advance(1min);
  CHECK(is_told());
  CHECK(world.status_of("z").trouble == "not connected yet");

  const auto late = world.come_in({"a"});  // it was mended
  world.greet(*late, "a");
  CHECK(world.status_of("a").trouble.empty());
  late->hang_up({ErrorCode::kUnavailable, "end of file"});
  CHECK(world.status_of("a").trouble == "end of file");
}

TEST_CASE("a peer that answers no more is that, and not any more the one that was refused") {
  PeersWorld world;
  world.peers.start_dialing();
  Hello hello = hello_from("a");
  hello.name = {"other"};
  world.come_in({"a"})->say(frame_message(hello));
  CHECK(world.status_of("a").trouble.find("it calls itself other") == 0);
  REQUIRE(world.transport.answer(fail(ErrorCode::kUnavailable, "connection refused")));
  CHECK(world.status_of("a").trouble.find("it calls itself other") == 0);  // at another address
  world.clock.advance(Peers::kRefusalCounts);
  CHECK(world.status_of("a").trouble == "connection refused");
}

TEST_CASE("a peer that does not answer is dialed again, in turn at each address, ever slower") {
  PeersWorld world;
  world.peers.configure({peer_config("a", {"a:1", "a:2"})});
  world.peers.start_dialing();
  Names addresses;
  std::vector<Duration> pauses;
  for (int i = 0; i < 12; ++i) {
    REQUIRE(world.addresses_dialed().size() == 1);
    addresses.push_back(world.addresses_dialed().front());
    REQUIRE(world.transport.answer(fail(ErrorCode::kUnavailable, "connection refused")));
    CHECK(world.status_of("a").trouble == "connection refused");
    const MonoNanos before = world.clock.mono();
    REQUIRE(world.clock.advance_to_next(10s));
    pauses.push_back(world.clock.mono() - before);
  }
  CHECK(addresses[0] == "a:1");
  CHECK(addresses[1] == "a:2");
  CHECK(addresses[2] == "a:1");
  CHECK(pauses[0] >= Peers::kFirstRetry);
  CHECK(pauses[0] < 100ms);
  CHECK(pauses[3] >= 8 * Peers::kFirstRetry);
  CHECK(pauses.back() >= Peers::kLastRetry);
  CHECK(pauses.back() < Peers::kLastRetry + Peers::kLastRetry / 10);
}

TEST_CASE("a lost peer is dialed again, and its bytes stay counted") {
  PeersWorld world;
  const auto far = world.connect("z");
  const std::uint64_t sent = world.status_of("z").bytes_sent;
  CHECK(sent > 0);
  far->hang_up({ErrorCode::kUnavailable, "reset by peer"});
  CHECK(world.take_events() == Names{"lost z"});
  CHECK(world.status_of("z").trouble == "reset by peer");
  CHECK(world.status_of("z").bytes_sent == sent);
  CHECK(world.status_of("z").last_seen);
  world.clock.advance(100ms);
  CHECK(world.addresses_dialed() == Names{"z:1"});
  CHECK(far->gone);
}

TEST_CASE("a peer that is no longer configured is told, and not dialed any more") {
  PeersWorld world;
  world.peers.start_dialing();
  const auto far = world.connect("a");
  REQUIRE(first_of<Hello>(take_heard(*far)));
  world.peers.configure({peer_config("z", {"z:1"})});
  CHECK(goodbye_of(*far) == "you are no longer configured here");
  CHECK(world.take_events() == Names{"lost a"});
  CHECK(world.peers.config_of({"a"}) == nullptr);
  CHECK(world.peers.status().size() == 1);
  world.clock.advance(60s);
  CHECK(world.come_in({"a"})->gone);
}

TEST_CASE("what is sent goes to those that are connected, encoded once") {
  PeersWorld world;
  const auto a = world.connect("a");
  const auto z = world.connect("z");
  static_cast<void>(take_heard(*a));
  static_cast<void>(take_heard(*z));
  const std::vector<NodeName> to = {{"a"}, {"dials-us"}, {"z"}, {"nobody"}};
  world.peers.send(to, List{"dags"});
  CHECK(first_of<List>(take_heard(*a)));
  CHECK(first_of<List>(take_heard(*z)));
  world.peers.send_chunk({"a"}, {7, false, "data"});
  world.peers.send_chunk({"nobody"}, {7, false, "data"});
  CHECK(a->heard == frame_chunk_header(7, 4, false) + "data");
  a->queued = 77;
  CHECK(world.peers.queued_bytes({"a"}) == 77);
  CHECK(world.peers.queued_bytes({"nobody"}) == 0);
  CHECK(world.peers.connected() == std::vector<NodeName>{{"a"}, {"z"}});
}

TEST_CASE("no more than so many may be connected without a hello") {
  PeersWorld world;
  std::vector<std::shared_ptr<FarEnd>> waiting;
  for (std::size_t i = 0; i < Peers::kMaxStrangers; ++i) {
    const std::string other_name = "x" + std::to_string(i / Peers::kStrangersPerPeer);
    waiting.push_back(world.come_in({"a", other_name}));
  }
  CHECK_FALSE(waiting.back()->gone);
  CHECK(world.come_in({"z"})->gone);
  world.clock.advance(12s);  // those who stay silent make room
  for (const auto& far : waiting)
    CHECK(far->gone);
  world.connect("z");
}

TEST_CASE("a node that stops says goodbye, and neither dials nor accepts any more") {
  PeersWorld world;
  world.peers.start_dialing();
  const auto greeting = world.be_dialed({"a"});
  const auto z = world.connect("z");
  static_cast<void>(take_heard(*z));
  world.peers.stop();
  CHECK(goodbye_of(*z) == "m is shutting down");
  CHECK(world.addresses_dialed().empty());
  CHECK(world.come_in({"z"})->gone);
  world.clock.advance(60s);
  CHECK(world.addresses_dialed().empty());
  CHECK(greeting->gone);
}

TEST_CASE("status tells round trip and clock offset of a connected peer") {
  PeersWorld world;
  const auto far = world.connect("z");
  CHECK_FALSE(world.status_of("z").rtt_ms);
  world.clock.advance(10ms);
  far->say(frame_message(Pong{1, world.clock.now() + 995ms}));
  CHECK(*world.status_of("z").rtt_ms == doctest::Approx(10));
  CHECK(*world.status_of("z").clock_offset_ms == doctest::Approx(1000));
}
