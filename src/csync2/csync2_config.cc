#include "csync2/csync2_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "csync2/csync2_scanner.h"

namespace dagsync {
namespace {

constexpr std::array<std::string_view, 8> kAutoMethods = {
    "none", "first", "younger", "older", "bigger", "smaller", "left", "right"};

std::string without_final_slashes(std::string text) {
  while (text.size() > 1 && text.back() == '/')
    text.pop_back();
  return text;
}

// Recursive descent over the words; each method takes what it is named after, behind its keyword.
class Parser {
 public:
  explicit Parser(std::vector<Csync2Word> words) : words_(std::move(words)) {}

  Result<Csync2Config> config() {
    while (next().kind != Csync2Word::Kind::kEnd) {
      if (const Status taken = block(); !taken) return Unexpected(taken.error());
    }
    return std::move(config_);
  }

 private:
  using Kind = Csync2Word::Kind;

  [[nodiscard]] const Csync2Word& next() const { return words_[at_]; }
  [[nodiscard]] bool next_is(std::string_view word) const { return next().is(word); }

  bool take(std::string_view word) {
    if (!next_is(word)) return false;
    ++at_;
    return true;
  }

  [[nodiscard]] Unexpected unexpected(const std::string& wanted) const {
    const Csync2Word& word = next();
    const std::string found = word.kind == Kind::kEnd ? "the end" : "\"" + word.text + "\"";
    return csync2_error(word.file, word.line, "expected " + wanted + ", found " + found);
  }

  Status expect(std::string_view word) {
    if (take(word)) return {};
    return unexpected("'" + std::string(word) + "'");
  }

  Result<std::string> string(const std::string& what) {
    if (next().kind != Kind::kString) return unexpected(what);
    return words_[at_++].text;
  }

  // As many strings as there are.
  std::vector<std::string> strings() {
    std::vector<std::string> found;
    while (next().kind == Kind::kString)
      found.push_back(words_[at_++].text);
    return found;
  }

  Status block() {
    const int line = next().line;
    if (take("group")) return group(line);
    if (take("prefix")) return prefix();
    for (const char* name : {"nossl", "database", "tempdir", "ignore", "lock-timeout"}) {
      if (!take(name)) continue;
      config_.settings.push_back({name, fmt::format("{}", fmt::join(strings(), " ")), line});
      return expect(";");
    }
    if (take("no-cygwin-lowercase")) return expect(";");
    return unexpected("group, prefix, or a setting");
  }

  Status group(int line) {
    Csync2Group group;
    group.line = line;
    if (next().kind == Kind::kString) {
      group.name = words_[at_++].text;
    } else {
      group.name = fmt::format("group_{}", ++unnamed_);
    }
    if (const Status open = expect("{"); !open) return open;
    while (!take("}")) {
      const Status taken = next_is("action") ? action(group) : statement(group);
      if (!taken) return taken;
    }
    config_.groups.push_back(std::move(group));
    return {};
  }

  Status statement(Csync2Group& group) {
    Status taken;
    if (take("host")) {
      taken = hosts(group, false);
    } else if (take("include")) {
      add_patterns(group, Csync2Pattern::Kind::kInclude);
    } else if (take("exclude")) {
      add_patterns(group, Csync2Pattern::Kind::kExclude);
    } else if (take("compare")) {
      add_patterns(group, Csync2Pattern::Kind::kCompare);
    } else if (take("key")) {
      taken = set(group.key, "a key file");
    } else if (take("auto")) {
      taken = auto_method(group);
    } else if (take("backup-directory")) {
      taken = set(group.backup_directory, "a directory");
    } else if (take("backup-generations")) {
      taken = set(group.backup_generations, "a number");
    } else {
      return unexpected("host, include, exclude, key, auto, action or '}'");
    }
    return taken ? expect(";") : taken;
  }

  Status set(std::string& value, const std::string& what) {
    auto text = string(what);
    if (!text) return Unexpected(text.error());
    value = std::move(*text);
    return {};
  }

  Status auto_method(Csync2Group& group) {
    const Csync2Word word = next();
    if (const Status taken = set(group.auto_method, "a method"); !taken) return taken;
    if (std::find(kAutoMethods.begin(), kAutoMethods.end(), group.auto_method) !=
        kAutoMethods.end()) {
      return {};
    }
    return csync2_error(word.file, word.line,
                        fmt::format("auto \"{}\" is none of {}", group.auto_method,
                                    fmt::join(kAutoMethods, ", ")));
  }

  Status hosts(Csync2Group& group, bool slave) {
    while (true) {
      if (take("(")) {
        if (const Status inner = hosts(group, true); !inner) return inner;
        if (const Status close = expect(")"); !close) return close;
        continue;
      }
      if (next().kind != Kind::kString) return {};
      Csync2Host host;
      host.name = lower(words_[at_++].text);
      host.address = host.name;
      host.slave = slave;
      if (take("@")) {
        auto address = string("a host name after '@'");
        if (!address) return Unexpected(address.error());
        host.address = lower(std::move(*address));
      }
      group.hosts.push_back(std::move(host));
    }
  }

  void add_patterns(Csync2Group& group, Csync2Pattern::Kind kind) {
    while (next().kind == Kind::kString) {
      const Csync2Word& word = words_[at_++];
      group.patterns.push_back({kind, without_final_slashes(word.text), word.line});
    }
  }

  Status action(Csync2Group& group) {
    Csync2Action action;
    action.line = next().line;
    ++at_;
    if (const Status open = expect("{"); !open) return open;
    while (!take("}")) {
      if (take("pattern")) {
        for (std::string& pattern : strings())
          action.patterns.push_back(std::move(pattern));
      } else if (take("exec")) {
        for (std::string& command : strings())
          action.commands.push_back(std::move(command));
      } else if (take("logfile")) {
        if (const Status taken = set(action.logfile, "a file"); !taken) return taken;
      } else if (take("do-local")) {
        action.local = true;
      } else if (take("do-local-only")) {
        action.local = action.local_only = true;
      } else {
        return unexpected("pattern, exec, logfile, do-local or '}'");
      }
      if (const Status end = expect(";"); !end) return end;
    }
    group.actions.push_back(std::move(action));
    return {};
  }

  Status prefix() {
    Csync2Prefix prefix;
    if (const Status named = set(prefix.name, "the prefix's name"); !named) return named;
    if (const Status open = expect("{"); !open) return open;
    while (!take("}")) {
      if (const Status on = expect("on"); !on) return on;
      Csync2Prefix::Entry entry;
      if (const Status hosts = set(entry.hosts, "a pattern of host names"); !hosts) return hosts;
      if (const Status colon = expect(":"); !colon) return colon;
      const Csync2Word word = next();
      if (const Status path = set(entry.path, "an absolute path"); !path) return path;
      entry.path = without_final_slashes(std::move(entry.path));
      if (!entry.path.starts_with('/')) {
        return csync2_error(word.file, word.line, "\"" + entry.path + "\" is no absolute path");
      }
      if (const Status end = expect(";"); !end) return end;
      prefix.entries.push_back(std::move(entry));
    }
    config_.prefixes.push_back(std::move(prefix));
    return {};
  }

  std::vector<Csync2Word> words_;
  std::size_t at_ = 0;
  int unnamed_ = 0;
  Csync2Config config_;
};

}  // namespace

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char byte) { return static_cast<char>(std::tolower(byte)); });
  return text;
}

Result<Csync2Config> parse_csync2(const std::string& file, std::string_view text,
                                  const ReadCsync2File& read) {
  auto words = scan_csync2(file, text, read);
  if (!words) return Unexpected(words.error());
  return Parser(std::move(*words)).config();
}

}  // namespace dagsync
