// Deliberate defects, to show that the checks can fail: a port that breaks its contract, or a
// network that rewrites what nodes say. The daemons themselves stay as they are.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "world.h"

namespace dagsync::sim {

struct Defect {
  std::string name;
  std::string what;   // which rule of the design it stands for
  std::string trips;  // what the check says that finds it (checks.cc, world.cc); a part of that
  std::function<void(Options&)> apply;
};

[[nodiscard]] const std::vector<Defect>& defects();

// No defect, though nobody's network does it: a third of the live changes never arrive, while their
// sender goes on as if they had. Counts them.
[[nodiscard]] std::function<void(Options&)> losing_announcements(std::size_t& lost);

}  // namespace dagsync::sim
