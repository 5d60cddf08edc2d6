// What bash, zsh and fish read to complete the commands and their options. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cli/command_tree.h"

namespace dagsync {

// "bash", "zsh" or "fish"; none for another shell.
[[nodiscard]] std::optional<std::string> completions_for(std::string_view shell,
                                                         const Command& program);

}  // namespace dagsync
