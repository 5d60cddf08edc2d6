// A folder on Linux. Which file knows what:
//   folder_root      the directory that the folder is, noticed when it vanishes
//   beneath          paths that cannot lead out of it
//   visit            what a run of calls shares of both
//   staging          what is made ready, and where
//   publish          the step that makes it visible; replace, keeping, put_back: what it replaces
//   kept_versions    where that goes; recovery: also after a crash
//   owners           to whom it belongs, by the names of owner_names
//   lease            who is writing; departed: who was about to
//   durable          what survives a power cut
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "dagsync/ports/disk.h"
#include "posix/durable.h"
#include "posix/folder_root.h"
#include "posix/kept_versions.h"
#include "posix/owners.h"
#include "posix/publishing.h"
#include "posix/staging.h"

namespace dagsync {

class PosixDisk final : public Disk {
 public:
  struct Options {
    std::string root;       // absolute; may be missing, and come and go
    std::string state_dir;  // this folder's own part of the node's; made 0700 if missing
    OwnerRule owner;        // of what is published
    bool fsync = true;      // false: sync() makes nothing durable
    bool exchange = true;   // false: as on a file system that exchanges no names
  };
  // kInvalid: a symlink stands at the root. Ignores SIGIO in this process (lease.h).
  [[nodiscard]] static Result<std::unique_ptr<PosixDisk>> open(Options options);

  ~PosixDisk() override;

  // What a crash left in the folder under names of ours (".dagsync-…"): content that somebody wrote
  // becomes a kept version. Before anything is published; walks the whole tree.
  [[nodiscard]] Status remove_strays();
  // Whether the folder lies on another file system than the state directory, or cannot be told.
  [[nodiscard]] bool other_file_system() const;

  std::unique_ptr<Visit> visit() override;
  Result<RootIdentity> identify_root(std::optional<std::string> mark) override;
  Result<std::optional<DiskState>> stat(const RelPath& path) override;
  Result<std::vector<Listed>> list(const RelPath& directory) override;
  Result<std::string> read_link(const RelPath& path) override;
  Result<std::unique_ptr<ReadFile>> open(const RelPath& path) override;
  WriterCheck check_writer(const RelPath& path) override;
  bool keeps_owners() const override { return owners_->keeps(); }
  Owned owner_of(const RelPath& path, const DiskState& state,
                 const Shared<std::string>& recorded) override {
    return owners_->owner_of(path, state, recorded);
  }

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
  Status remove_kept(const KeptId& id) override;
  std::vector<Rescued> take_rescued() override { return kept_->take_rescued(); }
  bool has_rescued() override { return kept_->has_rescued(); }

  std::string boot() const override;
  std::string degraded() const override;

 private:
  PosixDisk(Options options, std::unique_ptr<KeptVersions> kept, std::unique_ptr<Owners> owners,
            std::unique_ptr<Staging> staging);

  // The parent of `path`, which is not the root, in the folder as it stands now.
  struct Standpoint {
    FolderRoot::Opened root;
    Place place;
  };
  [[nodiscard]] Result<FolderRoot::Opened> open_root() const;
  [[nodiscard]] Sys<Place> place_in(const FolderRoot::Opened& root, const RelPath& path) const;
  void forget_directory() const;
  [[nodiscard]] Result<Standpoint> stand_at(const RelPath& path, std::string_view doing) const;
  [[nodiscard]] Publishing job_at(const RelPath& path, const Standpoint& standpoint,
                                  const std::optional<KeptId>& keep);
  // The inode at `path`, O_PATH, not followed.
  [[nodiscard]] Result<UniqueFd> inode_at(const RelPath& path, std::string_view doing) const;
  void look_after_departed();
  [[nodiscard]] Status make_durable(const std::vector<RelPath>& paths);
  [[nodiscard]] Status remove_strays_in(const RelPath& directory, std::vector<RelPath>& below);

  const Options options_;
  FolderRoot root_;
  std::unique_ptr<KeptVersions> kept_;
  std::unique_ptr<Owners> owners_;
  std::unique_ptr<Staging> staging_;
  Departed departed_;
  DurableDirectories durable_;
  Degradations degradations_;
};

}  // namespace dagsync
