#include "csync2/csync2_import.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "csync2/toml_text.h"

namespace dagsync {
namespace {

constexpr int kPort = 7411;

struct Folder {
  std::string name;
  std::string path;
  bool receive_only = false;
  std::vector<std::string> ignore;
  std::vector<std::string> notes;
};

struct Hook {
  std::string folder;
  std::vector<std::string> match;
  std::vector<std::string> run;
  std::string note;
};

struct Peer {
  std::string address;
  bool slave = false;
};

bool has_glob(std::string_view text) {
  return text.find_first_of("*?[") != std::string_view::npos;
}

// Names of folders are short words: what a group is called, with what else would clash.
std::string folder_name(const std::string& group, const std::set<std::string>& taken) {
  std::string name;
  for (const char byte : group) {
    const bool plain =
        (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '-' || byte == '_';
    if (plain) name.push_back(byte);
    if (byte >= 'A' && byte <= 'Z') name.push_back(static_cast<char>(byte - 'A' + 'a'));
  }
  if (name.empty()) name = "folder";
  std::string unique = name;
  for (int number = 2; taken.contains(unique); ++number)
    unique = fmt::format("{}-{}", name, number);
  return unique;
}

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

class Importer {
 public:
  Importer(const Csync2Config& config, const Csync2Import& import)
      : config_(config), import_(import) {}

  Result<std::string> run() {
    for (const Csync2Group& group : config_.groups) {
      if (const Status done = take(group); !done) return Unexpected(done.error());
    }
    if (!is_member_) {
      return fail(ErrorCode::kNotFound,
                  fmt::format("no group names the host {}: use --host NAME with one of {}",
                              import_.host, fmt::join(all_hosts(), ", ")));
    }
    if (folders_.empty()) {
      return fail(ErrorCode::kNotFound,
                  fmt::format("none of the groups of {} includes a directory", import_.host));
    }
    for (const auto& setting : config_.settings)
      note_setting(setting);
    return text();
  }

 private:
  // -- reading ------------------------------------------------------------------------------------

  [[nodiscard]] std::set<std::string> all_hosts() const {
    std::set<std::string> hosts;
    for (const Csync2Group& group : config_.groups) {
      for (const Csync2Host& host : group.hosts)
        hosts.insert(host.name);
    }
    return hosts;
  }

  Status take(const Csync2Group& group) {
    const auto self =
        std::find_if(group.hosts.begin(), group.hosts.end(),
                     [&](const Csync2Host& host) { return host.name == import_.host; });
    if (self == group.hosts.end()) return {};
    is_member_ = true;
    const std::size_t folders_before = folders_.size();
    for (const Csync2Pattern& pattern : group.patterns) {
      if (const Status done = take_include(group, pattern, self->slave); !done) return done;
    }
    for (const Csync2Pattern& pattern : group.patterns) {
      if (const Status done = take_exclude(pattern, folders_before); !done) return done;
    }
    if (folders_.size() == folders_before) return {};
    for (const Csync2Host& host : group.hosts) {
      if (host.name == import_.host) continue;
      Peer& peer = peers_[host.name];
      peer.address = host.address;
      peer.slave = peer.slave || host.slave;
    }
    note_group(group);
    for (const Csync2Action& action : group.actions) {
      if (const Status done = take_action(action, folders_before); !done) return done;
    }
    return {};
  }

  // The lines that match what the action's patterns do in this folder; none: it has none of it.
  Result<std::optional<std::vector<std::string>>> matches_in(const Folder& folder,
                                                             const Csync2Action& action) const {
    std::vector<std::string> lines;
    for (const std::string& text : action.patterns) {
      if (!is_path(text)) {
        lines.push_back(text);
        continue;
      }
      const auto path = substituted({Csync2Pattern::Kind::kInclude, text, action.line});
      if (!path) return Unexpected(path.error());
      const bool is_above = folder.path == *path || folder.path.starts_with(*path + "/");
      if (is_above) return std::optional(std::vector<std::string>());
      if (path->starts_with(folder.path + "/")) lines.push_back(path->substr(folder.path.size()));
    }
    if (lines.empty() && !action.patterns.empty()) return std::optional<std::vector<std::string>>();
    return std::optional(std::move(lines));
  }

  Status take_action(const Csync2Action& action, std::size_t first_folder) {
    bool used = false;
    for (std::size_t i = first_folder; i < folders_.size(); ++i) {
      auto match = matches_in(folders_[i], action);
      if (!match) return Unexpected(match.error());
      if (!*match) continue;
      used = true;
      for (const std::string& command : action.commands) {
        std::string text = fmt::format(
            "line {}: action: csync2 gives its command to a shell; a [[hook]] needs none: name the "
            "program itself where you can. The paths are on its standard input, each with a NUL "
            "behind it.",
            action.line);
        if (action.local || action.local_only)
          text +=
              " do-local: a hook runs where a change of another node arrives, not where it was "
              "made.";
        hooks_.push_back({folders_[i].name, **match, program_of(command, action.logfile), text});
      }
    }
    if (!used) {
      note(fmt::format("line {}: action {} for {}: it concerns none of the folders here",
                       action.line, fmt::join(action.commands, "; "),
                       fmt::join(action.patterns, " ")));
    }
    return {};
  }

  Status take_include(const Csync2Group& group, const Csync2Pattern& pattern, bool slave) {
    if (pattern.kind == Csync2Pattern::Kind::kExclude) return {};
    if (pattern.kind == Csync2Pattern::Kind::kCompare) {
      note(fmt::format("line {}: compare {}: dagsync verify compares whole folders", pattern.line,
                       pattern.text));
      return {};
    }
    if (!is_path(pattern.text)) {
      note(
          fmt::format("line {}: include {}: a name without a path takes back an exclude of csync2; "
                      "write \"!{}\" into ignore where you need it",
                      pattern.line, pattern.text, pattern.text));
      return {};
    }
    const auto path = substituted(pattern);
    if (!path) return Unexpected(path.error());
    if (import_.is_file(*path)) {
      note(
          fmt::format("line {}: include {}: a single file: dagsync replicates directories, so move "
                      "it into one",
                      pattern.line, *path));
      return {};
    }
    std::string root = *path;
    std::vector<std::string> ignore;
    if (has_glob(root)) {
      const std::size_t slash = root.rfind('/', root.find_first_of("*?["));
      const std::string rest = root.substr(slash);
      root = root.substr(0, slash);
      if (std::count(rest.begin(), rest.end(), '/') > 1 || root.empty()) {
        note(
            fmt::format("line {}: include {}: a pattern over directories: give each directory a "
                        "[[folder]] of its own",
                        pattern.line, *path));
        return {};
      }
      ignore = {"/*", "!" + rest};
    }
    if (root == "/") {
      note(fmt::format("line {}: include /: dagsync does not replicate a whole system",
                       pattern.line));
      return {};
    }
    return add_folder(group, pattern, root, std::move(ignore), slave);
  }

  Status add_folder(const Csync2Group& group, const Csync2Pattern& pattern, const std::string& root,
                    std::vector<std::string> ignore, bool slave) {
    for (Folder& other : folders_) {
      const bool inside = root == other.path || root.starts_with(other.path + "/") ||
                          other.path.starts_with(root + "/");
      if (!inside) continue;
      note(fmt::format(
          "line {}: include {}: it lies in or around {}, which is a folder already, and "
          "folders cannot overlap",
          pattern.line, root, other.path));
      return {};
    }
    Folder folder;
    folder.name = folder_name(group.name, names_);
    folder.path = root;
    folder.receive_only = slave;
    folder.ignore = std::move(ignore);
    names_.insert(folder.name);
    folders_.push_back(std::move(folder));
    return {};
  }

  // csync2 matches names anywhere, and paths with what lies below them; the ignore rules do the
  // same.
  Status take_exclude(const Csync2Pattern& pattern, std::size_t first_folder) {
    if (pattern.kind != Csync2Pattern::Kind::kExclude) return {};
    if (!is_path(pattern.text)) {
      for (std::size_t i = first_folder; i < folders_.size(); ++i)
        folders_[i].ignore.push_back(pattern.text);
      return {};
    }
    const auto path = substituted(pattern);
    if (!path) return Unexpected(path.error());
    bool used = false;
    for (std::size_t i = first_folder; i < folders_.size(); ++i) {
      if (!path->starts_with(folders_[i].path + "/")) continue;
      std::string relative = path->substr(folders_[i].path.size());
      if (relative.find("**") != std::string::npos) {
        folders_[i].notes.push_back(
            fmt::format("line {}: csync2's ** matches slashes anywhere in {}: check this pattern",
                        pattern.line, *path));
      }
      folders_[i].ignore.push_back(std::move(relative));
      used = true;
    }
    if (!used) {
      note(
          fmt::format("line {}: exclude {}: it lies in none of the folders here, so it needs no "
                      "counterpart",
                      pattern.line, *path));
    }
    return {};
  }

  static bool is_path(const std::string& pattern) {
    return pattern.starts_with('/') || pattern.starts_with('%');
  }

  // %name%/rest: the first entry of that prefix whose glob matches this host.
  [[nodiscard]] Result<std::string> substituted(const Csync2Pattern& pattern) const {
    if (!pattern.text.starts_with('%')) return pattern.text;
    const std::size_t end = pattern.text.find('%', 1);
    const std::string name = pattern.text.substr(1, end - 1);
    const std::string rest = end == std::string::npos ? "" : pattern.text.substr(end + 1);
    for (const Csync2Prefix& prefix : config_.prefixes) {
      if (prefix.name != name) continue;
      for (const Csync2Prefix::Entry& entry : prefix.entries) {
        if (::fnmatch(entry.hosts.c_str(), import_.host.c_str(), 0) == 0) return entry.path + rest;
      }
    }
    return fail(ErrorCode::kInvalid,
                fmt::format("line {}: the prefix {} is not defined for the host {}", pattern.line,
                            name, import_.host));
  }

  // -- what has no counterpart --------------------------------------------------------------------

  void note(std::string text) { notes_.push_back(std::move(text)); }

  void note_group(const Csync2Group& group) {
    note(fmt::format(
        "group {}: key {}: certificates take its place: dagsync certs init tls --nodes "
        "{}",
        group.name, group.key.empty() ? "(none)" : group.key, fmt::join(names_of(group), ",")));
    if (group.auto_method == "none") {
      note(
          fmt::format("group {}: auto none: csync2 left conflicts to a person; here the younger "
                      "wins, and the other is kept (dagsync conflicts)",
                      group.name));
    } else if (group.auto_method != "younger") {
      note(
          fmt::format("group {}: auto {}: has no counterpart: the younger wins, and the other is "
                      "kept (dagsync conflicts)",
                      group.name, group.auto_method));
    }
    if (!group.backup_directory.empty()) {
      note(fmt::format(
          "group {}: backup-directory {}{}: every replaced or deleted content is kept "
          "in state_dir (versions_keep, versions_max_size; dagsync versions)",
          group.name, group.backup_directory,
          group.backup_generations.empty() ? ""
                                           : ", backup-generations " + group.backup_generations));
    }
  }

  static std::vector<std::string> names_of(const Csync2Group& group) {
    std::vector<std::string> names;
    for (const Csync2Host& host : group.hosts)
      names.push_back(host.name);
    return names;
  }

  void note_setting(const Csync2Config::Setting& setting) {
    static const std::map<std::string, std::string> kWhy = {
        {"nossl", "every connection is encrypted"},
        {"database", "the index lies in state_dir"},
        {"tempdir", "files are staged in state_dir"},
        {"lock-timeout", "there are no locks to wait for"},
        {"ignore", "owners are replicated with owner = \"keep\", modes always"},
    };
    note(fmt::format("line {}: {} {}: {}", setting.line, setting.name, setting.value,
                     kWhy.at(setting.name)));
  }

  // -- writing ------------------------------------------------------------------------------------

  [[nodiscard]] std::string text() const {
    TomlText toml;
    toml.comment("From a csync2.cfg, for the node " + import_.host + ".");
    for (const std::string& line : notes_)
      toml.comment(line);
    toml.table("[node]");
    toml.value("name", import_.host);
    toml.value("listen", std::vector<std::string>{fmt::format("0.0.0.0:{}", kPort)});
    toml.table("[tls]");
    toml.value("ca", "/etc/dagsync/tls/ca.crt");
    toml.value("cert", "/etc/dagsync/tls/node.crt");
    toml.value("key", "/etc/dagsync/tls/node.key");
    for (const Folder& folder : folders_)
      write(toml, folder);
    for (const Hook& hook : hooks_)
      write(toml, hook);
    for (const auto& [name, peer] : peers_) {
      toml.table("[[peer]]");
      toml.value("name", name);
      toml.value("address", std::vector<std::string>{fmt::format("{}:{}", peer.address, kPort)});
      if (!peer.slave) continue;
      toml.comment("A slave of csync2: it takes changes, and makes none.");
      toml.value("may", std::vector<std::string>{"receive"});
    }
    return toml.text();
  }

  static void write(TomlText& toml, const Folder& folder) {
    toml.table("[[folder]]");
    toml.value("name", folder.name);
    toml.value("path", folder.path);
    if (folder.receive_only) toml.value("mode", "receive-only");
    for (const std::string& line : folder.notes)
      toml.comment(line);
    if (!folder.ignore.empty()) toml.value("ignore", folder.ignore);
  }

  static void write(TomlText& toml, const Hook& hook) {
    toml.table("[[hook]]");
    toml.comment(hook.note);
    toml.value("on", "applied");
    toml.value("folder", hook.folder);
    if (!hook.match.empty()) toml.value("match", hook.match);
    toml.value("run", hook.run);
  }

  const Csync2Config& config_;
  const Csync2Import& import_;
  bool is_member_ = false;
  std::vector<Folder> folders_;
  std::vector<Hook> hooks_;
  std::set<std::string> names_;
  std::map<std::string, Peer> peers_;
  std::vector<std::string> notes_;
};

}  // namespace

Result<std::string> import_csync2(const Csync2Config& config, const Csync2Import& import) {
  return Importer(config, import).run();
}

}  // namespace dagsync
