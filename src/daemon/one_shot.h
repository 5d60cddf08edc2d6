// A push without a daemon, for a CI runner: `dagsync push --to HOST:PORT --from DIR`.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemon/config.h"
#include "dagsync/base/time.h"

namespace dagsync {

struct OneShotPush {
  Config config;                        // for its name, certificate and, where it has them, peers
  std::vector<std::string> targets;     // "HOST:PORT", at least one
  std::string from;                     // an existing directory
  std::string folder;                   // "": the only one that the receiver has
  bool delete_missing = false;          // delete there what is not in `from`
  bool dry_run = false;                 // print what would be done
  std::optional<std::size_t> min_acks;  // none: all targets
  Duration timeout{};
  bool json = false;
};

// Blocks until the acknowledgements are there. Prints as `dagsync push` does; the exit status: 0
// acknowledged, 1 timed out or refused.
[[nodiscard]] int push_once(const OneShotPush& push);

}  // namespace dagsync
