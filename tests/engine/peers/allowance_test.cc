#include "dagsync/engine/peers/allowance.h"

#include <doctest/doctest.h>

using namespace dagsync;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_CASE("an allowance is there at once, and comes back with the time") {
  Allowance allowance(10, 2);
  MonoNanos now{1'000'000'000'000};
  CHECK_FALSE(allowance.is_spent(now));
  allowance.take(10, now);
  CHECK(allowance.is_spent(now));
  CHECK(allowance.pause(now) == milliseconds(500));
  now = now + milliseconds(500);
  CHECK_FALSE(allowance.is_spent(now));
}

TEST_CASE("what was taken on credit is waited for") {
  Allowance allowance(10, 2);
  const MonoNanos now{1'000'000'000'000};
  allowance.take(30, now);
  CHECK(allowance.pause(now) == milliseconds(10'500));
  CHECK(allowance.is_spent(now + seconds(10)));
  CHECK_FALSE(allowance.is_spent(now + seconds(11)));
}

TEST_CASE("an allowance does not grow above its most, however long nothing is taken") {
  Allowance allowance(10, 2);
  MonoNanos now{1};
  (void)allowance.is_spent(now);
  now = now + std::chrono::hours(1);
  allowance.take(10, now);
  CHECK(allowance.is_spent(now));
}

TEST_CASE("what was worth it is given back, and no more than there was") {
  Allowance allowance(10, 2);
  const MonoNanos now{1'000'000'000'000};
  allowance.take(30, now);
  allowance.give_back(25);
  CHECK_FALSE(allowance.is_spent(now));
  allowance.give_back(1000);
  allowance.take(10, now);
  CHECK(allowance.is_spent(now));
}
