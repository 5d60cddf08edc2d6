// What the steps of publishing work with.
#pragma once

#include <atomic>
#include <optional>
#include <string>

#include "dagsync/ports/disk.h"
#include "posix/beneath.h"
#include "posix/departed.h"
#include "posix/kept_versions.h"
#include "posix/staging.h"

namespace dagsync {

// What this disk does with less than it should. Thread-safe.
class Degradations {
 public:
  void note_no_exchange() { no_exchange_ = true; }
  [[nodiscard]] bool no_exchange() const { return no_exchange_; }
  [[nodiscard]] std::string text() const;

 private:
  std::atomic<bool> no_exchange_{false};
};

// One call of publish() or remove().
struct Publishing {
  const RelPath& path;
  Place place;  // of that path
  bool beside;  // staging and the kept versions can be reached by a rename
  const std::optional<KeptId>& keep;
  Staging& staging;
  KeptVersions& kept;
  Departed& departed;
  Degradations& degradations;
};

// A name in the folder or in staging for what is swapped out: a rename must reach it.
[[nodiscard]] TempName swap_name_for(const Publishing& job, const SwapName& swap);

[[nodiscard]] inline NameAt at(const Place& place) {
  return {place.directory->get(), place.name.c_str()};
}

// It shows something unexpected; or somebody has it open for writing. Then nothing was done.
inline const Published kChanged{PublishOutcome::kChanged, {}, false};
inline const Published kBusy{PublishOutcome::kBusy, {}, false};

// What stands at a place, held so that its inode number is not used again.
struct Standing {
  UniqueFd inode;  // O_PATH
  DiskState state;
};
// ENOENT: nothing does; EXDEV: a mount.
[[nodiscard]] Sys<Standing> hold(const Place& place);

// Whether somebody has it open for writing; false also where nobody can say.
[[nodiscard]] bool has_writer(const Standing& standing);

}  // namespace dagsync
