#include "cli/command_tree.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/command_line.h"

namespace dagsync {
namespace {

CommandOption describe_option(const CLI::Option& option) {
  CommandOption out;
  for (const std::string& name : option.get_snames())
    out.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames())
    out.names.push_back("--" + name);
  const bool takes_value = option.get_type_size_max() > 0;
  if (option.get_positional()) {
    out.value = option.get_name(true);
  } else if (takes_value) {
    out.value = option.get_type_name();
  }
  out.about = option.get_description();
  if (takes_value) out.otherwise = option.get_default_str();
  out.repeatable = takes_value && option.get_expected_max() > 1;
  out.required = option.get_required();
  return out;
}

Command describe_command(const CLI::App& app) {
  Command out;
  out.name = app.get_name();
  out.about = app.get_description();
  const std::string footer = app.get_footer();
  out.examples = footer.substr(std::min(footer.size(), footer.find('\n') + 1));
  for (const CLI::Option* option : app.get_options())
    out.options.push_back(describe_option(*option));
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
    out.commands.push_back(describe_command(*command));
  return out;
}

}  // namespace

Command command_tree() {
  CommandLine line;
  CLI::App app;
  add_commands(app, line);
  return describe_command(app);
}

}  // namespace dagsync
