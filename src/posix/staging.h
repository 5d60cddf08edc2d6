// Where contents are made ready before they appear in the folder.
//
// On the folder's own file system each has a name in <state_dir>/staging, from where a rename
// publishes it. Where the state directory lies elsewhere, a file is anonymous on the folder's file
// system, and a symlink or directory is only made when it is published. Thread-safe.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "dagsync/ports/disk.h"
#include "posix/folder_root.h"
#include "posix/kept_versions.h"
#include "posix/look.h"
#include "posix/owners.h"
#include "posix/swap_name.h"
#include "posix/temp_name.h"

namespace dagsync {

// What was staged, as publishing needs it.
struct StagedThing {
  FileType type = FileType::kFile;
  DiskState made;          // as it was finished; what differs from it later, somebody else did
  UniqueFd inode;          // read-only or O_PATH; none of what is only made when it is published,
                           // nor of a file with a name, of which thousands may be staged at once
  TempName name;           // in staging; none of an anonymous file and of what is made later
  bool linked = false;     // a second name of a file that stands in the folder
  std::uint32_t mode = 0;  // of a directory
  std::string target;      // of a symlink
  std::optional<UnixNanos> mtime;  // of a symlink
  OwnerOrder owner;                // for what is made later
  Gave gave = Gave::kNothing;      // of what is made
};

// What every Staged of this disk is, too.
class PosixStaged {
 public:
  virtual ~PosixStaged() = default;
  [[nodiscard]] virtual StagedThing& thing() = 0;
};

class Staging {
 public:
  // Makes the directory if need be. What a crash left in it goes, or is kept (recovery.h).
  // `owners` outlives it, and what it stages.
  [[nodiscard]] static Result<std::unique_ptr<Staging>> open(int state_directory, Owners& owners,
                                                             KeptVersions& kept);

  // Whether a rename goes from staging into this folder.
  [[nodiscard]] bool is_beside(const FolderRoot::Opened& root) const;
  // It looked as if, but does not: a rename said EXDEV. From now on nothing is beside.
  void note_apart() { apart_ = true; }

  [[nodiscard]] Result<std::unique_ptr<StagedFile>> file(const FolderRoot::Opened& root,
                                                         std::uint64_t size);
  [[nodiscard]] Result<std::unique_ptr<Staged>> symlink(const FolderRoot::Opened& root,
                                                        const std::string& target,
                                                        const Attributes& attributes);
  [[nodiscard]] Result<std::unique_ptr<Staged>> directory(const FolderRoot::Opened& root,
                                                          const Attributes& attributes);
  // As Disk::stage_link.
  [[nodiscard]] Result<std::unique_ptr<Staged>> link(const FolderRoot::Opened& root,
                                                     const RelPath& path,
                                                     const DiskState& expected);

  // Whether its directory was removed: nothing can be staged until the next start makes it again.
  [[nodiscard]] bool is_gone() const { return is_removed(directory_->get()); }

  // A name for something that is moved out of the folder; nothing lies there yet.
  [[nodiscard]] TempName name_for(const SwapName& swap) const {
    return TempName(directory_, to_string(swap), 0);
  }

 private:
  Staging(SharedFd directory, const Look& look, Owners& owners)
      : directory_(std::move(directory)), look_(look), owners_(owners), last_name_(first_name()) {}
  [[nodiscard]] static std::uint64_t first_name();
  [[nodiscard]] std::string next_name() { return std::to_string(++last_name_); }

  SharedFd directory_;
  Look look_;
  Owners& owners_;
  // What an earlier run left and could not be cleared away has other names.
  std::atomic<std::uint64_t> last_name_;
  std::atomic<bool> apart_{false};
};

// What was staged, as it is now: by its descriptor, else at this name.
[[nodiscard]] Sys<Look> look_at_staged(const StagedThing& staged, NameAt at);

// Makes the symlink or directory `thing` at the name `at`, in its final form.
[[nodiscard]] Sys<void> make_thing(StagedThing& thing, NameAt at);

}  // namespace dagsync
