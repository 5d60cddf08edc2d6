// What a node tells a person about itself and the mesh. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dagsync/base/rel_path.h"
#include "dagsync/base/time.h"
#include "dagsync/core/names.h"

namespace dagsync {

enum class FolderState { kScanning, kSyncing, kIdle, kHalted };

struct PathError {
  RelPath path;
  std::string error;
  UnixNanos since;
};

struct FolderPeerStatus {
  NodeName name;
  bool counted = true;
  bool in_sync = false;
  std::size_t behind_files = 0;
  std::uint64_t behind_bytes = 0;
  Sequence acked_sequence = 0;  // of our own changes, durably there
  double lag_seconds = 0;       // how long it has lacked something
};

struct FolderStatus {
  std::string name;
  std::string path;
  std::string mode;
  FolderState state = FolderState::kScanning;
  std::string state_reason;
  std::size_t files = 0;
  std::size_t directories = 0;
  std::uint64_t bytes = 0;
  Sequence sequence = 0;
  std::size_t pending_changes = 0;  // seen here or received, and not done with
  std::size_t conflicts = 0;
  std::size_t drift = 0;
  std::size_t watches = 0;
  std::vector<PathError> errors;
  std::vector<FolderPeerStatus> peers;
};

struct PeerStatus {
  NodeName name;
  std::string address;
  bool connected = false;
  std::string version;
  std::optional<double> rtt_ms;
  std::optional<double> clock_offset_ms;
  std::optional<UnixNanos> last_seen;
  std::uint64_t bytes_sent = 0;
  std::uint64_t bytes_received = 0;
  std::optional<UnixNanos> certificate_expires;
  std::string trouble;  // why it is not connected, as far as known
};

struct NodeStatus {
  NodeName name;
  double uptime_seconds = 0;
  bool in_sync = false;
  std::vector<FolderStatus> folders;
  std::vector<PeerStatus> peers;
  std::vector<std::string> warnings;
  std::optional<UnixNanos> certificate_expires;  // its own
  std::vector<std::string> listen;               // where it listens, as configured
};

}  // namespace dagsync
