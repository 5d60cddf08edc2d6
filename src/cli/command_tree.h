// The commands with their options as plain values: what a manual and a shell need to know of them.
#pragma once

#include <string>
#include <vector>

namespace dagsync {

struct CommandOption {
  std::vector<std::string> names;  // "--config"; empty: it is told by its position
  std::string value;               // "FILE"; "" is a flag; of a position its name
  std::string about;
  std::string otherwise;  // what counts without it, where that is worth saying
  bool repeatable = false;
  bool required = false;
};

struct Command {
  std::string name;  // without those above it
  std::string about;
  std::string examples;  // lines
  std::vector<CommandOption> options;
  std::vector<Command> commands;
};

// `dagsync` with all below it.
[[nodiscard]] Command command_tree();

}  // namespace dagsync
