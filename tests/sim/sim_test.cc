// A fixed set of seeds, and that a seed decides everything. More of them: dagsync-sim --seeds.
#include <doctest/doctest.h>

#include <string>

#include "dagsync/base/log.h"
#include "world.h"

namespace dagsync::sim {
namespace {

constexpr std::uint64_t kSeeds = 46;

Options options_of(std::uint64_t seed) {
  Options options;
  options.seed = seed;
  options.nodes = 3 + static_cast<int>(seed % 5);
  return options;
}

std::string digest_of_run(std::uint64_t seed) {
  World world(options_of(seed));
  (void)world.run();
  return world.story().digest();
}

}  // namespace

TEST_CASE("the same seed gives the same trace, and another seed another one") {
  log::set_level(log::Level::kOff);
  for (const std::uint64_t seed : {1u, 5u, 9u}) {
    const std::string digest = digest_of_run(seed);
    CHECK(digest == digest_of_run(seed));
    CHECK(digest != digest_of_run(seed + 1));
  }
}

TEST_CASE("every check holds for a fixed set of seeds") {
  log::set_level(log::Level::kOff);
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    World world(options_of(seed));
    const auto violation = world.run();
    if (!violation) continue;
    MESSAGE(world.story().about(violation->path));
    FAIL("seed ", seed, ": ", violation->what, "; replay: dagsync-sim --seed ", seed, " --nodes ",
         options_of(seed).nodes);
  }
}

}  // namespace dagsync::sim
