#include "cli/manual.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace dagsync {
namespace {

// As roff's text: nothing of it is a request or an escape, and `word` is bold.
std::string roff(std::string_view text) {
  std::string out;
  bool bold = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool begins = i == 0 || text[i - 1] == '\n';
    if (begins && (c == '.' || c == '\'')) out += "\\&";
    if (c == '`') {
      bold = !bold;
      out += bold ? "\\fB" : "\\fR";
    } else if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else if (c == '\'') {
      out += "\\(aq";
    } else if (c == '~') {
      out += "\\(ti";
    } else if (c == '^') {
      out += "\\(ha";
    } else {
      out += c;
    }
  }
  return out;
}

constexpr std::size_t kWidth = 78;

// Text on lines of no more than kWidth bytes, where it has spaces. No line begins as a request
// would.
std::string folded(std::string_view text) {
  std::string out;
  std::size_t width = 0;
  const std::string plain = roff(text);
  for (std::size_t at = 0; at < plain.size();) {
    const std::size_t end = std::min(plain.find_first_of(" \n", at), plain.size());
    const std::string word = plain.substr(at, end - at);
    const bool fits = width + 1 + word.size() <= kWidth;
    if (width > 0) out += fits ? " " : word.starts_with('.') ? "\n\\&" : "\n";
    width = fits ? width + 1 + word.size() : word.size();
    out += word;
    at = end + 1;
  }
  return out;
}

std::string bold(std::string_view text) {
  return "\\fB" + roff(text) + "\\fR";
}

std::string italic(std::string_view text) {
  return "\\fI" + roff(text) + "\\fR";
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(text.size(), end + 1));
  }
  return lines;
}

std::string replace_all(std::string text, std::string_view what, std::string_view with) {
  for (std::size_t at = text.find(what); at != std::string::npos;
       at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
  return text;
}

bool is_position(const CommandOption& option) {
  return option.names.empty();
}

std::string usage_of(const Command& command, const std::string& path) {
  std::string out = bold(path);
  bool has_options = false;
  for (const CommandOption& option : command.options)
    has_options = has_options || !is_position(option);
  if (has_options) out += " [" + italic("options") + "]";
  for (const CommandOption& option : command.options) {
    if (!is_position(option)) continue;
    const std::string value = italic(option.value) + (option.repeatable ? " ..." : "");
    out += option.required ? " " + value : " [" + value + "]";
  }
  return out;
}

std::string describe_in_roff(const CommandOption& option) {
  std::string tag;
  for (const std::string& name : option.names)
    tag += (tag.empty() ? "" : ", ") + bold(name);
  if (!option.value.empty()) tag += (tag.empty() ? "" : " ") + italic(option.value);
  std::string about = option.about;
  if (!option.otherwise.empty()) about += " (default: " + option.otherwise + ")";
  if (option.required && !is_position(option)) about += " (required)";
  return ".TP\n" + tag + "\n" + folded(about + ".") + "\n";
}

// What every command takes is told once, of `dagsync` itself.
bool is_common(const CommandOption& option) {
  for (const std::string& name : option.names) {
    if (name == "--help" || name == "--config") return true;
  }
  return false;
}

std::string describe_in_roff(const Command& command, const std::string& above) {
  const std::string path = above + " " + command.name;
  std::string out;
  if (command.commands.empty()) {
    out = ".SS " + roff(path) + "\n" + usage_of(command, path) + "\n.PP\n" +
          folded(command.about + ".") + "\n";
    for (const CommandOption& option : command.options) {
      if (!is_common(option)) out += describe_in_roff(option);
    }
    if (!command.examples.empty()) {
      out += ".PP\nExamples:\n.PP\n.nf\n" + roff(command.examples) + "\n.fi\n";
    }
  }
  for (const Command& below : command.commands)
    out += describe_in_roff(below, path);
  return out;
}

std::string list_usages(const Command& command, const std::string& above) {
  const std::string path = above.empty() ? command.name : above + " " + command.name;
  if (command.commands.empty()) return usage_of(command, path) + "\n";
  std::string out;
  for (const Command& below : command.commands) {
    const std::string usages = list_usages(below, path);
    out += (out.empty() ? "" : ".br\n") + usages;
  }
  return out;
}

// -- dagsync.toml ---------------------------------------------------------------------------------

// Takes the sample apart: text in comments, tables, and keys with a value, commented out or not.
class SampleReader {
 public:
  std::string read(std::string_view sample) {
    for (const std::string_view line : lines_of(sample))
      take(line);
    flush();
    return out_;
  }

 private:
  void take(std::string_view line) {
    if (line.empty()) return flush();
    is_example_ = line.starts_with("#[") || (is_example_ && !line.starts_with("["));
    if (line.starts_with("[")) return table(line);
    if (line.starts_with("#[")) return table(line.substr(1));
    if (line == "#" || line.starts_with("# ")) {
      if (!text_.empty()) text_ += '\n';
      text_ += line.substr(std::min<std::size_t>(2, line.size()));
      return;
    }
    const bool is_commented = line.starts_with("#");
    key(line.substr(is_commented ? 1 : 0), is_commented && !is_example_ ? "default: " : "e.g. ");
  }

  void table(std::string_view line) {
    const std::string about = std::exchange(text_, "");
    out_ += ".SS " + roff(line) + "\n";
    text_ = about;
    flush();
  }

  void key(std::string_view line, std::string_view what) {
    const std::size_t equals = line.find('=');
    const std::string_view name = line.substr(0, line.find(' '));
    const std::size_t begin = line.find_first_not_of(' ', equals + 1);
    out_ += ".TP\n" + bold(name) + " (" + std::string(what) + roff(line.substr(begin)) + ")\n";
    out_ += text_.empty() ? "As the one above.\n" : folded(std::exchange(text_, "")) + "\n";
  }

  void flush() {
    if (text_.empty()) return;
    const bool follows_heading =
        out_.empty() || out_.rfind("\n.SS", out_.size() - 2) == out_.rfind('\n', out_.size() - 2);
    if (!follows_heading) out_ += ".PP\n";
    out_ += folded(std::exchange(text_, "")) + "\n";
  }

  std::string out_;
  std::string text_;         // the comment so far
  bool is_example_ = false;  // in a table that is commented out as a whole
};

}  // namespace

std::string fill_command_page(std::string_view page, const Command& program,
                              std::string_view version) {
  std::string commands;
  for (const Command& command : program.commands)
    commands += describe_in_roff(command, program.name);
  std::string out = replace_all(std::string(page), "@VERSION@", version);
  out = replace_all(out, "@SYNOPSIS@\n", list_usages(program, ""));
  return replace_all(out, "@COMMANDS@\n", commands);
}

std::string fill_config_page(std::string_view page, std::string_view sample,
                             std::string_view version) {
  const std::string out = replace_all(std::string(page), "@VERSION@", version);
  return replace_all(out, "@KEYS@\n", SampleReader().read(sample));
}

}  // namespace dagsync
