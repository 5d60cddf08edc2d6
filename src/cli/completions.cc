#include "cli/completions.h"

#include <algorithm>
#include <functional>
#include <set>
#include <vector>

namespace dagsync {
namespace {

// The names of the folders in the configuration.
constexpr const char* kFolderNames =
    "awk -F'\"' '/^\\[/ {in_folder = /^\\[\\[folder\\]\\]/} in_folder && /^ *name *=/ {print $2}' "
    "\"${DAGSYNC_CONFIG:-/etc/dagsync/dagsync.toml}\" 2>/dev/null";

enum class Kind { kNothing, kFiles, kDirectories, kFolders, kWords };

struct Values {
  Kind kind = Kind::kNothing;
  std::string words;
};

Values values_of(const CommandOption& option) {
  const std::string& value = option.value;
  const bool names_folder = value == "NAME" && std::ranges::count(option.names, "--folder") > 0;
  if (names_folder || value == "FOLDER") return {Kind::kFolders, ""};
  if (value == "FILE" || value == "PATH") return {Kind::kFiles, ""};
  if (value == "DIR") return {Kind::kDirectories, ""};
  if (value == "LEVEL") return {Kind::kWords, "debug info warning error"};
  if (value == "N|all") return {Kind::kWords, "all"};
  return {};
}

// Calls for each command, those above before those below them, with all words that lead there.
void visit(const Command& command, const std::string& above,
           const std::function<void(const Command&, const std::string&)>& call) {
  const std::string path = above.empty() ? command.name : above + " " + command.name;
  call(command, path);
  for (const Command& below : command.commands)
    visit(below, path, call);
}

std::string joined(const std::vector<std::string>& words, std::string_view between) {
  std::string out;
  for (const std::string& word : words)
    out += (out.empty() ? "" : std::string(between)) + word;
  return out;
}

std::string in_quotes(std::string_view text) {
  std::string out = "'";
  for (const char c : text)
    out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

// The paths of all commands but the program itself, as the patterns of a `case`.
std::string paths_of(const Command& program, std::string_view between) {
  std::vector<std::string> paths;
  visit(program, "", [&](const Command&, const std::string& path) {
    if (path != program.name) paths.push_back("'" + path + "'");
  });
  return joined(paths, between);
}

const CommandOption* position_of(const Command& command) {
  const auto it = std::ranges::find_if(
      command.options, [](const CommandOption& option) { return option.names.empty(); });
  return it == command.options.end() ? nullptr : &*it;
}

// -- bash ----------------------------------------------------------------------------------------

std::string bash_offer(const Values& values) {
  switch (values.kind) {
    case Kind::kFiles:
      return "compopt -o default";
    case Kind::kDirectories:
      return "compopt -o dirnames";
    case Kind::kFolders:
      return "words=$(_dagsync_folders)";
    case Kind::kWords:
      return "words=" + in_quotes(values.words);
    case Kind::kNothing:
      return ":";
  }
  return ":";
}

std::string bash_values(const Command& program) {
  std::string out;
  visit(program, "", [&](const Command& command, const std::string& path) {
    for (const CommandOption& option : command.options) {
      if (option.value.empty() || option.names.empty()) continue;
      std::vector<std::string> patterns;
      for (const std::string& name : option.names)
        patterns.push_back(in_quotes(path + " " + name));
      out += "    " + joined(patterns, " | ") + ") " + bash_offer(values_of(option)) + " ;;\n";
    }
  });
  return out;
}

std::string bash_words(const Command& program) {
  std::string out;
  visit(program, "", [&](const Command& command, const std::string& path) {
    std::vector<std::string> options;
    for (const CommandOption& option : command.options)
      options.insert(options.end(), option.names.begin(), option.names.end());
    std::vector<std::string> commands;
    for (const Command& below : command.commands)
      commands.push_back(below.name);
    const CommandOption* position = position_of(command);
    const std::string other = !commands.empty()
                                  ? "words=" + in_quotes(joined(commands, " "))
                                  : bash_offer(position ? values_of(*position) : Values{});
    out +=
        "      " + in_quotes(path + " -") + ") words=" + in_quotes(joined(options, " ")) + " ;;\n";
    out += "      " + in_quotes(path + " ") + ") " + other + " ;;\n";
  });
  return out;
}

// The options, of whatever command, that take a value: the word after them is no command.
std::string value_options(const Command& program) {
  std::set<std::string> names;
  visit(program, "", [&](const Command& command, const std::string&) {
    for (const CommandOption& option : command.options) {
      if (!option.value.empty()) names.insert(option.names.begin(), option.names.end());
    }
  });
  return joined({names.begin(), names.end()}, " | ");
}

std::string bash(const Command& program) {
  return "# bash completion of dagsync\n\n_dagsync_folders() {\n  " + std::string(kFolderNames) +
         "\n}\n\n_dagsync() {\n"
         "  local current=${COMP_WORDS[COMP_CWORD]} path=dagsync words='' i dash=''\n"
         "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
         "    case ${COMP_WORDS[i]} in\n      " +
         value_options(program) +
         ") ((++i)); continue ;;\n    esac\n"
         "    case \"$path ${COMP_WORDS[i]}\" in\n      " +
         paths_of(program, " | ") +
         ")\n        path+=\" ${COMP_WORDS[i]}\" ;;\n    esac\n  done\n"
         "  [[ $current != -* ]] || dash=-\n"
         "  case \"$path ${COMP_WORDS[COMP_CWORD - 1]}\" in\n" +
         bash_values(program) + "    *)\n      case \"$path $dash\" in\n" + bash_words(program) +
         "      esac ;;\n  esac\n"
         "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n}\n\n"
         "complete -F _dagsync dagsync\n";
}

// -- zsh -----------------------------------------------------------------------------------------

std::string zsh_action(const Values& values) {
  switch (values.kind) {
    case Kind::kFiles:
      return "_files";
    case Kind::kDirectories:
      return "_files -/";
    case Kind::kFolders:
      return "($(_dagsync_folders))";
    case Kind::kWords:
      return "(" + values.words + ")";
    case Kind::kNothing:
      return " ";
  }
  return " ";
}

std::string zsh_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string zsh_spec(const CommandOption& option, const std::string& name) {
  const std::string action =
      option.value.empty() ? ""
                           : ":" + zsh_text(option.value) + ":" + zsh_action(values_of(option));
  if (name.empty()) {
    return in_quotes((option.repeatable ? "*" : option.required ? "" : ":") + action);
  }
  return in_quotes((option.repeatable ? "*" : "") + name + "[" + zsh_text(option.about) + "]" +
                   action);
}

std::string function_name(std::string path) {
  std::ranges::replace(path, ' ', '_');
  return "_" + path;
}

std::string zsh_function(const Command& command, const std::string& path) {
  std::string out = function_name(path) + "() {\n  local state line\n  _arguments -C";
  // What follows the command is the command's, the options that both have too.
  if (!command.commands.empty()) out += " -A '-*'";
  for (const CommandOption& option : command.options) {
    if (option.names.empty()) out += " \\\n    " + zsh_spec(option, "");
    for (const std::string& name : option.names)
      out += " \\\n    " + zsh_spec(option, name);
  }
  if (command.commands.empty()) return out + "\n}\n\n";
  out +=
      " \\\n    '1:command:->command' '*::argument:->argument'\n  case $state in\n    command)\n"
      "      local -a commands=(\n";
  for (const Command& below : command.commands)
    out += "        " + in_quotes(zsh_text(below.name) + ":" + below.about) + "\n";
  out += "      )\n      _describe command commands ;;\n    argument)\n      case $words[1] in\n";
  for (const Command& below : command.commands) {
    out += "        " + below.name + ") " + function_name(path + " " + below.name) + " ;;\n";
  }
  return out + "      esac ;;\n  esac\n}\n\n";
}

std::string zsh(const Command& program) {
  std::string out =
      "#compdef dagsync\n\n_dagsync_folders() {\n  " + std::string(kFolderNames) + "\n}\n\n";
  visit(program, "", [&](const Command& command, const std::string& path) {
    out += zsh_function(command, path);
  });
  return out + "_dagsync \"$@\"\n";
}

// -- fish ----------------------------------------------------------------------------------------

std::string fish_text(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

std::string fish_values(const Values& values) {
  switch (values.kind) {
    case Kind::kFiles:
      return " -F";
    case Kind::kDirectories:
      return " -f -a '(__fish_complete_directories)'";
    case Kind::kFolders:
      return " -f -a '(__dagsync_folders)'";
    case Kind::kWords:
      return " -f -a " + fish_text(values.words);
    case Kind::kNothing:
      return " -f";
  }
  return "";
}

std::string fish_lines(const Command& command, const std::string& path) {
  const std::string here = "complete -c dagsync -n \"__dagsync_at '" + path + "'\"";
  std::string out;
  for (const CommandOption& option : command.options) {
    if (option.names.empty()) {
      out += here + fish_values(values_of(option)) + "\n";
      continue;
    }
    out += here;
    for (const std::string& name : option.names)
      out += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
    if (!option.value.empty()) out += " -r" + fish_values(values_of(option));
    out += " -d " + fish_text(option.about) + "\n";
  }
  for (const Command& below : command.commands)
    out += here + " -f -a " + below.name + " -d " + fish_text(below.about) + "\n";
  return out;
}

std::string fish(const Command& program) {
  std::string out =
      "# fish completion of dagsync\n\nfunction __dagsync_folders\n    sh -c " +
      fish_text(kFolderNames) +
      "\nend\n\nfunction __dagsync_at\n    set -l path dagsync\n"
      "    for word in (commandline -opc)[2..]\n        switch \"$path $word\"\n            case " +
      paths_of(program, " ") +
      "\n                set path \"$path $word\"\n        end\n    end\n"
      "    test \"$path\" = \"$argv\"\nend\n\ncomplete -c dagsync -f\n";
  visit(program, "",
        [&](const Command& command, const std::string& path) { out += fish_lines(command, path); });
  return out;
}

}  // namespace

std::optional<std::string> completions_for(std::string_view shell, const Command& program) {
  if (shell == "bash") return bash(program);
  if (shell == "zsh") return zsh(program);
  if (shell == "fish") return fish(program);
  return std::nullopt;
}

}  // namespace dagsync
