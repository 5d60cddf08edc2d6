// What a person configures of a folder and of a peer. Plain values, already checked by whoever made
// them (src/daemon/config.h for dagsync.toml); the defaults are those of interface.md.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "dagsync/base/time.h"
#include "dagsync/core/names.h"

namespace dagsync {

enum class FolderMode {
  kSync,         // both ways
  kSendOnly,     // changes of others are drift
  kReceiveOnly,  // changes made here are drift
};

// Whom published files belong to.
struct FolderOwner {
  bool keep = false;  // to whom they belong where they were changed
  std::string fixed;  // else to this "user" or "user:group"; "": whoever the daemon runs as
  bool operator==(const FolderOwner&) const = default;
};

struct FolderConfig {
  std::string name;
  std::string path;  // absolute
  FolderMode mode = FolderMode::kSync;
  std::vector<std::string> ignore;  // gitignore lines, on top of the built-in ones
  Duration settle = std::chrono::milliseconds(5);
  Duration settle_max = std::chrono::milliseconds(1000);
  Duration rescan_interval = std::chrono::minutes(10);
  int max_delete_percent = 50;                           // 1 to 100
  std::uint64_t max_file_size = std::uint64_t{4} << 30;  // bytes
  Duration versions_keep = std::chrono::hours(24 * 30);
  std::uint64_t versions_max_size = std::uint64_t{1} << 30;  // bytes
  // Bytes: contents from this size on spread as engine/transfer/turns.h says. Nobody need configure
  // it; the simulator, whose contents are small, does.
  std::uint64_t turns_from = std::uint64_t{4} << 20;
  FolderOwner owner;
  bool operator==(const FolderConfig&) const = default;
};

struct PeerConfig {
  NodeName name;
  std::vector<std::string> addresses;  // "HOST:PORT", tried in turn; none: it dials us
  bool may_send = true;                // we take its changes
  bool may_receive = true;             // we give it ours
  // Whether `push` and `status` wait for it: one that only dials us is not waited for.
  [[nodiscard]] bool counted() const { return !addresses.empty() && may_receive; }
  bool operator==(const PeerConfig&) const = default;
};

}  // namespace dagsync
