// A fixed set of seeds. Few of them, since each takes thirty times as long under the sanitizers:
// the test sim/seeds runs more in the optimised build.
#include <doctest/doctest.h>

#include <string>

#include "dagsync/base/log.h"
#include "world.h"

namespace dagsync::sim {
namespace {

constexpr std::uint64_t kSeeds = 16;
constexpr std::uint64_t kSeedsOfDisasters = 8;

Options options_of(std::uint64_t seed) {
  Options options;
  options.seed = seed;
  return options;
}

void check(const Options& options) {
  World world(options);
  const auto violation = world.run();
  if (!violation) return;
  MESSAGE(world.story().about(violation->path));
  FAIL("seed ", options.seed, ": ", violation->what, "; replay: dagsync-sim --seed ", options.seed,
       options.disasters ? " --disasters" : "");
}

}  // namespace

TEST_CASE("every check holds for a fixed set of seeds") {
  log::set_level(log::Level::kOff);
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed)
    check(options_of(seed));
}

TEST_CASE("and for some with lost state, lost machines, folders that are away and failing disks") {
  log::set_level(log::Level::kOff);
  for (std::uint64_t seed = 1; seed <= kSeedsOfDisasters; ++seed) {
    Options options = options_of(seed);
    options.disasters = true;
    check(options);
  }
}

}  // namespace dagsync::sim
