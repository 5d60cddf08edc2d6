// What becomes of a csync2.cfg on one host, and its text. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "csync2/csync2_hooks.h"

namespace dagsync {

struct Csync2Plan {
  struct Folder {
    std::string name;
    std::string path;
    bool receive_only = false;
    std::size_t at = 0;              // which of its group's patterns made it
    std::vector<std::string> globs;  // what in it is included; none: all of it
    std::vector<std::string> ignore;
    std::vector<std::string> notes;
  };
  struct Hook {
    std::string folder;
    Csync2Hook what;
    std::string note;
  };
  struct Peer {
    std::string address;
    std::vector<std::string> groups;  // those it shares with this host
    std::vector<std::string> slave;   // those of them in which it only takes changes
  };

  std::string host;
  std::vector<std::string> notes;  // what has no counterpart
  std::vector<Folder> folders;
  std::vector<Hook> hooks;
  std::map<std::string, Peer> peers;
};

// As a dagsync.toml.
[[nodiscard]] std::string to_toml(const Csync2Plan& plan);

}  // namespace dagsync
