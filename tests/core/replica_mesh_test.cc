#include "core/replica_mesh.h"

using namespace dagsync;

TEST_CASE("whatever happens in whatever order, all nodes end with equal records") {
  constexpr std::uint64_t kSeeds = 150;
  constexpr int kSteps = 400;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    CAPTURE(seed);
    ReplicaMesh mesh(seed);
    for (int i = 0; i < kSteps; ++i)
      mesh.step();
    mesh.heal();
    mesh.check_equal();
  }
}

TEST_CASE("nodes whose index went back to an earlier day, or is lost, end equal with the others") {
  constexpr std::uint64_t kSeeds = 300;
  constexpr int kSteps = 400;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    CAPTURE(seed);
    ReplicaMesh mesh(seed, true);
    for (int i = 0; i < kSteps; ++i)
      mesh.step();
    mesh.heal();
    mesh.check_equal();
  }
}
