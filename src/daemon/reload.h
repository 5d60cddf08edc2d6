// What a reload of dagsync.toml takes over, and what it leaves until a restart. Pure.
#pragma once

#include <string>
#include <vector>

#include "daemon/config.h"

namespace dagsync {

// nullptr where none has this name.
[[nodiscard]] const FolderConfig* find_folder(const std::vector<FolderConfig>& folders,
                                              const std::string& name);

// The folders of `now`, but for what one that is at work, in `before`, keeps until a restart.
[[nodiscard]] std::vector<FolderConfig> folders_after_reload(const Config& before,
                                                             const Config& now);

// Which keys have changed and have no effect before a restart, as a person would name them.
[[nodiscard]] std::vector<std::string> keys_that_need_a_restart(const Config& before,
                                                                const Config& now);

}  // namespace dagsync
