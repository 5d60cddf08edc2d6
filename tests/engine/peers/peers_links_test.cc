// Of two links to one peer, one stays.
#include "engine/peers/peers_world.h"

using namespace dagsync;
using namespace std::chrono_literals;

namespace {

using Names = PeersWorld::Names;

}  // namespace

TEST_CASE("of two links between two nodes, the one that the lesser name dialed stays") {
  SUBCASE("theirs, where their name is less") {
    PeersWorld world("m");
    world.peers.start_dialing();
    const auto dialed = world.be_dialed({"a"});
    PeersWorld::greet(*dialed, "a");
    const auto accepted = world.come_in({"a"});
    PeersWorld::greet(*accepted, "a");
    CHECK(world.take_events() == Names{"connected a", "lost a", "connected a"});
    world.clock.advance(1ms);
    CHECK(dialed->gone);
    CHECK_FALSE(accepted->gone);
  }
  SUBCASE("ours, where ours is") {
    PeersWorld world("m");
    const auto dialed = world.dial_z();
    PeersWorld::greet(*dialed, "z");
    const auto accepted = world.come_in({"z"});
    PeersWorld::greet(*accepted, "z");
    CHECK(world.take_events() == Names{"connected z"});
    CHECK(goodbye_of(*accepted) == "duplicate link");
    CHECK_FALSE(dialed->gone);
  }
  SUBCASE("an accepted one is there already when ours is answered") {
    PeersWorld world("m");
    world.peers.start_dialing();
    const auto dialed = world.be_dialed({"a"});  // we wait for its hello
    const auto accepted = world.connect("a");
    PeersWorld::greet(*dialed, "a");
    CHECK(world.take_events().empty());
    world.clock.advance(1ms);
    CHECK(dialed->gone);
    CHECK_FALSE(accepted->gone);
  }
}

TEST_CASE("of two that are dialed at the same moment, too, both ends keep the same") {
  SUBCASE("theirs, where their name is less") {
    PeersWorld world("m");
    world.peers.start_dialing();
    const auto dialed = world.be_dialed({"a"});  // we wait for its hello, and it for ours
    const auto accepted = world.come_in({"a"});
    PeersWorld::greet(*accepted, "a");
    CHECK(world.take_events() == Names{"connected a"});
    world.clock.advance(1ms);
    CHECK(dialed->gone);
    CHECK_FALSE(accepted->gone);
  }
  SUBCASE("ours, where ours is") {
    PeersWorld world("m");
    const auto dialed = world.dial_z();
    const auto accepted = world.come_in({"z"});
    PeersWorld::greet(*accepted, "z");
    CHECK(goodbye_of(*accepted) == "duplicate link");
    CHECK(world.take_events().empty());
    SUBCASE("and it answers") {
      PeersWorld::greet(*dialed, "z");
      CHECK(world.take_events() == Names{"connected z"});
      CHECK_FALSE(dialed->gone);
    }
    SUBCASE("unless it comes to nothing") {
      dialed->hang_up();
      const auto again = world.connect("z");
      CHECK_FALSE(again->gone);
    }
  }
  SUBCASE("and who is told so does not complain, but waits for the other one") {
    PeersWorld world("m");
    world.peers.start_dialing();
    const auto dialed = world.be_dialed({"a"});
    dialed->say(frame_message(Goodbye{"duplicate link"}));
    CHECK(world.status_of("a").trouble.find("duplicate") == std::string::npos);
    (void)world.connect("a");
  }
}

TEST_CASE("a peer that dials again has lost its old link") {
  PeersWorld world;
  const auto old = world.connect("z");
  const auto young = world.come_in({"z"});
  PeersWorld::greet(*young, "z");
  CHECK(world.take_events() == Names{"lost z", "connected z"});
  world.clock.advance(1ms);
  CHECK(old->gone);
}

TEST_CASE("a link that was given up is not heard any more") {
  PeersWorld world;
  world.peers.start_dialing();
  const auto greeting = world.be_dialed({"a"});
  const auto old = world.connect("a");  // so the one that we dialed is not needed
  const auto young = world.come_in({"a"});
  PeersWorld::greet(*young, "a");
  CHECK(world.take_events() == Names{"lost a", "connected a"});
  old->say(frame_message(List{"dags"}));
  PeersWorld::greet(*greeting, "a");
  CHECK(world.take_events().empty());
  world.peers.configure({});
  CHECK(world.take_events() == Names{"lost a"});
  PeersWorld::greet(*greeting, "a");
  young->say(frame_message(List{"dags"}));
  CHECK(world.take_events().empty());
}
