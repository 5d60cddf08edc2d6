// Looks at paths on the disk: stat, hash, stat again. Steps 2 (the lease) and 3 of a change's life.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "dagsync/core/replica.h"
#include "dagsync/delta/block_sums.h"
#include "dagsync/ports/disk.h"
#include "dagsync/ports/worker.h"

namespace dagsync {

// A file whose mtime lies so close to the look may change once more without showing it.
inline constexpr Duration kRacyWindow = std::chrono::milliseconds(20);

// What to look at, and what the index knows of it: an unchanged file is not read.
struct LookAt {
  RelPath path;
  std::optional<DiskState> known_state;
  Content known;
  std::shared_ptr<const std::string> signature =
      nullptr;  // of `known`: a delta against it is wanted
  std::shared_ptr<const BlockSums> blocks =
      nullptr;           // of `known`, where it is too large for a signature: the same
  bool suspect = false;  // a power cut may have taken it
  bool sign = false;     // of a large file: make its signature too
  bool again = false;    // this is a second look, and the first one found `before`
  std::optional<DiskState> before = std::nullopt;
};

struct LookResult {
  enum class Outcome {
    kSeen,     // `seen` holds it, be it a content or its absence
    kOpen,     // somebody is writing it: its close will be hinted
    kMoving,   // it changed while it was read: look again
    kSpecial,  // a socket, device or FIFO
    kFailed,   // `error` says why
    kSame,     // of a second look: what the first one found stands there still
  };
  Outcome outcome = Outcome::kSeen;
  Observation seen;
  std::shared_ptr<const std::string> bytes;  // of a small file that was read, if asked for
  std::string signature;                     // of a large file, if asked for
  std::shared_ptr<const BlockSums> blocks;   // of a file too large for one
  std::string delta;                         // from `known` to this, if asked for and short
  bool asked = false;                        // whether a writer has it open
  bool degraded = false;                     // asked, and nobody could say
  bool again = false;                        // of a second look
  std::string error;
};

// The files of one round that were cut into blocks when they were last looked at: a large file that
// stands under a new name may be one of them, moved. Refers to the round, which must stay.
class CutFiles {
 public:
  CutFiles() = default;
  explicit CutFiles(std::span<const LookAt> round);
  // The one that was known with this inode, size and mtime, or null.
  [[nodiscard]] const LookAt* find(const DiskState& state) const;

 private:
  std::unordered_map<std::uint64_t, const LookAt*> by_inode_;
};

// What the state alone says of what stands there: no digest, no target, no owner.
[[nodiscard]] Content content_of(const DiskState& state);

// Loop thread only; the looking itself happens in the pool.
class Observer {
 public:
  Observer(Worker& worker, Disk& disk) : worker_(worker), disk_(disk) {}

  // Calls `done` once, with a look for each path in the given order. `moment` is now.
  void look(std::vector<LookAt> paths, UnixNanos moment, bool keep_bytes,
            std::function<void(std::vector<LookResult>)> done);

 private:
  Worker& worker_;
  Disk& disk_;
};

// One look, on the calling thread. `cut`: of the same round.
[[nodiscard]] LookResult look_at(Disk& disk, const LookAt& at, UnixNanos moment, bool keep_bytes,
                                 const CutFiles& cut = {});

}  // namespace dagsync
