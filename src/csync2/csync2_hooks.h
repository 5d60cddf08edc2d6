// csync2's actions as [[hook]]s. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "csync2/csync2_config.h"

namespace dagsync {

struct Csync2Hook {
  std::vector<std::string> match;  // lines of .gitignore; none: every path of the folder
  std::vector<std::string> run;
};

// One for each command of an action, of the folder at this path; none: the action has nothing to do
// with it. `patterns` are the action's, with what their prefixes stand for.
[[nodiscard]] std::optional<std::vector<Csync2Hook>> csync2_hooks(
    const Csync2Action& action, const std::vector<std::string>& patterns,
    const std::string& folder);

}  // namespace dagsync
