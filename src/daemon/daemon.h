// The daemon as a whole: what `dagsync daemon` runs.
#pragma once

#include <optional>
#include <string>

#include "dagsync/base/log.h"

namespace dagsync {

struct DaemonOptions {
  std::string config_path;
  std::optional<log::Level> level;  // stands above the one in the configuration
  bool check = false;               // read the configuration, open everything, return
};

// Runs until SIGTERM or SIGINT. The exit status: 0 after one of these, 2 for a bad configuration, 1
// otherwise; what went wrong is on standard error.
[[nodiscard]] int run_daemon(const DaemonOptions& options);

}  // namespace dagsync
