#include "dagsync/engine/lag_meter.h"

#include <doctest/doctest.h>

namespace dagsync::test {
namespace {

const AuthorId kSelf{{"a"}, Epoch{7}};
const NodeName kPeer{"b"};

MonoNanos at_ms(std::int64_t ms) {
  return MonoNanos{} + std::chrono::milliseconds(ms);
}

Knowledge up_to(Sequence last, AuthorId author = kSelf) {
  Knowledge known;
  known.add(author, {1, last});
  return known;
}

std::uint64_t between(const LagHistogram& lag, double above, double up_to) {
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < LagHistogram::kBounds.size(); ++i) {
    if (LagHistogram::kBounds[i] > above && LagHistogram::kBounds[i] <= up_to)
      count += lag.buckets[i];
  }
  return count;
}

}  // namespace

TEST_CASE("a change counts from when it was made until the peer has it durably") {
  LagMeter meter;
  meter.follow(kPeer);
  meter.made(kSelf, 1, at_ms(0));
  meter.made(kSelf, 2, at_ms(100));
  meter.told(kPeer, up_to(1), at_ms(20));
  CHECK(meter.of(kPeer).count() == 1);
  CHECK(between(meter.of(kPeer), 0.01, 0.025) == 1);
  meter.told(kPeer, up_to(1), at_ms(110));
  CHECK(meter.of(kPeer).count() == 1);
  meter.told(kPeer, up_to(2), at_ms(2100));
  CHECK(between(meter.of(kPeer), 1, 2.5) == 1);
  CHECK(meter.of(kPeer).sum_seconds == doctest::Approx(2.02));
}

TEST_CASE("what comes in another order is counted as it comes") {
  LagMeter meter;
  meter.follow(kPeer);
  meter.made(kSelf, 1, at_ms(0));
  meter.made(kSelf, 2, at_ms(10));
  Knowledge second;
  second.add({kSelf, 2});
  meter.told(kPeer, second, at_ms(12));
  CHECK(between(meter.of(kPeer), 0, 0.0025) == 1);
  meter.told(kPeer, up_to(2), at_ms(1000));
  CHECK(meter.of(kPeer).count() == 2);
}

TEST_CASE("what lasts longer than any bound is counted too") {
  LagMeter meter;
  meter.follow(kPeer);
  meter.made(kSelf, 1, at_ms(0));
  meter.told(kPeer, up_to(1), at_ms(3'600'000));
  CHECK(meter.of(kPeer).buckets.back() == 1);
}

TEST_CASE("a peer that is away for long costs no more than so much, and nothing is forgotten") {
  LagMeter meter;
  meter.follow(kPeer);
  for (std::int64_t i = 1; i <= 5000; ++i)
    meter.made(kSelf, static_cast<Sequence>(i), at_ms(i * 10));
  meter.told(kPeer, up_to(LagMeter::kMostMarks - 1), at_ms(60'000));
  CHECK(meter.of(kPeer).count() == LagMeter::kMostMarks - 1);
  meter.told(kPeer, up_to(4999), at_ms(60'000));
  CHECK(meter.of(kPeer).count() == LagMeter::kMostMarks - 1);
  meter.told(kPeer, up_to(5000), at_ms(60'000));
  CHECK(meter.of(kPeer).count() == 5000);
}

TEST_CASE("another epoch has other changes under the same numbers; other peers are not followed") {
  LagMeter meter;
  meter.follow(kPeer);
  meter.made(kSelf, 1, at_ms(0));
  const AuthorId next{{"a"}, Epoch{8}};
  meter.made(next, 1, at_ms(10));
  meter.told(kPeer, up_to(1), at_ms(20));
  CHECK(meter.of(kPeer).count() == 0);
  meter.told(kPeer, up_to(1, next), at_ms(20));
  CHECK(meter.of(kPeer).count() == 1);
  CHECK(meter.of({"c"}).count() == 0);
  meter.forget(kPeer);
  CHECK(meter.of(kPeer).count() == 0);
}

}  // namespace dagsync::test
