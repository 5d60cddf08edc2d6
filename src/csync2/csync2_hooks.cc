#include "csync2/csync2_hooks.h"

#include "csync2/csync2_patterns.h"

namespace dagsync {
namespace {

std::string shell_quoted(const std::string& text) {
  std::string out = "'";
  for (const char byte : text)
    out += byte == '\'' ? std::string("'\\''") : std::string(1, byte);
  return out + "'";
}

// csync2 gives a command to the shell, with all paths in place of %%.
std::vector<std::string> program_of(std::string command, const std::string& logfile) {
  bool takes_paths = false;
  for (std::size_t at; (at = command.find("%%")) != std::string::npos; takes_paths = true)
    command.replace(at, 2, "\"$@\"");
  if (!logfile.empty()) command = "( " + command + " ) >>" + shell_quoted(logfile) + " 2>&1";
  std::vector<std::string> run = {"/bin/sh", "-c", command};
  if (takes_paths) {
    run.insert(run.begin(), {"/usr/bin/xargs", "-0"});
    run.push_back("sh");
  }
  return run;
}

// The lines that match what the patterns do in this folder; none: they match nothing in it.
std::optional<std::vector<std::string>> lines_in(const std::string& folder,
                                                 const std::vector<std::string>& patterns) {
  std::vector<std::string> lines;
  for (const std::string& pattern : patterns) {
    if (!is_csync2_path(pattern)) {
      lines.push_back(ignore_line(pattern));
    } else if (const auto part = part_in_folder(pattern, folder)) {
      if (part->empty()) return std::vector<std::string>();
      lines.push_back(ignore_line(*part));
    }
  }
  if (lines.empty() && !patterns.empty()) return std::nullopt;
  return lines;
}

}  // namespace

std::optional<std::vector<Csync2Hook>> csync2_hooks(const Csync2Action& action,
                                                    const std::vector<std::string>& patterns,
                                                    const std::string& folder) {
  const auto match = lines_in(folder, patterns);
  if (!match) return std::nullopt;
  std::vector<Csync2Hook> hooks;
  for (const std::string& command : action.commands)
    hooks.push_back({*match, program_of(command, action.logfile)});
  return hooks;
}

}  // namespace dagsync
