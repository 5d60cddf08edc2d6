// dagsync-sim: a mesh in one process, from one seed. See README.md, "Building and testing".
#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "dagsync/base/log.h"
#include "world.h"

namespace {

using dagsync::sim::Options;
using dagsync::sim::World;

std::string replay_of(const Options& options) {
  return "dagsync-sim --seed " + std::to_string(options.seed) +
         (options.nodes > 0 ? " --nodes " + std::to_string(options.nodes) : "") + " --steps " +
         std::to_string(options.steps) + (options.disasters ? " --disasters" : "");
}

// The same run with fewer steps is the beginning of it, so the story of the shortest one that still
// fails is the one to read. By halving: what fails need not fail with every number above, too.
Options shortest_that_fails(Options options) {
  int holds = 0;
  while (options.steps - holds > 1) {
    Options fewer = options;
    fewer.steps = holds + (options.steps - holds) / 2;
    if (World(fewer).run()) {
      options = fewer;
    } else {
      holds = fewer.steps;
    }
  }
  return options;
}

void explain(const Options& options) {
  const Options shortest = shortest_that_fails(options);
  World world(shortest);
  const auto violation = world.run();
  std::cout << world.story().about(violation->path) << "\n"
            << "seed " << shortest.seed << ": " << violation->what << "\n";
  if (!violation->path.is_root()) std::cout << "path: " << display(violation->path) << "\n";
  std::cout << "replay: " << replay_of(shortest) << "\n";
}

int run_one(const Options& options, const std::string& trace) {
  World world(options);
  const auto violation = world.run();
  if (!trace.empty()) std::ofstream(trace) << world.story().all();
  if (violation) explain(options);
  std::cout << world.story().digest() << "\n";
  return violation ? 1 : 0;
}

// Each without and with disasters.
int run_many(Options options, std::uint64_t from, std::uint64_t to) {
  for (options.seed = from; options.seed <= to; ++options.seed) {
    for (const bool disasters : {false, true}) {
      options.disasters = disasters;
      World world(options);
      if (!world.run()) continue;
      explain(options);
      std::cout << world.story().digest() << "\n";
      return 1;
    }
  }
  std::cout << "every check held for the seeds " << from << " to " << to << "\n";
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Runs a mesh of dagsync nodes in one process, from one seed, with faults.");
  Options options;
  std::string trace;
  std::string seeds;
  bool verbose = false;
  app.add_option("--seed", options.seed, "what decides everything");
  app.add_option("--nodes", options.nodes, "machines; without it the seed decides: 3 to 7");
  app.add_option("--steps", options.steps, "deeds and faults before everything is mended");
  app.add_option("--trace", trace, "a file for all that happened");
  app.add_option(
      "--seeds", seeds,
      "FROM..TO: one after the other, without and with disasters, up to the first that fails");
  app.add_flag("--disasters", options.disasters,
               "lost state, lost machines, folders that are away, failing disks, too");
  app.add_flag("--log", verbose, "the log of the daemons, to standard error");
  CLI11_PARSE(app, argc, argv);
  dagsync::log::start(verbose ? dagsync::log::Level::kDebug : dagsync::log::Level::kOff);
  if (seeds.empty()) return run_one(options, trace);
  const std::size_t dots = seeds.find("..");
  if (dots == std::string::npos) {
    std::cerr << "--seeds: FROM..TO\n";
    return 2;
  }
  return run_many(options, std::stoull(seeds.substr(0, dots)), std::stoull(seeds.substr(dots + 2)));
}
