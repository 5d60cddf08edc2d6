// The kept versions: <state_dir>/versions/<id>, each a file or a symlink as it stood in the folder.
// Beside it <id>.of, a symlink whose target is the path where it stood: the catalogue of kept
// versions may be lost. (An extended attribute is not to be had everywhere, and never on a
// symlink.) Other names in there are left alone. Thread-safe.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "dagsync/ports/disk.h"
#include "posix/look.h"
#include "posix/rename.h"
#include "posix/unique_fd.h"

namespace dagsync {

class KeptVersions {
 public:
  // Makes the directory if need be, and removes what a crash left of half a copy.
  [[nodiscard]] static Result<std::unique_ptr<KeptVersions>> open(int state_directory);
  // Whether its directory was removed: nothing can be kept until the next start makes it again.
  [[nodiscard]] bool is_gone() const { return is_removed(directory_.get()); }

  // An id that nothing has yet.
  [[nodiscard]] static KeptId fresh_id();

  [[nodiscard]] bool has(const KeptId& id) const;
  // Says where what will be kept stood; before it is kept. A label that cannot be made is left out.
  void label(const KeptId& id, const RelPath& path) const;
  [[nodiscard]] bool is_labelled(const KeptId& id) const;
  void remove_label(const KeptId& id) const;
  // Labels of what was not kept after all.
  void remove_stray_labels() const;
  [[nodiscard]] Result<KeptFile> describe(const KeptId& id) const;

  // Moves a name in; it must be on this file system. EEXIST where the id is taken.
  [[nodiscard]] Sys<void> take(NameAt from, const KeptId& id);
  // Copies what `fd` (O_PATH or readable) stands for, a file or a symlink with this mtime.
  [[nodiscard]] Sys<void> copy(int fd, const DiskState& state, const KeptId& id);
  // Whether the kept file and the file that `fd` stands for have equal bytes.
  [[nodiscard]] Sys<bool> equals(const KeptId& id, int fd) const;

  [[nodiscard]] Result<std::unique_ptr<ReadFile>> open_file(const KeptId& id) const;
  [[nodiscard]] Result<std::string> read_link(const KeptId& id) const;
  [[nodiscard]] Result<std::vector<KeptId>> list() const;  // sorted
  [[nodiscard]] Status remove(const KeptId& id);

  // Not asked for by the engine, which learns of it by take_rescued(). Beyond kMaxRescued that
  // nobody took, only the log names them.
  void note_rescued(Disk::Rescued rescued);
  [[nodiscard]] std::vector<Disk::Rescued> take_rescued();
  [[nodiscard]] bool has_rescued();

  // Makes durable what came in since the last time.
  [[nodiscard]] Status sync();
  // And what an earlier run has left unsynced.
  [[nodiscard]] Status sync_all();

 private:
  explicit KeptVersions(UniqueFd directory) : directory_(std::move(directory)) {}
  [[nodiscard]] NameAt at(const std::string& name) const {
    return {directory_.get(), name.c_str()};
  }
  [[nodiscard]] Sys<void> finish_copy(const std::string& half, const DiskState& state,
                                      const KeptId& id);
  void note_unsynced(const KeptId& id);
  [[nodiscard]] Sys<void> sync_one(const KeptId& id) const;

  UniqueFd directory_;
  std::mutex mutex_;
  std::vector<Disk::Rescued> rescued_;  // under mutex_
  std::vector<KeptId> unsynced_;  // under mutex_; beyond kMaxUnsynced the file system is synced
  bool dirty_ = false;            // under mutex_
};

}  // namespace dagsync
