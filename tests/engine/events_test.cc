#include "dagsync/engine/events.h"

#include <doctest/doctest.h>

#include <vector>

#include "support/fake_clock.h"

using namespace dagsync;

namespace {

struct EventsWorld {
  FakeClock clock;
  Events events{clock};

  void add(std::size_t count, Event::Kind kind = Event::Kind::kSent,
           const std::string& folder = "dags") {
    for (std::size_t i = 0; i < count; ++i) {
      Event event;
      event.kind = kind;
      event.folder = folder;
      events.add(event);
    }
  }
};

}  // namespace

TEST_CASE("events are numbered from 1 on and stamped") {
  EventsWorld world;
  CHECK(world.events.last() == 0);
  CHECK_FALSE(world.events.find(0));
  CHECK_FALSE(world.events.find(1));
  world.add(2);
  CHECK(world.events.last() == 2);
  CHECK(world.events.find(2)->number == 2);
  CHECK(world.events.find(2)->at == world.clock.now());
  CHECK_FALSE(world.events.find(3));
}

TEST_CASE("only the newest are kept") {
  EventsWorld world;
  while (world.events.last() < Events::kKept + 100) {
    world.add(Events::kBurst);
    world.clock.advance(Events::kWindow);
  }
  const std::uint64_t last = world.events.last();
  CHECK_FALSE(world.events.find(last - Events::kKept));
  CHECK(world.events.find(last - Events::kKept + 1)->number == last - Events::kKept + 1);
}

TEST_CASE("an event is found as it was, as long as it is kept") {
  EventsWorld world;
  const std::size_t count = 700;  // more than a page of the ring
  for (std::size_t i = 1; i <= count; ++i) {
    Event event;
    event.kind = i % 2 == 0 ? Event::Kind::kApplied : Event::Kind::kRefused;
    event.folder = i % 5 == 0 ? "" : "dags";
    if (i % 3 != 0) event.path = *RelPath::parse("team/dag_" + std::to_string(i) + "\xff.py");
    event.peer = std::string(i % 7, 'p');
    event.what = "what " + std::to_string(i);
    world.events.add(event);
  }
  for (std::size_t i = 1; i <= count; ++i) {
    const auto found = world.events.find(i);
    REQUIRE(found);
    CHECK(found->number == i);
    CHECK(found->kind == (i % 2 == 0 ? Event::Kind::kApplied : Event::Kind::kRefused));
    CHECK(found->folder == (i % 5 == 0 ? "" : "dags"));
    CHECK(found->path.is_root() == (i % 3 == 0));
    if (i % 3 != 0) CHECK(found->path.bytes() == "team/dag_" + std::to_string(i) + "\xff.py");
    CHECK(found->peer.size() == i % 7);
    CHECK(found->what == "what " + std::to_string(i));
  }
}

TEST_CASE("a listener hears of each, and may take itself back from within") {
  EventsWorld world;
  int heard = 0;
  int heard_once = 0;
  std::uint64_t once = 0;
  (void)world.events.listen([&] { ++heard; });
  once = world.events.listen([&] {
    ++heard_once;
    world.events.unlisten(once);
  });
  world.add(3);
  CHECK(heard == 3);
  CHECK(heard_once == 1);
}

TEST_CASE("of a burst the rest is counted, by folder and kind") {
  EventsWorld world;
  world.add(Events::kBurst + 7);
  world.add(3, Event::Kind::kApplied);
  world.add(Events::kBurst + 1, Event::Kind::kSent, "other");
  CHECK(world.events.last() == 2 * Events::kBurst + 3);
  world.clock.advance(Events::kWindow);
  REQUIRE(world.events.last() == 2 * Events::kBurst + 5);
  const auto rest = world.events.find(world.events.last() - 1);
  CHECK(rest->what == "and 7 more");
  CHECK(rest->folder == "dags");
  CHECK(rest->kind == Event::Kind::kSent);
  CHECK(world.events.find(world.events.last())->what == "and 1 more");
  world.add(1);
  CHECK(world.events.last() == 2 * Events::kBurst + 6);
  world.clock.advance(Events::kWindow);
  CHECK(world.clock.timers() == 0);
}
