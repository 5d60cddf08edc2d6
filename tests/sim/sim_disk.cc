#include "sim_disk.h"

#include <algorithm>
#include <utility>

#include "dagsync/base/log.h"
#include "sim_disk_parts.h"

namespace dagsync::sim {

bool matches(const DiskState& expected, const DiskState& now) {
  DiskState then = expected;
  then.racy = false;
  return is_unchanged(then, now);
}

bool matches_but_for_ctime(const DiskState& expected, const DiskState& now) {
  DiskState then = expected;
  then.ctime = now.ctime;
  return matches(then, now);
}

Unexpected fail_no_id(const KeptId& id) {
  return fail(ErrorCode::kInvalid, "\"" + escape_bytes(id.value) + "\" names no kept version");
}

// -- what its parts share -------------------------------------------------------------------------

Result<Inode> Disks::root() const {
  const Inode inode = files.find(FileSystem::kTop, "folder");
  if (inode == 0 || !files.is_directory(inode))
    return fail(ErrorCode::kNotFound, "the folder is not there");
  if (inode != known_root)
    return fail(ErrorCode::kNotFound, "another directory stands there than before");
  return inode;
}

// What stands there when the disk is opened is the one, and whatever comes first where nothing did.
void Disks::know_root() {
  const Inode inode = files.find(FileSystem::kTop, "folder");
  if (files.is_directory(inode)) known_root = inode;
}

Status Disks::step(std::string_view doing) const {
  if (!life->step()) return fail(ErrorCode::kIo, std::string(doing) + ": the machine is off");
  if (faults.io_errors > 0 && seeded.chance(faults.io_errors))
    return fail(ErrorCode::kIo, std::string(doing) + ": input/output error");
  return {};
}

Result<NameIn> Disks::place(const RelPath& path, std::string_view doing) const {
  const auto top = root();
  if (!top) return Unexpected(top.error());
  if (path.is_root()) return fail(ErrorCode::kInvalid, std::string(doing) + " the folder itself");
  const auto found = files.place(*top, path);
  if (!found) return fail(ErrorCode::kNotFound, std::string(doing) + " " + display(path));
  return *found;
}

KeptId Disks::fresh_id() const {
  return {fmt::format("{:016x}-{:08x}", clock.now().value, seeded.next() & 0xffffffffu)};
}

void Disks::give(Inode inode, const Shared<std::string>& owner) const {
  if (keeps_owners && !owner->empty() && *owner != files.owner_of(inode))
    files.set_owner(inode, *owner);
}

void Disks::label(const KeptId& id, const RelPath& path) {
  const NameIn at{versions(), id.value + std::string(kLabel)};
  if (files.find(at.directory, at.name) == 0)
    files.make(at, FileType::kSymlink, 0777, path.bytes());
}

void Disks::remove_label(const KeptId& id) {
  const NameIn at{versions(), id.value + std::string(kLabel)};
  if (files.find(at.directory, at.name) != 0) files.unlink(at);
}

Result<Inode> Disks::kept(const KeptId& id, FileType type, std::string_view doing) const {
  if (!is_kept_id(id.value)) return fail_no_id(id);
  const Inode inode = files.find(versions(), id.value);
  if (inode == 0 || files.at(inode).type != type)
    return fail(ErrorCode::kNotFound, std::string(doing) + " " + id.value + ": there is none");
  return inode;
}

void Disks::discard(const NameIn& at) {
  if (hooks.discarding) hooks.discarding(files.find(at.directory, at.name));
  files.unlink(at);
}

// -- the folder -----------------------------------------------------------------------------------

SimDisk::SimDisk(FileSystem& files, const WallClock& clock, LifePtr life, Seeded& seeded,
                 const DiskFaults& faults, bool keeps_owners, Hooks hooks)
    : disks_(std::make_unique<Disks>(
          Disks{files, clock, std::move(life), seeded, faults, keeps_owners, std::move(hooks)})) {
  clear_staging(*disks_);
  disks_->know_root();
}

SimDisk::~SimDisk() = default;

Result<RootIdentity> SimDisk::identify_root(std::optional<std::string> mark) {
  if (const Status step = disks_->step("identify the folder"); !step)
    return Unexpected(step.error());
  const Inode inode = disks_->files.find(FileSystem::kTop, "folder");
  if (inode != 0 && disks_->files.at(inode).type == FileType::kSymlink)
    return fail(ErrorCode::kInvalid, "a symlink stands there: name what it points to");
  if (!disks_->files.is_directory(inode))
    return fail(ErrorCode::kNotFound, "the folder is not there: mount it, or make the directory");
  if (disks_->files.at(inode).mark.empty() && mark) {
    disks_->files.set_mark(inode, *mark);
    disks_->files.sync(inode);
  }
  // A question about another directory does not make it ours.
  Inode& known = disks_->known_root;
  if (mark || known == 0 || known == inode) known = inode;
  return RootIdentity{inode, 1, disks_->files.at(inode).mark};
}

std::string SimDisk::boot() const {
  return fmt::format("boot {}", disks_->files.power_cuts());
}

Result<std::optional<DiskState>> SimDisk::stat(const RelPath& path) {
  if (const Status step = disks_->step("look at"); !step) return Unexpected(step.error());
  const auto root = disks_->root();
  if (!root) return Unexpected(root.error());
  if (path.is_root()) return disks_->files.state(*root);
  const auto at = disks_->files.place(*root, path);
  const Inode inode = at ? disks_->files.find(at->directory, at->name) : 0;
  if (inode == 0) return std::nullopt;
  return disks_->files.state(inode);
}

Result<std::vector<Disk::Listed>> SimDisk::list(const RelPath& directory) {
  if (const Status step = disks_->step("list"); !step) return Unexpected(step.error());
  const auto root = disks_->root();
  if (!root) return Unexpected(root.error());
  const Inode inode = disks_->files.walk(*root, directory.bytes());
  if (!disks_->files.is_directory(inode))
    return fail(ErrorCode::kNotFound, "list " + display(directory) + ": no such directory");
  std::vector<Listed> listed;
  for (const auto& [name, below] : disks_->files.at(inode).names)
    listed.push_back({name, disks_->files.state(below), false});
  return listed;
}

Result<std::string> SimDisk::read_link(const RelPath& path) {
  if (const Status step = disks_->step("read the symlink"); !step) return Unexpected(step.error());
  const auto at = disks_->place(path, "read the symlink");
  if (!at) return Unexpected(at.error());
  const Inode inode = disks_->files.find(at->directory, at->name);
  if (inode == 0 || disks_->files.at(inode).type != FileType::kSymlink)
    return fail(ErrorCode::kNotFound, "read the symlink " + display(path) + ": it is none");
  return *disks_->files.at(inode).bytes;
}

Result<std::unique_ptr<ReadFile>> SimDisk::open(const RelPath& path) {
  if (const Status step = disks_->step("open"); !step) return Unexpected(step.error());
  const auto at = disks_->place(path, "open");
  if (!at) return Unexpected(at.error());
  const Inode inode = disks_->files.find(at->directory, at->name);
  if (inode == 0) return fail(ErrorCode::kNotFound, "open " + display(path));
  if (disks_->files.at(inode).type != FileType::kFile)
    return fail(ErrorCode::kInvalid, "open " + display(path) + ": it is no regular file");
  if (disks_->faults.unreadable.contains(path.bytes()))
    return fail(ErrorCode::kPermission, "open " + display(path) + ": permission denied");
  return std::make_unique<SimReadFile>(*disks_, inode);
}

bool SimDisk::keeps_owners() const {
  return disks_->keeps_owners;
}

Disk::Owned SimDisk::owner_of(const RelPath&, const DiskState& state,
                              const Shared<std::string>& recorded) {
  if (!disks_->keeps_owners) return {recorded, false};
  return {disks_->files.owner_numbered(state.user), false};
}

WriterCheck SimDisk::check_writer(const RelPath& path) {
  if (!disks_->life->step()) return WriterCheck::kNone;
  const auto at = disks_->place(path, "open");
  const Inode inode = at ? disks_->files.find(at->directory, at->name) : 0;
  const bool is_file = inode != 0 && disks_->files.at(inode).type == FileType::kFile;
  return is_file && disks_->has_writer(inode) ? WriterCheck::kWriter : WriterCheck::kNone;
}

// -- publishing -----------------------------------------------------------------------------------

Result<Published> SimDisk::publish(const RelPath& path, const Expected& expected,
                                   std::unique_ptr<Staged> staged,
                                   const std::optional<KeptId>& keep,
                                   const Disposable& disposable) {
  auto* ours = dynamic_cast<SimThing*>(staged.get());
  if (ours == nullptr) return fail(ErrorCode::kInvalid, "publish: not staged by this disk");
  if (const Status step = disks_->step("publish"); !step) return Unexpected(step.error());
  const auto place = disks_->place(path, "publish");
  if (!place) return Unexpected(place.error());
  return publish_staged({*disks_, path, *place, keep}, expected, ours->thing, disposable);
}

Result<Published> SimDisk::remove(const RelPath& path, const DiskState& expected,
                                  const std::optional<KeptId>& keep) {
  if (const Status step = disks_->step("remove"); !step) return Unexpected(step.error());
  const auto place = disks_->place(path, "remove");
  if (!place && place.error().code == ErrorCode::kNotFound && disks_->root())
    return Published{PublishOutcome::kChanged, {}, false};
  if (!place) return Unexpected(place.error());
  return remove_file({*disks_, path, *place, keep}, expected);
}

Result<Published> SimDisk::remove_directory(const RelPath& path, const Disposable& disposable) {
  if (const Status step = disks_->step("remove"); !step) return Unexpected(step.error());
  const auto place = disks_->place(path, "remove");
  if (!place && place.error().code == ErrorCode::kNotFound && disks_->root())
    return Published{PublishOutcome::kChanged, {}, false};
  if (!place) return Unexpected(place.error());
  return remove_tree(*disks_, path, *place, disposable);
}

Result<Published> SimDisk::set_attributes(const RelPath& path, const DiskState& expected,
                                          const Attributes& attributes) {
  const Published changed{PublishOutcome::kChanged, {}, false};
  if (const Status step = disks_->step("set the mode of"); !step) return Unexpected(step.error());
  const auto place = disks_->place(path, "set the mode of");
  if (!place && place.error().code == ErrorCode::kNotFound && disks_->root()) return changed;
  if (!place) return Unexpected(place.error());
  FileSystem& files = disks_->files;
  const Inode inode = files.find(place->directory, place->name);
  if (inode == 0 || files.at(inode).type == FileType::kSpecial) return changed;
  if (disks_->has_writer(inode)) return Published{PublishOutcome::kBusy, {}, false};
  if (!matches(expected, files.state(inode))) return changed;
  const FileType type = files.at(inode).type;
  const std::uint32_t bits = type == FileType::kDirectory ? 03777 : 0777;
  const std::uint32_t mode = attributes.mode & bits;
  const std::optional<UnixNanos> mtime = attributes.mtime;
  disks_->give(inode, attributes.owner);
  if (type != FileType::kSymlink && mode != files.at(inode).mode) files.set_mode(inode, mode);
  // Between the two calls the lease is held: nobody writes.
  if (mtime && type != FileType::kDirectory && *mtime != files.at(inode).mtime)
    files.set_mtime(inode, *mtime);
  if (disks_->hooks.published) disks_->hooks.published(path, inode, inode);
  return Published{PublishOutcome::kDone, files.state(inode), false};
}

Status SimDisk::sync(const std::vector<RelPath>& paths) {
  constexpr std::size_t kMostSyncedSingly = 64;
  if (disks_->faults.syncs_nothing) return disks_->step("make durable");
  if (const auto root = disks_->root(); !root) return Unexpected(root.error());
  if (paths.size() > kMostSyncedSingly) {
    if (const Status step = disks_->step("make durable"); !step) return step;
    disks_->files.sync_all();
  } else {
    for (const RelPath& path : paths) {
      if (const Status synced = sync_one(path); !synced) return synced;
    }
  }
  for (const KeptId& id : disks_->unsynced) {
    if (const Status step = disks_->step("make durable the kept"); !step) return step;
    if (const Inode inode = disks_->files.find(disks_->versions(), id.value))
      disks_->files.sync(inode);
  }
  disks_->unsynced.clear();
  if (const Status step = disks_->step("make durable the kept"); !step) return step;
  disks_->files.sync(disks_->versions());
  return {};
}

Status SimDisk::sync_all() {
  if (const Status step = disks_->step("make durable"); !step) return step;
  if (disks_->faults.syncs_nothing) return {};
  if (const auto root = disks_->root(); !root) return Unexpected(root.error());
  disks_->files.sync_all();
  disks_->unsynced.clear();
  return {};
}

// What stands there, and the directories above that are still there.
Status SimDisk::sync_one(const RelPath& path) {
  if (const Status step = disks_->step("make durable"); !step) return step;
  const auto root = disks_->root();
  if (!root) return Unexpected(root.error());
  FileSystem& files = disks_->files;
  const Inode inode = files.walk(*root, path.bytes());
  if (inode != 0 && files.at(inode).type != FileType::kSymlink) files.sync(inode);
  RelPath parent = path.parent();
  while (!parent.is_root() && !files.is_directory(files.walk(*root, parent.bytes())))
    parent = parent.parent();
  for (;; parent = parent.parent()) {
    if (const Status step = disks_->step("make durable"); !step) return step;
    if (const Inode above = files.walk(*root, parent.bytes())) files.sync(above);
    if (parent.is_root()) return {};
  }
}

// -- kept versions --------------------------------------------------------------------------------

Result<std::unique_ptr<ReadFile>> SimDisk::open_kept(const KeptId& id) {
  if (const Status step = disks_->step("open the kept"); !step) return Unexpected(step.error());
  const auto inode = disks_->kept(id, FileType::kFile, "open the kept file");
  if (!inode) return Unexpected(inode.error());
  return std::make_unique<SimReadFile>(*disks_, *inode);
}

Result<std::string> SimDisk::read_kept_link(const KeptId& id) {
  if (const Status step = disks_->step("read the kept"); !step) return Unexpected(step.error());
  const auto inode = disks_->kept(id, FileType::kSymlink, "read the kept link");
  if (!inode) return Unexpected(inode.error());
  return *disks_->files.at(*inode).bytes;
}

Result<std::vector<KeptId>> SimDisk::list_kept() {
  if (const Status step = disks_->step("list the kept"); !step) return Unexpected(step.error());
  std::vector<KeptId> ids;
  for (const auto& [name, inode] : disks_->files.at(disks_->versions()).names) {
    if (is_kept_id(name)) ids.push_back({name});
  }
  return ids;
}

Result<KeptFile> SimDisk::describe_kept(const KeptId& id) {
  if (const Status step = disks_->step("describe the kept"); !step) return Unexpected(step.error());
  if (!is_kept_id(id.value)) return fail_no_id(id);
  const FileSystem& files = disks_->files;
  const Inode label = files.find(disks_->versions(), id.value + std::string(kLabel));
  const Inode kept = files.find(disks_->versions(), id.value);
  if (label == 0 || kept == 0) return fail(ErrorCode::kNotFound, "describe the kept " + id.value);
  return KeptFile{*RelPath::parse(*files.at(label).bytes), files.state(kept)};
}

std::vector<Disk::Rescued> SimDisk::take_rescued() {
  return std::exchange(disks_->rescued, {});
}

Status SimDisk::remove_kept(const KeptId& id) {
  if (const Status step = disks_->step("remove the kept"); !step) return step;
  if (!is_kept_id(id.value)) return fail_no_id(id);
  const NameIn at{disks_->versions(), id.value};
  if (disks_->files.find(at.directory, at.name) != 0) disks_->files.unlink(at);
  disks_->remove_label(id);
  return {};
}

}  // namespace dagsync::sim
