#include "dagsync/engine/peers/admission.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "core/record_samples.h"
#include "support/fake_clock.h"
#include "support/paths.h"
#include "support/recording_outlet.h"

using namespace dagsync;

namespace {

const NodeName kPeer{"b"};

struct AdmissionWorld {
  FakeClock clock;
  RecordingOutlet outlet;
  Replica replica{{.self = {"a"}}};
  Admission admission{"dags", clock, replica, outlet};
  Sequence sequence = 0;

  AdmissionWorld() { replica.configure_peer(kPeer, true, true, true); }

  Announce::Item item(const std::string& author = "b", UnixNanos stamp = {}) {
    ++sequence;
    Record record = edit(author, sequence, file_content("x", 0), 0);
    record.stamp = stamp;
    return {{path("dag" + std::to_string(sequence) + ".py"), record.origin, record}, {}};
  }
  std::optional<Admission::Items> announce(std::vector<Announce::Item> items, bool more = false,
                                           std::uint64_t page = 0) {
    Announce announce;
    announce.folder = "dags";
    announce.items = std::move(items);
    announce.more = more;
    announce.page = page;
    return admission.announced(kPeer, std::move(announce));
  }
  // A batch of so many changes; whether it was taken.
  bool flood(std::size_t changes, const std::string& author = "b") {
    std::vector<Announce::Item> items;
    for (std::size_t i = 0; i < changes; ++i)
      items.push_back(item(author));
    return announce(std::move(items)).has_value();
  }
  // Batches of 10,000 until no more is taken, with a bound.
  std::size_t flood_until_full(const std::string& author = "b") {
    std::size_t batches = 0;
    while (batches < 100 && flood(10'000, author))
      ++batches;
    return batches;
  }
  std::vector<std::uint64_t> pages_answered() {
    std::vector<std::uint64_t> pages;
    for (const auto& said : outlet.take())
      if (const auto* done = std::get_if<PageDone>(&said.message)) pages.push_back(done->page);
    return pages;
  }
};

}  // namespace

TEST_CASE("a batch is taken when the last of it has come") {
  AdmissionWorld world;
  CHECK_FALSE(world.announce({world.item()}, true));
  CHECK_FALSE(world.announce({world.item()}, true));
  const auto batch = world.announce({world.item()});
  REQUIRE(batch);
  CHECK(batch->size() == 3);
  CHECK_FALSE(world.announce({world.item()}, true));
  world.admission.peer_lost(kPeer);  // and its next connection begins anew
  CHECK(world.announce({world.item()})->size() == 1);
}

TEST_CASE("nobody but a configured peer is heard") {
  AdmissionWorld world;
  Announce announce;
  announce.items = {world.item()};
  CHECK_FALSE(world.admission.announced(NodeName{"stranger"}, announce));
}

TEST_CASE("what a peer announces and nothing comes of is bounded, and forgiven by and by") {
  AdmissionWorld world;
  const std::size_t batches = world.flood_until_full();
  CHECK(batches > 1);
  CHECK(batches < 100);
  REQUIRE(world.outlet.complaints.size() == 1);
  CHECK(world.outlet.complaints[0].find("too many at once") != std::string::npos);
  CHECK(world.replica.peers().at(kPeer).left_out);  // its next snapshot brings it
  world.clock.advance(std::chrono::minutes(1));
  CHECK(world.flood(1));
}

TEST_CASE("a flood that a peer passes on does not keep its own changes out") {
  AdmissionWorld world;
  CHECK(world.flood_until_full("c") < 100);
  CHECK(world.flood(1));
}

TEST_CASE("what stands on the disk is in nobody's hand any more") {
  AdmissionWorld world;
  for (int batches = 0; batches < 100; ++batches) {
    std::vector<Announce::Item> items;
    for (int i = 0; i < 1'000; ++i)
      items.push_back(world.item());
    const auto taken = world.announce(std::move(items));
    REQUIRE(taken);
    for (const Announce::Item& item : *taken)
      world.admission.published(item.change, {kPeer});
  }
  CHECK(world.outlet.complaints.empty());
}

TEST_CASE("a page is taken in spite of that, and answered when there is room again") {
  AdmissionWorld world;
  CHECK(world.announce({world.item()}, false, 1));
  world.admission.answer_pages();
  CHECK(world.pages_answered() == std::vector<std::uint64_t>{1});
  (void)world.flood_until_full();
  CHECK(world.announce({world.item()}, false, 2));
  CHECK(world.announce({world.item()}, false, 3));
  world.admission.answer_pages();
  CHECK(world.pages_answered().empty());
  world.clock.advance(std::chrono::minutes(1));
  CHECK(world.pages_answered() == std::vector<std::uint64_t>{2, 3});
}

TEST_CASE("no peer has more than some pages waiting") {
  AdmissionWorld world;
  (void)world.flood_until_full();
  world.outlet.complaints.clear();
  std::uint64_t page = 1;
  while (page < 100 && world.announce({world.item()}, false, page))
    ++page;
  CHECK(page == 17);
  CHECK(world.outlet.complaints.size() == 1);
}

TEST_CASE("a change of the far future is left out, and the others are not") {
  AdmissionWorld world;
  const UnixNanos far = world.clock.now() + std::chrono::hours(24) * 365 * 11;
  const auto taken = world.announce({world.item("b", far), world.item()});
  REQUIRE(taken);
  CHECK(taken->size() == 1);
  CHECK(world.replica.peers().at(kPeer).left_out);
  REQUIRE(world.outlet.complaints.size() == 1);
  CHECK(world.outlet.complaints[0].find("far future") != std::string::npos);
}

TEST_CASE("knowledge that is full of holes is not listened to as often as it is told") {
  AdmissionWorld world;
  int heard = 0;
  while (heard < 100 && world.admission.may_tell(kPeer, 100'000))
    ++heard;
  CHECK(heard == 5);
  CHECK(world.outlet.complaints.size() == 1);
  world.clock.advance(std::chrono::seconds(1));
  CHECK(world.admission.may_tell(kPeer, 2));
}
