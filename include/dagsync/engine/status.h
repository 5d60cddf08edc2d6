// What a node tells a person about itself and the mesh. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dagsync/base/rel_path.h"
#include "dagsync/base/time.h"
#include "dagsync/core/names.h"
#include "dagsync/engine/lag_meter.h"

namespace dagsync {

enum class FolderState { kScanning, kSyncing, kIdle, kHalted };

struct PathError {
  RelPath path;
  std::string error;
  UnixNanos since;
};

// What has gone to one peer, and what of its own has come in, since the start.
struct Traffic {
  std::uint64_t changes_sent = 0;
  std::uint64_t changes_received = 0;
  std::uint64_t bytes_sent = 0;  // of the contents of these changes, whatever went over the wire
  std::uint64_t bytes_received = 0;
};

struct FolderPeerStatus {
  NodeName name;
  bool counted = true;
  bool in_sync = false;
  bool accepts = true;  // false: it has said that it takes nothing, since it is halted or paused
  std::size_t behind_files = 0;
  std::uint64_t behind_bytes = 0;
  Sequence acked_sequence = 0;  // of our own changes, durably there
  double lag_seconds = 0;       // how long it has lacked something
  Traffic traffic;
  LagHistogram lag;  // of our own changes, until it had them durably
};

// What has happened to a folder since the start.
struct FolderCounts {
  std::uint64_t conflicts = 0;
  std::uint64_t refusals = 0;
  std::uint64_t halts = 0;
  std::uint64_t path_errors = 0;
  std::uint64_t store_errors = 0;
  std::uint64_t delta_saved_bytes = 0;  // by the deltas that were sent, against whole contents
};

struct FolderStatus {
  std::string name;
  std::string path;
  std::string mode;
  FolderState state = FolderState::kScanning;
  std::string state_reason;
  bool paused = false;  // it is halted because somebody wanted it
  std::size_t files = 0;
  std::size_t directories = 0;
  std::uint64_t bytes = 0;
  Sequence sequence = 0;
  std::size_t pending_changes = 0;  // seen here or received, and not done with
  std::size_t conflicts = 0;
  std::size_t drift = 0;
  std::size_t watches = 0;
  bool ready = false;                // the first comparison with the disk is over
  std::uint64_t fetching_bytes = 0;  // still to come, of contents that were asked for
  FolderCounts counts;
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
  std::string trouble;           // why it is not connected, as far as known
  std::size_t queued_bytes = 0;  // for it, and not taken by the network yet
  std::vector<NodeName> sees;    // whom it is connected to, by its own word
};

// A [[hook]] of one folder: what its runs came to.
struct HookStatus {
  std::string on;
  std::string folder;
  std::vector<std::string> run;
  bool running = false;
  std::size_t waiting = 0;     // paths that the next run is given
  std::uint64_t left_out = 0;  // paths that found no room, of all runs
  std::uint64_t runs = 0;
  std::uint64_t failures = 0;
  std::optional<int> last_exit;  // none: it never ran, was ended by a signal, or did not start
  std::optional<UnixNanos> last_end;
  std::string last_error;  // why the last run failed, with the last line of its standard error
};

struct NodeStatus {
  NodeName name;
  double uptime_seconds = 0;
  bool in_sync = false;
  bool ready = false;  // every folder is, and the ports listen
  std::vector<FolderStatus> folders;
  std::vector<PeerStatus> peers;
  std::vector<HookStatus> hooks;
  std::vector<std::string> warnings;
  std::optional<UnixNanos> certificate_expires;  // its own
  std::vector<std::string> listen;               // where it listens, as configured
};

}  // namespace dagsync
