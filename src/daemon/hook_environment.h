// Whom a hook's program runs as, what it is told, and whether it can be run. Calls block for a
// moment.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemon/config.h"
#include "dagsync/base/result.h"
#include "net/uv_process.h"

namespace dagsync {

struct HookUser {
  std::optional<ProcessPlan::User> change_to;  // none: who runs it already
  std::string name;                            // "": as the environment has it
  std::string home;
};

// `user` of a [[hook]]; "": whoever the daemon runs as. kNotFound: this machine has none of that
// name.
[[nodiscard]] Result<HookUser> find_hook_user(const std::string& user);

// The daemon's own environment, without what concerns only it; of another user with that one's home
// and name.
[[nodiscard]] std::vector<std::string> hook_environment(const HookUser& user);

// Whether the program is there, the user too, and the right to become it.
[[nodiscard]] Status check_hook(const HookConfig& hook);

}  // namespace dagsync
