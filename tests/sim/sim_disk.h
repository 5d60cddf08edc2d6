// The Disk of a simulated machine: what src/posix does with system calls, on the file system in
// memory, one call after the other, so that the world may come in between any two.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "dagsync/ports/disk.h"
#include "file_system.h"

namespace dagsync::sim {

// What may go wrong with the disk of one machine, and deliberate defects of the disk itself.
struct DiskFaults {
  bool no_space = false;
  std::set<std::string> unreadable;  // paths that may not be opened
  double io_errors = 0;              // the chance that a call fails with EIO
  // Defects: each breaks a promise that src/posix keeps.
  bool corrupts_staged = false;  // what is staged is not what was appended
  bool keeps_nothing = false;    // the old content is unlinked, whatever was asked for
  bool expects_nothing = false;  // replaces whatever stands there by then
  bool syncs_nothing = false;    // says that it did
  bool sees_no_writers = false;  // every lease is granted
  bool rounds_mtimes = false;    // to whole microseconds, though the file system has more
};

struct Disks;  // what SimDisk, its files and what it stages share

class SimDisk final : public Disk {
 public:
  struct Hooks {
    // The daemon made `now` stand at the path (0: nothing); `old` came out (0: nothing stood).
    std::function<void(const RelPath& path, Inode old, Inode now)> published = nullptr;
    // The daemon is about to take a name from what somebody may have written.
    std::function<void(Inode)> discarding = nullptr;
  };

  // Clears what an earlier run left in the staging area, as a start does.
  SimDisk(FileSystem& files, const WallClock& clock, LifePtr life, Seeded& seeded,
          const DiskFaults& faults, bool keeps_owners, Hooks hooks);
  ~SimDisk() override;

  Result<RootIdentity> identify_root(std::optional<std::string> mark) override;
  Result<std::optional<DiskState>> stat(const RelPath& path) override;
  Result<std::vector<Listed>> list(const RelPath& directory) override;
  Result<std::string> read_link(const RelPath& path) override;
  Result<std::unique_ptr<ReadFile>> open(const RelPath& path) override;
  WriterCheck check_writer(const RelPath& path) override;
  bool keeps_owners() const override;
  Owned owner_of(const RelPath& path, const DiskState& state,
                 const Shared<std::string>& recorded) override;

  Result<std::unique_ptr<StagedFile>> stage_file(std::uint64_t size) override;
  Result<std::unique_ptr<Staged>> stage_symlink(const std::string& target,
                                                const Attributes& attributes) override;
  Result<std::unique_ptr<Staged>> stage_directory(const Attributes& attributes) override;
  Result<std::unique_ptr<Staged>> stage_link(const RelPath& path,
                                             const DiskState& expected) override;

  Result<Published> publish(const RelPath& path, const Expected& expected,
                            std::unique_ptr<Staged> staged, const std::optional<KeptId>& keep,
                            const Disposable& disposable) override;
  Result<Published> remove(const RelPath& path, const DiskState& expected,
                           const std::optional<KeptId>& keep) override;
  Result<Published> remove_directory(const RelPath& path, const Disposable& disposable) override;
  Result<Published> set_attributes(const RelPath& path, const DiskState& expected,
                                   const Attributes& attributes) override;
  Status sync(const std::vector<RelPath>& paths) override;
  Status sync_all() override;

  Result<std::unique_ptr<ReadFile>> open_kept(const KeptId& id) override;
  Result<std::string> read_kept_link(const KeptId& id) override;
  Result<std::vector<KeptId>> list_kept() override;
  Result<KeptFile> describe_kept(const KeptId& id) override;
  std::vector<Rescued> take_rescued() override;
  Status remove_kept(const KeptId& id) override;
  std::string boot() const override;
  std::string degraded() const override { return ""; }

 private:
  Status sync_one(const RelPath& path);

  std::unique_ptr<Disks> disks_;
};

}  // namespace dagsync::sim
