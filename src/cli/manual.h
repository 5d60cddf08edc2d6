// The manual pages: hand-written templates, with the parts that follow from the program filled in.
// Pure.
#pragma once

#include <string>
#include <string_view>

#include "cli/command_tree.h"

namespace dagsync {

// dagsync(1): the lines `@COMMANDS@` and `@SYNOPSIS@` of the template become what the commands say
// of themselves, and `@VERSION@` anywhere the version.
[[nodiscard]] std::string fill_command_page(std::string_view page, const Command& program,
                                            std::string_view version);

// dagsync.toml(5): the line `@KEYS@` becomes what the sample configuration says of each key: the
// comment above it, and its value as the default (where the key is commented out) or as an example.
[[nodiscard]] std::string fill_config_page(std::string_view page, std::string_view sample,
                                           std::string_view version);

}  // namespace dagsync
