// dagsync-sim: a mesh in one process, from one seed. See README.md, "Building and testing".
#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <string>

#include "dagsync/base/log.h"
#include "world.h"

namespace {

using dagsync::sim::Options;
using dagsync::sim::Seeded;
using dagsync::sim::World;

constexpr int kSteps = 60;

int nodes_of(std::uint64_t seed) {
  return 3 + static_cast<int>(Seeded(seed ^ 0x6e6f646573u).below(5));
}

int run_one(const Options& options, const std::string& trace) {
  World world(options);
  const auto violation = world.run();
  if (!trace.empty()) std::ofstream(trace) << world.story().all();
  if (violation) {
    std::cout << world.story().about(violation->path) << "\n" << violation->what << "\n";
    if (!violation->path.is_root()) std::cout << "path: " << display(violation->path) << "\n";
  }
  std::cout << world.story().digest() << "\n";
  return violation ? 1 : 0;
}

int run_many(std::uint64_t from, std::uint64_t to, int nodes, int steps, bool disasters) {
  for (std::uint64_t seed = from; seed <= to; ++seed) {
    Options options;
    options.seed = seed;
    options.nodes = nodes > 0 ? nodes : nodes_of(seed);
    options.steps = steps;
    options.disasters = disasters;
    World world(options);
    const auto violation = world.run();
    if (!violation) continue;
    std::cout << world.story().about(violation->path) << "\n"
              << "seed " << seed << ": " << violation->what << "\n"
              << "replay: dagsync-sim --seed " << seed << " --nodes " << options.nodes
              << " --steps " << steps << (disasters ? " --disasters" : "") << "\n"
              << world.story().digest() << "\n";
    return 1;
  }
  std::cout << "every check held for the seeds " << from << " to " << to << "\n";
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Runs a mesh of dagsync nodes in one process, from one seed, with faults.");
  std::uint64_t seed = 1;
  int nodes = 0;
  int steps = kSteps;
  std::string trace;
  std::string seeds;
  bool verbose = false;
  bool disasters = false;
  app.add_option("--seed", seed, "what decides everything");
  app.add_option("--nodes", nodes, "machines; without it the seed decides: 3 to 7");
  app.add_option("--steps", steps, "deeds and faults before everything is mended");
  app.add_option("--trace", trace, "a file for all that happened");
  app.add_option("--seeds", seeds, "FROM..TO: one after the other, up to the first that fails");
  app.add_flag("--disasters", disasters,
               "lost state, lost machines, folders that are away, failing disks, too");
  app.add_flag("--log", verbose, "the log of the daemons, to standard error");
  CLI11_PARSE(app, argc, argv);
  dagsync::log::start(verbose ? dagsync::log::Level::kDebug : dagsync::log::Level::kOff);
  if (!seeds.empty()) {
    const std::size_t dots = seeds.find("..");
    if (dots == std::string::npos) {
      std::cerr << "--seeds: FROM..TO\n";
      return 2;
    }
    return run_many(std::stoull(seeds.substr(0, dots)), std::stoull(seeds.substr(dots + 2)), nodes,
                    steps, disasters);
  }
  Options options;
  options.seed = seed;
  options.nodes = nodes > 0 ? nodes : nodes_of(seed);
  options.steps = steps;
  options.disasters = disasters;
  return run_one(options, trace);
}
