// The command line as CLI11 reads it. Who includes CLI11 beside this: main.cc, which parses with
// it, and command_tree.cc, from which the manual and the completions are made.
#pragma once

#include <functional>
#include <string>

#include "cli/commands.h"
#include "daemon/daemon.h"

namespace CLI {
class App;
}

namespace dagsync {

// What was read; `run` carries out the command that was asked for, and returns the exit status.
struct CommandLine {
  std::string config_path;
  DaemonOptions daemon;
  std::string log_level;
  StatusOptions status;
  PushOptions push;
  VersionsOptions versions;
  RestoreOptions restore;
  PauseOptions pause;
  ResumeOptions resume;
  VerifyOptions verify;
  EventsOptions events;
  InitOptions init;
  CertsOptions certs;
  ImportCsync2Options import_csync2;
  std::function<int()> run;
};

// Adds every command with its options to `app`, which fills `line` and must go before it.
void add_commands(CLI::App& app, CommandLine& line);

}  // namespace dagsync
