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
  CHECK(world.events.find(0) == nullptr);
  CHECK(world.events.find(1) == nullptr);
  world.add(2);
  CHECK(world.events.last() == 2);
  CHECK(world.events.find(2)->number == 2);
  CHECK(world.events.find(2)->at == world.clock.now());
  CHECK(world.events.find(3) == nullptr);
}

TEST_CASE("only the newest are kept") {
  EventsWorld world;
  while (world.events.last() < Events::kKept + 100) {
    world.add(Events::kBurst);
    world.clock.advance(Events::kWindow);
  }
  const std::uint64_t last = world.events.last();
  CHECK(world.events.find(last - Events::kKept) == nullptr);
  CHECK(world.events.find(last - Events::kKept + 1)->number == last - Events::kKept + 1);
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
  const Event* rest = world.events.find(world.events.last() - 1);
  CHECK(rest->what == "and 7 more");
  CHECK(rest->folder == "dags");
  CHECK(rest->kind == Event::Kind::kSent);
  CHECK(world.events.find(world.events.last())->what == "and 1 more");
  world.add(1);
  CHECK(world.events.last() == 2 * Events::kBurst + 6);
  world.clock.advance(Events::kWindow);
  CHECK(world.clock.timers() == 0);
}
