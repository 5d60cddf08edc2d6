// csync2's configuration, as its own scanner and parser read it (csync2 2.0: groups of hosts, keys
// and patterns; prefixes; actions). Pure: files named by `config` come through a function.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dagsync/base/result.h"

namespace dagsync {

struct Csync2Host {
  std::string name;     // lower case, as in the configuration
  std::string address;  // what is dialed: the part after '@', else the name
  bool slave = false;   // in parentheses: it takes changes and makes none
};

struct Csync2Pattern {
  enum class Kind { kInclude, kExclude, kCompare };
  Kind kind = Kind::kInclude;
  std::string text;  // without slashes at its end; may begin with %prefix%
  int line = 0;
};

struct Csync2Action {
  std::vector<std::string> patterns;
  std::vector<std::string> commands;
  std::string logfile;
  bool local = false;       // do-local: on the node of the change as well
  bool local_only = false;  // do-local-only
  int line = 0;
};

struct Csync2Group {
  std::string name;  // "group_1" and so on where it has none
  std::vector<Csync2Host> hosts;
  std::vector<Csync2Pattern> patterns;  // in their order: the last that matches decides
  std::vector<Csync2Action> actions;
  std::string key;
  std::string auto_method = "none";
  std::string backup_directory;
  std::string backup_generations;
  int line = 0;
};

struct Csync2Prefix {
  struct Entry {
    std::string hosts;  // a glob of host names
    std::string path;
  };
  std::string name;
  std::vector<Entry> entries;
};

struct Csync2Config {
  struct Setting {
    std::string name;
    std::string value;
    int line = 0;
  };
  std::vector<Csync2Group> groups;
  std::vector<Csync2Prefix> prefixes;
  std::vector<Setting> settings;  // nossl, database, tempdir, ignore, lock-timeout
};

// The text of a file that a `config` line names, as it is named there.
using ReadCsync2File = std::function<Result<std::string>(const std::string& file)>;

inline constexpr int kMaxCsync2Includes = 10;  // deep, as csync2 itself allows

// csync2 compares the names of hosts so.
[[nodiscard]] std::string lower(std::string text);

// kInvalid, with file and line, for what csync2 would refuse too.
[[nodiscard]] Result<Csync2Config> parse_csync2(const std::string& file, std::string_view text,
                                                const ReadCsync2File& read);

}  // namespace dagsync
