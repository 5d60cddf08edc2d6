// From csync2's configuration to dagsync's: what a group did becomes folders and peers, and what has
// no counterpart a comment that says why. Pure.
#pragma once

#include <functional>
#include <string>

#include "csync2/csync2_config.h"

namespace dagsync {

struct Csync2Import {
  std::string host;  // of this machine, as csync2 knows it: lower case
  // Whether a path is known to be a regular file, which is no folder that could be replicated.
  std::function<bool(const std::string& path)> is_file = [](const std::string&) { return false; };
};

// The text of a dagsync.toml. kNotFound where no group names the host, or none of its includes can
// be a folder; kInvalid where a %prefix% is not defined for it.
[[nodiscard]] Result<std::string> import_csync2(const Csync2Config& config,
                                                const Csync2Import& import);

}  // namespace dagsync
