// The program: reads the command line and runs the command.
#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "cli/command_line.h"
#include "daemon/config_values.h"
#include "daemon/print_error.h"

namespace dagsync {
namespace {

// What was mistyped and how to go on.
void explain(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App* level = &app;
  std::string words = "dagsync";
  while (!level->get_subcommands().empty()) {
    level = level->get_subcommands().front();
    words += " " + level->get_name();
  }
  std::vector<std::string> known;
  for (const CLI::App* command : level->get_subcommands([](const CLI::App*) { return true; })) {
    known.push_back(command->get_name());
  }
  std::string what = error.what();
  const std::vector<std::string> rest = level->remaining();
  if (!known.empty() && !rest.empty() && !rest.front().starts_with('-')) {
    what = "there is no command \"" + rest.front() + "\"";
    if (const auto near = nearest_word(rest.front(), known)) {
      what += ": did you mean `" + words + " " + std::string(*near) + "`?";
    }
  }
  print_error(what + ": see `" + words + " --help`");
}

int run_main(int argc, char** argv) {
  CommandLine line;
  CLI::App app;
  add_commands(app, line);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    explain(app, error);
    return kExitUsage;
  }
  return line.run();
}

}  // namespace
}  // namespace dagsync

int main(int argc, char** argv) {
  return dagsync::run_main(argc, argv);
}
