// The checks can fail: each deliberate defect is found within a bounded number of seeds.
#include <doctest/doctest.h>

#include "dagsync/base/log.h"
#include "defects.h"

namespace dagsync::sim {

TEST_CASE("each deliberate defect is found within a bounded number of seeds") {
  constexpr std::uint64_t kMostSeeds = 200;
  log::set_level(log::Level::kOff);
  for (const Defect& defect : defects()) {
    std::uint64_t seed = 1;
    std::optional<Violation> violation;
    for (; seed <= kMostSeeds && !violation; ++seed) {
      Options options;
      options.seed = seed;
      options.nodes = 3;
      defect.apply(options);
      violation = World(std::move(options)).run();
    }
    CAPTURE(defect.name);
    CAPTURE(defect.what);
    CHECK(violation.has_value());
    if (violation) MESSAGE(defect.name, ", seed ", seed - 1, ": ", violation->what);
  }
}

TEST_CASE("live changes that are lost on the way are made good by what nodes tell of themselves") {
  log::set_level(log::Level::kOff);
  std::size_t lost = 0;
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    Options options;
    options.seed = seed;
    options.nodes = 3;
    losing_announcements(lost)(options);
    const std::optional<Violation> violation = World(std::move(options)).run();
    CAPTURE(seed);
    CHECK_FALSE(violation.has_value());
  }
  CHECK(lost > 0);
}

}  // namespace dagsync::sim
