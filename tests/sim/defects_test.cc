// The checks can fail: each deliberate defect is found within a bounded number of seeds.
#include <doctest/doctest.h>

#include <map>

#include "dagsync/base/log.h"
#include "defects.h"

namespace dagsync::sim {
namespace {

// What a seed comes to, on three nodes; "" where every check holds.
std::string outcome(std::uint64_t seed, const std::function<void(Options&)>& apply = {}) {
  Options options;
  options.seed = seed;
  options.nodes = 3;
  if (apply) apply(options);
  const std::optional<Violation> violation = World(std::move(options)).run();
  return violation ? violation->what : "";
}

// Without any defect: each seed is run once.
const std::string& control(std::uint64_t seed) {
  static std::map<std::uint64_t, std::string> outcomes;
  const auto it = outcomes.find(seed);
  if (it != outcomes.end()) return it->second;
  return outcomes[seed] = outcome(seed);
}

}  // namespace

TEST_CASE(
    "each deliberate defect trips its check, on a bounded number of seeds that hold without") {
  constexpr std::uint64_t kMostSeeds = 200;
  log::set_level(log::Level::kOff);
  for (const Defect& defect : defects()) {
    CAPTURE(defect.name);
    CAPTURE(defect.what);
    CAPTURE(defect.trips);
    bool found = false;
    for (std::uint64_t seed = 1; seed <= kMostSeeds && !found; ++seed) {
      CAPTURE(seed);
      REQUIRE(control(seed) == "");
      const std::string violation = outcome(seed, defect.apply);
      found = violation.find(defect.trips) != std::string::npos;
      if (found) MESSAGE(defect.name, ", seed ", seed, ": ", violation);
    }
    CHECK(found);
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
