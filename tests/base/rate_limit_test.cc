#include "dagsync/base/rate_limit.h"

#include <doctest/doctest.h>

#include <string>

namespace dagsync {

TEST_CASE("each key passes once a period") {
  RateLimit limit(std::chrono::seconds(60));
  const MonoNanos start{1};
  CHECK(limit.allows("a", start));
  CHECK_FALSE(limit.allows("a", start + std::chrono::seconds(59)));
  CHECK(limit.allows("b", start + std::chrono::seconds(59)));
  CHECK(limit.allows("a", start + std::chrono::seconds(60)));
  CHECK_FALSE(limit.allows("a", start + std::chrono::seconds(61)));
}

TEST_CASE("many keys do not take more memory, and old ones make room") {
  RateLimit limit(std::chrono::seconds(60));
  const MonoNanos start{1};
  for (std::size_t i = 0; i < RateLimit::kMaxKeys; ++i) {
    CHECK(limit.allows(std::to_string(i), start));
  }
  CHECK_FALSE(limit.allows("one more", start));
  CHECK(limit.allows("one more", start + std::chrono::seconds(60)));
}

}  // namespace dagsync
