// Whether a daemon runs already, and which one. Blocks, for a moment.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dagsync/core/names.h"

namespace dagsync {

struct RunningDaemon {
  NodeName node;
  std::vector<std::string> listen;  // "HOST:PORT", as it was told
};

// Asks whoever answers on the control socket; none: nobody does, or no dagsync.
[[nodiscard]] std::optional<RunningDaemon> find_running(const std::string& control_socket);

// Those of `addresses` whose port the running daemon does not have.
[[nodiscard]] std::vector<std::string> without_ports_of(const RunningDaemon& running,
                                                        const std::vector<std::string>& addresses);

}  // namespace dagsync
