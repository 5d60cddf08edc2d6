// A seed decides everything.
#include <doctest/doctest.h>

#include <string>

#include "dagsync/base/log.h"
#include "world.h"

namespace dagsync::sim {
namespace {

std::string digest_of_run(std::uint64_t seed) {
  Options options;
  options.seed = seed;
  World world(std::move(options));
  (void)world.run();
  return world.story().digest();
}

}  // namespace

TEST_CASE("the same seed gives the same trace, and another seed another one") {
  log::set_level(log::Level::kOff);
  for (const std::uint64_t seed : {1u, 5u, 9u, 13u, 17u}) {
    const std::string digest = digest_of_run(seed);
    CHECK(digest == digest_of_run(seed));
    CHECK(digest != digest_of_run(seed + 1));
  }
}

}  // namespace dagsync::sim
