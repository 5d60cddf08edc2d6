#include "csync2/csync2_import.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <map>
#include <set>

#include "csync2/csync2_patterns.h"
#include "csync2/csync2_plan.h"

namespace dagsync {
namespace {

using Folder = Csync2Plan::Folder;

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

class Importer {
 public:
  Importer(const Csync2Config& config, const Csync2Import& import)
      : config_(config), import_(import) {}

  Result<std::string> run() {
    for (const Csync2Group& group : config_.groups) {
      if (const Status done = take(group); !done) return Unexpected(done.error());
    }
    if (Status usable = check(); !usable) return Unexpected(usable.error());
    note_shares();
    for (const auto& setting : config_.settings)
      note_setting(setting);
    plan_.host = import_.host;
    return to_toml(plan_);
  }

 private:
  // -- reading ------------------------------------------------------------------------------------

  // Whether there is enough of it for a configuration.
  [[nodiscard]] Status check() const {
    const std::set<std::string> hosts = all_hosts();
    if (hosts.empty()) return fail(ErrorCode::kNotFound, "there is no group with hosts in it");
    if (!is_member_) {
      return fail(ErrorCode::kNotFound,
                  fmt::format("no group names the host {}: use --host NAME with one of {}",
                              import_.host, fmt::join(hosts, ", ")));
    }
    if (plan_.folders.empty()) {
      return fail(ErrorCode::kNotFound,
                  fmt::format("none of the groups of {} includes a directory", import_.host));
    }
    if (plan_.peers.empty()) {
      return fail(ErrorCode::kNotFound,
                  fmt::format("the groups of {} name no other host", import_.host));
    }
    return {};
  }

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
    first_ = plan_.folders.size();
    for (std::size_t at = 0; at < group.patterns.size(); ++at) {
      if (const Status done = take_include(group, at, self->slave); !done) return done;
    }
    if (plan_.folders.size() == first_) return {};
    for (std::size_t i = first_; i < plan_.folders.size(); ++i)
      plan_.folders[i].ignore = lines_of_globs(plan_.folders[i]);
    for (std::size_t at = 0; at < group.patterns.size(); ++at) {
      if (const Status done = take_exclude(group.patterns[at], at); !done) return done;
    }
    groups_.push_back(group.name);
    for (const Csync2Host& host : group.hosts) {
      if (host.name == import_.host) continue;
      Csync2Plan::Peer& peer = plan_.peers[host.name];
      peer.address = host.address;
      peer.groups.push_back(group.name);
      if (host.slave) peer.slave.push_back(group.name);
    }
    note_group(group);
    for (const Csync2Action& action : group.actions) {
      if (const Status done = take_action(action); !done) return done;
    }
    return {};
  }

  Status take_action(const Csync2Action& action) {
    const std::string what =
        fmt::format("line {}: action {}", action.line, fmt::join(action.commands, "; "));
    if (action.local_only) {
      note(what +
           ": do-local-only: it ran where a change was made; a [[hook]] runs where one arrives");
      return {};
    }
    std::vector<std::string> patterns = action.patterns;
    for (std::string& pattern : patterns) {
      auto path = substituted({Csync2Pattern::Kind::kInclude, pattern, action.line});
      if (!path) return Unexpected(path.error());
      pattern = std::move(*path);
    }
    bool used = false;
    for (std::size_t i = first_; i < plan_.folders.size(); ++i) {
      const auto hooks = csync2_hooks(action, patterns, plan_.folders[i].path);
      if (!hooks) continue;
      used = true;
      for (const Csync2Hook& hook : *hooks)
        plan_.hooks.push_back({plan_.folders[i].name, hook, note_of(action)});
    }
    if (!used) {
      note(fmt::format("{} for {}: it concerns none of the folders here", what,
                       fmt::join(action.patterns, " ")));
    }
    return {};
  }

  static std::string note_of(const Csync2Action& action) {
    std::string text = fmt::format(
        "line {}: action: csync2 gives its command to a shell; a [[hook]] needs none: name the "
        "program itself where you can. The paths are on its standard input, each with a NUL behind "
        "it.",
        action.line);
    if (action.local)
      text +=
          " do-local: a hook runs where a change of another node arrives, not where it was made.";
    return text;
  }

  Status take_include(const Csync2Group& group, std::size_t at, bool slave) {
    const Csync2Pattern& pattern = group.patterns[at];
    if (pattern.kind == Csync2Pattern::Kind::kExclude) return {};
    if (pattern.kind == Csync2Pattern::Kind::kCompare) {
      note(fmt::format("line {}: compare {}: dagsync verify compares whole folders", pattern.line,
                       pattern.text));
      return {};
    }
    if (!is_csync2_path(pattern.text)) {
      note(
          fmt::format("line {}: include {}: a name without a path takes back an exclude of csync2; "
                      "write \"!{}\" into ignore where you need it",
                      pattern.line, pattern.text, pattern.text));
      return {};
    }
    const auto path = substituted(pattern);
    if (!path) return Unexpected(path.error());
    const std::string what = fmt::format("line {}: include {}: ", pattern.line, *path);
    const auto root = csync2_root(*path);
    if (import_.is_file(*path)) {
      note(what + "a single file: dagsync replicates directories, so move it into one");
    } else if (!root) {
      note(what + "a pattern over directories: give each directory a [[folder]] of its own");
    } else if (root->path == "/") {
      note(what + "dagsync does not replicate a whole system");
    } else {
      add_folder(group, *root, at, slave, what);
    }
    return {};
  }

  void add_folder(const Csync2Group& group, const Csync2Root& root, std::size_t at, bool slave,
                  const std::string& what) {
    for (std::size_t i = 0; i < plan_.folders.size(); ++i) {
      Folder& other = plan_.folders[i];
      if (i >= first_ && root.path == other.path) return add_glob(other, root.glob);
      const bool overlaps = root.path == other.path || root.path.starts_with(other.path + "/") ||
                            other.path.starts_with(root.path + "/");
      if (!overlaps) continue;
      note(what +
           fmt::format("it lies in or around {}, which is a folder already, and folders cannot "
                       "overlap: see that ignore there leaves out no more than csync2 did "
                       "(what is below an ignored directory cannot be taken back)",
                       other.path));
      return;
    }
    Folder folder;
    folder.name = folder_name(group.name, names_);
    folder.path = root.path;
    folder.receive_only = slave;
    folder.at = at;
    if (!root.glob.empty()) folder.globs = {root.glob};
    names_.insert(folder.name);
    plan_.folders.push_back(std::move(folder));
  }

  // One more include of the same directory: what matches any of them is in.
  static void add_glob(Folder& folder, const std::string& glob) {
    if (glob.empty()) {
      folder.globs.clear();
    } else if (!folder.globs.empty()) {
      folder.globs.push_back(glob);
    }
  }

  static std::vector<std::string> lines_of_globs(const Folder& folder) {
    std::vector<std::string> lines;
    if (!folder.globs.empty()) lines.push_back("/*");
    for (const std::string& glob : folder.globs)
      lines.push_back("!" + ignore_line(glob));
    return lines;
  }

  // csync2 matches names anywhere, and paths with what lies below them; the ignore rules do the
  // same.
  Status take_exclude(const Csync2Pattern& pattern, std::size_t at) {
    if (pattern.kind != Csync2Pattern::Kind::kExclude) return {};
    if (!is_csync2_path(pattern.text)) {
      if (pattern.text.find('/') != std::string::npos) {
        note(
            fmt::format("line {}: exclude {}: it begins with no slash, and no name has one: it "
                        "excluded nothing",
                        pattern.line, pattern.text));
        return {};
      }
      for (std::size_t i = first_; i < plan_.folders.size(); ++i)
        plan_.folders[i].ignore.push_back(ignore_line(pattern.text));
      return {};
    }
    const auto path = substituted(pattern);
    if (!path) return Unexpected(path.error());
    const std::string what = fmt::format("line {}: exclude {}: ", pattern.line, *path);
    bool used = false;
    for (std::size_t i = first_; i < plan_.folders.size(); ++i)
      used = exclude_in(plan_.folders[i], *path, at, what) || used;
    if (!used) note(what + "it lies in none of the folders here, so it needs no counterpart");
    return {};
  }

  // Of the patterns that match a path csync2 takes the last. False where this one matches nothing
  // in the folder.
  bool exclude_in(Folder& folder, const std::string& path, std::size_t at,
                  const std::string& what) {
    const auto part = part_in_folder(path, folder.path);
    if (!part) return false;
    if (at < folder.at && folder.globs.empty()) {
      note(what + "the include of " + folder.path + " behind it takes it back, for csync2 too");
    } else if (part->empty()) {
      note(what + "it leaves out all of " + folder.path + ": take this [[folder]] out");
    } else {
      if (part->find("**") != std::string::npos) {
        folder.notes.push_back(what + "csync2's ** lets every * match slashes: check this pattern");
      }
      folder.ignore.push_back(ignore_line(*part));
    }
    return true;
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

  void note(std::string text) { plan_.notes.push_back(std::move(text)); }

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

  // dagsync has no groups: every peer is told of every folder, and waited for.
  void note_shares() {
    for (const auto& [name, peer] : plan_.peers) {
      for (const std::string& group : groups_) {
        if (std::find(peer.groups.begin(), peer.groups.end(), group) != peer.groups.end()) continue;
        note(fmt::format(
            "group {}: {} is not in it: dagsync shares each folder with all peers, and is "
            "in sync when all have it; give {} the folder, too, or make the group a "
            "second mesh (another NAME.toml, and dagsync@NAME.service)",
            group, name, name));
      }
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

  const Csync2Config& config_;
  const Csync2Import& import_;
  bool is_member_ = false;
  std::size_t first_ = 0;            // of the folders of the group at hand
  std::vector<std::string> groups_;  // those with folders
  std::set<std::string> names_;
  Csync2Plan plan_;
};

}  // namespace

Result<std::string> import_csync2(const Csync2Config& config, const Csync2Import& import) {
  return Importer(config, import).run();
}

}  // namespace dagsync
