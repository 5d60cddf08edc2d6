// What SimDisk is made of: the shared state, names of ours, and the steps of publishing.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dagsync/base/log.h"
#include "sim_disk.h"

namespace dagsync::sim {

inline constexpr std::string_view kLabel = ".of";  // names where a kept version stood

struct Disks {
  FileSystem& files;
  const WallClock& clock;
  LifePtr life;
  Seeded& seeded;
  const DiskFaults& faults;
  bool keeps_owners;
  SimDisk::Hooks hooks;
  Inode known_root = 0;
  std::vector<KeptId> unsynced = {};        // kept since the last sync
  std::vector<Disk::Rescued> rescued = {};  // by nobody's wish

  [[nodiscard]] Inode staging() const { return files.walk(FileSystem::kTop, "state/staging"); }
  [[nodiscard]] Inode versions() const { return files.walk(FileSystem::kTop, "state/versions"); }
  // The folder's root, as long as it is the one that was identified.
  [[nodiscard]] Result<Inode> root() const;
  void know_root();
  // Before each system call: is this run still there, and does the disk work?
  [[nodiscard]] Status step(std::string_view doing) const;
  [[nodiscard]] Result<NameIn> place(const RelPath& path, std::string_view doing) const;
  [[nodiscard]] KeptId fresh_id() const;
  [[nodiscard]] std::string fresh_name() const { return fmt::format("{:x}", seeded.next()); }
  [[nodiscard]] bool has_writer(Inode inode) const {
    return !faults.sees_no_writers && files.has_writer(inode);
  }
  // Of a folder that keeps owners.
  void give(Inode inode, const Shared<std::string>& owner) const;
  void label(const KeptId& id, const RelPath& path);  // says where it stood
  void remove_label(const KeptId& id);                // where it stands
  [[nodiscard]] Result<Inode> kept(const KeptId& id, FileType type, std::string_view doing) const;
  void discard(const NameIn& at);  // unlinks what may be somebody's
};

[[nodiscard]] bool matches(const DiskState& expected, const DiskState& now);
[[nodiscard]] bool matches_but_for_ctime(const DiskState& expected, const DiskState& now);
[[nodiscard]] Unexpected fail_no_id(const KeptId& id);

// Something under a name of the staging area. Unpublished, it goes.
struct StagedName {
  std::shared_ptr<Life> life;
  FileSystem* files = nullptr;
  NameIn at;
  Inode inode = 0;
  DiskState made;       // as it was made ready
  bool linked = false;  // a second name of a file that stands in the folder
  Shared<std::string> owner;
  bool published = false;
  StagedName() = default;
  StagedName(const StagedName&) = delete;
  StagedName& operator=(const StagedName&) = delete;
  ~StagedName();
};

// Beside Staged or StagedFile.
class SimThing {
 public:
  virtual ~SimThing() = default;
  StagedName thing;
};

// A staged symlink, directory or second name.
class SimStagedName final : public Staged, public SimThing {};

class SimStagedFile final : public StagedFile, public SimThing {
 public:
  explicit SimStagedFile(Disks& disks);
  Status append(std::string_view bytes) override;
  Status append_from(ReadFile& source, std::uint64_t offset, std::uint64_t length) override;
  Status finish(const Attributes& attributes) override;

 private:
  Disks& disks_;
  std::string bytes_;
};

class SimReadFile final : public ReadFile {
 public:
  SimReadFile(Disks& disks, Inode inode)
      : disks_(disks), inode_(inode), bytes_(disks.files.at(inode).bytes) {}
  Result<DiskState> state() override;
  Result<std::size_t> read(std::uint64_t offset, std::span<char> buffer) override;
  WriterCheck check_writer() override;

 private:
  Disks& disks_;
  Inode inode_;
  Bytes bytes_;  // at the last look
};

// One call of publish() or remove(): src/posix/publishing.h.
struct Publishing {
  Disks& disks;
  const RelPath& path;
  NameIn place;
  const std::optional<KeptId>& keep;
};

[[nodiscard]] Result<Published> publish_staged(const Publishing& job,
                                               const Disk::Expected& expected, StagedName& staged,
                                               const Disk::Disposable& disposable);
[[nodiscard]] Result<Published> remove_file(const Publishing& job, const DiskState& expected);
[[nodiscard]] Result<Published> remove_tree(Disks& disks, const RelPath& path, const NameIn& place,
                                            const Disk::Disposable& disposable);
// What an earlier run left under names of ours: thrown away, or kept.
void clear_staging(Disks& disks);

}  // namespace dagsync::sim
