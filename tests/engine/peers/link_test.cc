#include "dagsync/engine/peers/link.h"

#include <doctest/doctest.h>

#include "support/fake_clock.h"
#include "support/heard.h"

using namespace dagsync;
using namespace std::chrono_literals;

namespace {

struct LinkWorld {
  FakeClock clock;
  std::shared_ptr<FarEnd> far = std::make_shared<FarEnd>();
  Status verdict;  // on the peer's hello
  Status verdict_on_later;
  int later_hellos = 0;
  std::vector<Message> messages;
  std::vector<std::string> chunks;
  std::vector<Error> closings;
  std::unique_ptr<Link> link = std::make_unique<Link>(
      std::make_unique<FakeConnection>(far), clock, true,
      Link::Handlers{[this](const Hello&) { return verdict; },
                     [this](Message message) { messages.push_back(std::move(message)); },
                     [this](const Chunk& chunk) { chunks.emplace_back(chunk.bytes); }, [] {},
                     [this](const Error& error) { closings.push_back(error); },
                     [this](const Hello&) {
                       ++later_hellos;
                       return verdict_on_later;
                     }});

  LinkWorld() { link->start(); }
  void say(const Message& message) { far->say(frame_message(message)); }
  void greet() {
    say(hello_from("b"));
    REQUIRE(link->greeted());
  }
  [[nodiscard]] std::string why_closed() const {
    REQUIRE(closings.size() == 1);
    return closings.front().message;
  }
};

}  // namespace

TEST_CASE("a link asks for a sign of life right after the hello and every three seconds") {
  LinkWorld world;
  world.clock.advance(3s);
  CHECK(world.far->heard.empty());  // no hello yet: nothing to say
  world.greet();
  CHECK(first_of<Ping>(take_heard(*world.far))->id == 1);
  for (std::uint64_t id = 2; id < 10; ++id) {
    world.say(Pong{id - 1, world.clock.now()});
    world.clock.advance(3s);
    CHECK(first_of<Ping>(take_heard(*world.far))->id == id);
  }
  CHECK(world.closings.empty());
}

TEST_CASE("a peer that asks is not asked, but now and then for its clock") {
  LinkWorld world;
  world.greet();
  world.say(Pong{1, world.clock.now()});
  world.clock.advance(2s);
  (void)take_heard(*world.far);
  int asked = 0;
  for (int round = 0; round < 20; ++round) {  // a minute, in which the peer asks a second before us
    world.say(Ping{99});
    world.clock.advance(3s);
    for (const Message& message : take_heard(*world.far))
      asked += std::holds_alternative<Ping>(message) ? 1 : 0;
  }
  CHECK(asked == 5);  // every 12 s: with the first keepalive after ten
  CHECK(world.closings.empty());
}

TEST_CASE("a peer that falls silent is given up after nine seconds, with a goodbye") {
  LinkWorld world;
  world.greet();
  world.clock.advance(8999ms);
  CHECK(world.closings.empty());
  world.clock.advance(1ms);
  CHECK(world.why_closed() == "nothing was heard for 9 s");
  CHECK(goodbye_of(*world.far) == "nothing was heard for 9 s");
  CHECK(world.far->finished);
  world.clock.advance(60s);  // and its timers are gone
  CHECK(take_heard(*world.far).empty());
}

TEST_CASE("whoever says no hello within nine seconds is dropped without a word, if busy too") {
  LinkWorld world;
  for (int i = 0; i < 9; ++i) {
    world.far->say(std::string(1, '\0'));  // the beginning of a frame, byte by byte
    world.clock.advance(1s);
    if (i == 3) break;
  }
  world.clock.advance(8s);
  CHECK(world.why_closed() == "no hello within 9 s");
  CHECK(world.far->heard.empty());
}

TEST_CASE("round trip and clock offset are those of the last ping") {
  LinkWorld world;
  world.greet();
  CHECK_FALSE(world.link->round_trip());
  world.clock.advance(40ms);
  world.say(Pong{7, world.clock.now() + 1h});  // of another ping
  CHECK_FALSE(world.link->round_trip());
  world.say(Pong{1, world.clock.now() + 480ms});  // 500 ms ahead of the middle
  CHECK(*world.link->round_trip() == 40ms);
  CHECK(*world.link->clock_offset() == 500ms);
}

TEST_CASE("a ping is answered, and is nobody else's business") {
  LinkWorld world;
  world.greet();
  CHECK(take_heard(*world.far).size() == 1);
  world.say(Ping{99});
  const auto pong = first_of<Pong>(take_heard(*world.far));
  REQUIRE(pong);
  CHECK(pong->id == 99);
  CHECK(pong->clock == world.clock.now());
  CHECK(world.messages.empty());
}

TEST_CASE("messages and content are handed on after the hello, in their order") {
  LinkWorld world;
  world.far->say(frame_message(hello_from("b")) + frame_message(List{"dags"}) +
                 frame_chunk_header(1, 4, false) + "data" + frame_message(Cancel{1}));
  CHECK(world.messages == std::vector<Message>{List{"dags"}, Cancel{1}});
  CHECK(world.chunks == std::vector<std::string>{"data"});
}

TEST_CASE("what comes before the hello closes the link, content included") {
  for (const std::string& bytes :
       {frame_message(List{"dags"}), frame_message(Ping{1}),
        frame_chunk_header(1, 4, false) + "data", std::string("GET / HTTP/1.1\r\n")}) {
    LinkWorld world;
    world.far->say(bytes);
    CHECK(world.closings.size() == 1);
    CHECK(world.messages.empty());
    CHECK(world.chunks.empty());
    CHECK_FALSE(world.link->greeted());
  }
}

TEST_CASE("a later hello is heard by who cares, and may be refused") {
  LinkWorld world;
  world.greet();
  world.say(hello_from("b"));
  CHECK(world.later_hellos == 1);
  CHECK(world.closings.empty());
  world.verdict_on_later = fail(ErrorCode::kInvalid, "it says hello without end");
  world.say(hello_from("b"));
  CHECK(world.why_closed() == "it says hello without end");
}

TEST_CASE("a peer that leaves is believed why") {
  LinkWorld world;
  world.greet();
  world.say(Goodbye{"b is shutting down"});
  CHECK(world.why_closed() == "the peer said: b is shutting down");
}

TEST_CASE("a stranger gets no byte, a friend is told why not") {
  LinkWorld stranger;
  stranger.verdict = fail(ErrorCode::kRefused, "who are you");
  stranger.say(hello_from("x"));
  CHECK(stranger.why_closed() == "who are you");
  CHECK(stranger.far->heard.empty());
  CHECK(stranger.far->finished);

  LinkWorld twin;
  twin.verdict = fail(ErrorCode::kUnavailable, "duplicate link");
  twin.say(hello_from("b"));
  CHECK(twin.why_closed() == "duplicate link");
  CHECK(goodbye_of(*twin.far) == "duplicate link");
}

TEST_CASE("a closed link says and hears nothing more") {
  LinkWorld world;
  world.greet();
  world.link->close("enough");
  CHECK(goodbye_of(*world.far) == "enough");
  world.link->close("again");
  world.link->send(List{"dags"});
  world.link->send_chunk({1, false, "data"});
  world.say(List{"dags"});
  world.far->hang_up();
  CHECK(take_heard(*world.far).empty());
  CHECK(world.messages.empty());
  CHECK(world.closings.size() == 1);
}

TEST_CASE("a broken connection is passed on once") {
  LinkWorld world;
  world.greet();
  world.far->hang_up({ErrorCode::kUnavailable, "reset"});
  world.far->hang_up({ErrorCode::kUnavailable, "reset again"});
  CHECK(world.why_closed() == "reset");
}

TEST_CASE("a link that its owner silences from a handler hears no more of the same read") {
  FakeClock clock;
  const auto far = std::make_shared<FarEnd>();
  std::unique_ptr<Link> link;
  int messages = 0;
  link = std::make_unique<Link>(
      std::make_unique<FakeConnection>(far), clock, false,
      Link::Handlers{[](const Hello&) { return Status(); },
                     [&](const Message&) {
                       ++messages;
                       link->silence();
                     },
                     [](const Chunk&) {}, [] {}, [](const Error&) { FAIL("it was silenced"); }});
  link->start();
  far->say(frame_message(hello_from("b")) + frame_message(List{"a"}) + frame_message(List{"b"}));
  CHECK(messages == 1);
  clock.advance(60s);
  far->hang_up();
}
