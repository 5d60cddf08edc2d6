// dagsync.toml: every key of interface.md, with its default and its check.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "dagsync/base/log.h"
#include "dagsync/base/result.h"
#include "dagsync/core/names.h"
#include "dagsync/engine/config.h"
#include "dagsync/engine/events.h"

namespace dagsync {

struct NodeConfig {
  NodeName name;
  std::vector<std::string> listen = {"0.0.0.0:7411"};  // "HOST:PORT"
  std::string state_dir = "/var/lib/dagsync";
  std::string control_socket = "/run/dagsync/control.sock";
  std::string http;            // "HOST:PORT", or "" for none
  bool http_tls = false;       // with this node's certificate
  bool http_insecure = false;  // in plain text, though others can reach it
  log::Level log_level = log::Level::kInfo;
  bool operator==(const NodeConfig&) const = default;
};

// A log file beside standard error.
struct LogConfig {
  std::string file;  // "" for none
  std::uint64_t max_size = std::uint64_t{10} << 20;
  std::size_t keep = 5;  // older ones
  bool operator==(const LogConfig&) const = default;
};

// As written: a relative name is relative to the working directory.
struct TlsPaths {
  std::string ca;
  std::string cert;
  std::string key;
  bool operator==(const TlsPaths&) const = default;
};

// A program that is run when something has happened in a folder.
struct HookConfig {
  using On = Event::Kind;  // kApplied, kConflict or kHalted
  On on = On::kApplied;
  std::string folder;              // "": every folder
  std::vector<std::string> match;  // gitignore lines; none: every path
  std::vector<std::string> run;    // an absolute path, and arguments
  std::string user;                // "": whoever the daemon runs as
  Duration timeout = std::chrono::seconds(60);
  bool operator==(const HookConfig&) const = default;
};

struct Config {
  NodeConfig node;
  TlsPaths tls;
  LogConfig log;
  std::vector<FolderConfig> folders;
  std::vector<PeerConfig> peers;
  std::vector<HookConfig> hooks;
  bool operator==(const Config&) const = default;
};

// What a file must hold: a one-shot push needs no folder and no peer of its own.
enum class ConfigUse { kDaemon, kOneShot };

// Checks the whole text of a file, and nothing else: no path in it is looked at. The message of the
// error names all that is wrong, one "FILE:LINE: key `node.name`: what is wrong: what is allowed" a
// line.
[[nodiscard]] Result<Config> parse_config(std::string_view text, const std::string& file,
                                          ConfigUse use = ConfigUse::kDaemon);

// The same of a file. kNotFound and others of the operating system: it cannot be read. Blocks.
[[nodiscard]] Result<Config> load_config(const std::string& path,
                                         ConfigUse use = ConfigUse::kDaemon);

}  // namespace dagsync
