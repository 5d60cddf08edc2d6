#include "posix/posix_disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <climits>
#include <fstream>

#include "dagsync/base/log.h"
#include "posix/attributes.h"
#include "posix/beneath.h"
#include "posix/directory_names.h"
#include "posix/disk_error.h"
#include "posix/lease.h"
#include "posix/posix_read_file.h"
#include "posix/publish.h"
#include "posix/recovery.h"
#include "posix/remove.h"
#include "posix/visit.h"

namespace dagsync {
namespace {

// With the directories above it; all that is made belongs to the daemon alone.
Status make_private_directory(const std::string& path) {
  for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const std::string part = path.substr(0, end);
    if (::mkdir(part.c_str(), S_IRWXU) != 0 && errno != EEXIST)
      return fail_at(errno, "make the state directory", escape_bytes(part));
    if (end == std::string::npos) return {};
  }
}

Unexpected fail_root_itself(std::string_view doing) {
  return fail(ErrorCode::kInvalid, std::string(doing) + " the folder itself: name what is in it");
}

// Whether another file system, or a bind mount, begins there.
bool is_mounted(const Look& look, const Look& root) {
  return look.mount_root || look.state.device != root.state.device;
}

}  // namespace

PosixDisk::PosixDisk(Options options, std::unique_ptr<KeptVersions> kept,
                     std::unique_ptr<Owners> owners, std::unique_ptr<Staging> staging)
    : options_(std::move(options)),
      root_(options_.root),
      kept_(std::move(kept)),
      owners_(std::move(owners)),
      staging_(std::move(staging)) {
  if (!options_.exchange) degradations_.note_no_exchange();
}

PosixDisk::~PosixDisk() {
  look_after_departed();
}

Result<std::unique_ptr<PosixDisk>> PosixDisk::open(Options options) {
  ignore_lease_signals();
  const auto made = make_private_directory(options.state_dir);
  if (!made) return tl::unexpected(made.error());
  const UniqueFd state(::open(options.state_dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!state) return fail_at(errno, "open the state directory", escape_bytes(options.state_dir));
  auto kept = KeptVersions::open(state.get());
  if (!kept) return tl::unexpected(kept.error().with_context(escape_bytes(options.state_dir)));
  auto owners = std::make_unique<Owners>(options.owner);
  auto staging = Staging::open(state.get(), *owners, **kept);
  if (!staging)
    return tl::unexpected(staging.error().with_context(escape_bytes(options.state_dir)));
  std::unique_ptr<PosixDisk> disk(
      new PosixDisk(std::move(options), std::move(*kept), std::move(owners), std::move(*staging)));
  const auto identity = disk->identify_root(std::nullopt);
  if (!identity && identity.error().code != ErrorCode::kNotFound)
    return tl::unexpected(identity.error());
  return disk;
}

bool PosixDisk::other_file_system() const {
  const auto root = open_root();
  return !root || !staging_->is_beside(*root);
}

// -- the folder -----------------------------------------------------------------------------------

Result<RootIdentity> PosixDisk::identify_root(std::optional<std::string> mark) {
  return root_.identify(mark);
}

std::unique_ptr<Disk::Visit> PosixDisk::visit() {
  return std::make_unique<PosixVisit>(root_);
}

Result<FolderRoot::Opened> PosixDisk::open_root() const {
  auto* visit = PosixVisit::current(root_);
  return visit != nullptr ? visit->open_root() : root_.open();
}

Sys<Place> PosixDisk::place_in(const FolderRoot::Opened& root, const RelPath& path) const {
  auto* visit = PosixVisit::current(root_);
  return visit != nullptr ? visit->place_of(root, path) : place_of(root.fd->get(), path);
}

// After a call that may have removed it.
void PosixDisk::forget_directory() const {
  if (auto* visit = PosixVisit::current(root_)) visit->forget_directory();
}

Result<PosixDisk::Standpoint> PosixDisk::stand_at(const RelPath& path,
                                                  std::string_view doing) const {
  if (path.is_root()) return fail_root_itself(doing);
  auto root = open_root();
  if (!root) return tl::unexpected(std::move(root.error()));
  auto place = place_in(*root, path);
  if (!place) return fail_at(place.error().number, doing, path);
  return Standpoint{std::move(*root), std::move(*place)};
}

Result<UniqueFd> PosixDisk::inode_at(const RelPath& path, std::string_view doing) const {
  const auto root = open_root();
  if (!root) return tl::unexpected(root.error());
  auto inode = open_beneath(root->fd->get(), path, O_PATH | O_NOFOLLOW);
  if (!inode) return fail_at(inode.error().number, doing, path);
  return std::move(*inode);
}

Result<std::optional<DiskState>> PosixDisk::stat(const RelPath& path) {
  const auto root = open_root();
  if (!root) return tl::unexpected(root.error());
  if (path.is_root()) return root->look.state;
  const auto place = place_in(*root, path);
  if (!place && !is_no_directory(place.error().number))
    return fail_at(place.error().number, "look at", path);
  if (!place) {
    owners_->gone(path);
    return std::nullopt;
  }
  const auto look = look_at(place->directory->get(), place->name.c_str());
  if (look) return look->state;
  if (is_no_directory(look.error().number)) {
    owners_->gone(path);
    return std::nullopt;
  }
  return fail_at(look.error().number, "look at", path);
}

Result<std::vector<Disk::Listed>> PosixDisk::list(const RelPath& directory) {
  const auto root = open_root();
  if (!root) return tl::unexpected(root.error());
  const auto opened = open_beneath(root->fd->get(), directory, O_PATH | O_DIRECTORY);
  if (!opened) return fail_at(opened.error().number, "list", directory);
  auto names = names_in(opened->get());
  if (!names) return fail_at(names.error().number, "list", directory);
  std::vector<Listed> listed;
  listed.reserve(names->size());
  for (std::string& name : *names) {
    const auto look = look_at(opened->get(), name.c_str());
    if (!look && look.error().number == ENOENT) continue;  // gone meanwhile
    if (!look) return fail_at(look.error().number, "look at a name in", directory);
    listed.push_back({std::move(name), look->state, is_mounted(*look, root->look)});
  }
  return listed;
}

Result<std::string> PosixDisk::read_link(const RelPath& path) {
  const auto standpoint = stand_at(path, "read the symlink");
  if (!standpoint) return tl::unexpected(standpoint.error());
  const Place& place = standpoint->place;
  std::array<char, PATH_MAX> target;
  const ssize_t size =
      ::readlinkat(place.directory->get(), place.name.c_str(), target.data(), target.size());
  if (size >= 0) return std::string(target.data(), static_cast<std::size_t>(size));
  if (errno != EINVAL) return fail_at(errno, "read the symlink", path);
  return fail(ErrorCode::kNotFound, "read the symlink " + display(path) + ": it is none");
}

// The inode is pinned and seen to be a file before it is opened: opening a device can do things.
Result<std::unique_ptr<ReadFile>> PosixDisk::open(const RelPath& path) {
  const auto inode = inode_at(path, "open");
  if (!inode) return tl::unexpected(inode.error());
  const auto look = look_at(inode->get());
  if (!look) return fail_at(look.error().number, "look at", path);
  if (look->state.type != FileType::kFile)
    return fail(ErrorCode::kInvalid, "open " + display(path) + ": it is no regular file");
  auto file = reopen(inode->get(), O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (!file) return fail_at(file.error().number, "open", path);
  return std::make_unique<PosixReadFile>(std::move(*file), display(path));
}

WriterCheck PosixDisk::check_writer(const RelPath& path) {
  const auto inode = inode_at(path, "open");
  if (!inode) return WriterCheck::kNone;
  const auto look = look_at(inode->get());
  if (!look || look->state.type != FileType::kFile) return WriterCheck::kNone;
  return dagsync::check_writer(inode->get());
}

// -- staging --------------------------------------------------------------------------------------

Result<std::unique_ptr<StagedFile>> PosixDisk::stage_file(std::uint64_t size) {
  const auto root = open_root();
  if (!root) return tl::unexpected(root.error());
  return staging_->file(*root, size);
}

Result<std::unique_ptr<Staged>> PosixDisk::stage_symlink(const std::string& target,
                                                         const Attributes& attributes) {
  const auto root = open_root();
  if (!root) return tl::unexpected(root.error());
  return staging_->symlink(*root, target, attributes);
}

Result<std::unique_ptr<Staged>> PosixDisk::stage_directory(const Attributes& attributes) {
  const auto root = open_root();
  if (!root) return tl::unexpected(root.error());
  return staging_->directory(*root, attributes);
}

Result<std::unique_ptr<Staged>> PosixDisk::stage_link(const RelPath& path,
                                                      const DiskState& expected) {
  const auto root = open_root();
  if (!root) return tl::unexpected(root.error());
  return staging_->link(*root, path, expected);
}

// -- publishing -----------------------------------------------------------------------------------

Publishing PosixDisk::job_at(const RelPath& path, const Standpoint& standpoint,
                             const std::optional<KeptId>& keep) {
  return {path,      standpoint.place, staging_->is_beside(standpoint.root),
          keep,      *staging_,        *kept_,
          departed_, degradations_};
}

Result<Published> PosixDisk::publish(const RelPath& path, const Expected& expected,
                                     std::unique_ptr<Staged> staged,
                                     const std::optional<KeptId>& keep,
                                     const Disposable& disposable) {
  auto* ours = dynamic_cast<PosixStaged*>(staged.get());
  if (ours == nullptr) return fail(ErrorCode::kInvalid, "publish: not staged by this disk");
  const auto standpoint = stand_at(path, "publish");
  if (!standpoint) return tl::unexpected(standpoint.error());
  if (expected && expected->type == FileType::kDirectory) forget_directory();
  Publishing job = job_at(path, *standpoint, keep);
  auto published = publish_staged(job, expected, ours->thing(), disposable);
  if (published && published->now)
    owners_->note(path, ours->thing().gave, ours->thing().owner.name, *published->now);
  return published;
}

Result<Published> PosixDisk::remove(const RelPath& path, const DiskState& expected,
                                    const std::optional<KeptId>& keep) {
  const auto standpoint = stand_at(path, "remove");
  if (!standpoint && standpoint.error().code == ErrorCode::kNotFound && open_root())
    return Published{PublishOutcome::kChanged, {}, false};
  if (!standpoint) return tl::unexpected(standpoint.error());
  Publishing job = job_at(path, *standpoint, keep);
  return remove_file(job, expected);
}

Result<Published> PosixDisk::remove_directory(const RelPath& path, const Disposable& disposable) {
  const auto standpoint = stand_at(path, "remove");
  if (!standpoint && standpoint.error().code == ErrorCode::kNotFound && open_root())
    return Published{PublishOutcome::kChanged, {}, false};
  if (!standpoint) return tl::unexpected(standpoint.error());
  forget_directory();
  return remove_tree(path, standpoint->place, disposable);
}

Result<Published> PosixDisk::set_attributes(const RelPath& path, const DiskState& expected,
                                            const Attributes& attributes) {
  const auto standpoint = stand_at(path, "set the owner, mode or time of");
  if (!standpoint && standpoint.error().code == ErrorCode::kNotFound && open_root())
    return Published{PublishOutcome::kChanged, {}, false};
  if (!standpoint) return tl::unexpected(standpoint.error());
  return set_attributes_at(path, standpoint->place, expected, attributes, *owners_);
}

Status PosixDisk::sync(const std::vector<RelPath>& paths) {
  const auto durable = options_.fsync ? make_durable(paths) : Status();
  look_after_departed();
  return durable;
}

Status PosixDisk::sync_all() {
  if (!options_.fsync) return {};
  const auto root = open_root();
  if (!root) return tl::unexpected(root.error());
  const auto durable = sync_file_system(root->fd->get());
  return durable ? kept_->sync_all() : durable;
}

Status PosixDisk::make_durable(const std::vector<RelPath>& paths) {
  const auto root = open_root();
  if (!root) return tl::unexpected(root.error());
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto durable = dagsync::make_durable(root->fd->get(), paths, durable_,
                                             {std::chrono::nanoseconds(now).count()});
  return durable ? kept_->sync() : durable;
}

void PosixDisk::look_after_departed() {
  for (const Departed::Late& edit : departed_.take_late())
    bring_back(edit, *this, *kept_);
}

// -- kept versions --------------------------------------------------------------------------------

Result<std::unique_ptr<ReadFile>> PosixDisk::open_kept(const KeptId& id) {
  return kept_->open_file(id);
}

Result<std::string> PosixDisk::read_kept_link(const KeptId& id) {
  return kept_->read_link(id);
}

Result<std::vector<KeptId>> PosixDisk::list_kept() {
  return kept_->list();
}

Result<KeptFile> PosixDisk::describe_kept(const KeptId& id) {
  return kept_->describe(id);
}

Status PosixDisk::remove_kept(const KeptId& id) {
  return kept_->remove(id);
}

std::string PosixDisk::degraded() const {
  const bool gone = staging_->is_gone() || kept_->is_gone();
  const std::string state = gone ? "its directory of staged files or of kept versions was removed "
                                   "from the state directory: "
                                   "restart the daemon, which makes it again"
                                 : "";
  std::string text;
  for (const std::string& reason : {state, degradations_.text(), owners_->degraded()})
    if (!reason.empty()) text += (text.empty() ? "" : "; ") + reason;
  return text;
}

std::string PosixDisk::boot() const {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  std::getline(file, id);
  return id;
}

// -- after a crash --------------------------------------------------------------------------------

// By names alone: looking at each file would take as long as the scan that follows.
Status PosixDisk::remove_strays_in(const RelPath& directory, std::vector<RelPath>& below) {
  const auto root = open_root();
  if (!root) return tl::unexpected(root.error());
  const auto opened = open_beneath(root->fd->get(), directory, O_PATH | O_DIRECTORY);
  if (!opened) {
    const Unexpected failed = fail_at(opened.error().number, "list", directory);
    const bool is_gone = failed.value().code == ErrorCode::kNotFound && !directory.is_root();
    return is_gone ? Status() : failed;
  }
  const auto entries = types_in(opened->get());
  if (!entries) return fail_at(entries.error().number, "list", directory);
  for (const auto& [name, type] : *entries) {
    auto path = directory.child(name);
    if (!path) continue;  // too deep for anything of ours
    const bool is_stray = name.starts_with(kStrayPrefix);
    const auto swap = is_stray ? parse_swap_name(std::string_view(name).substr(kStrayPrefix.size()))
                               : std::nullopt;
    if (swap) {
      const auto standpoint = stand_at(*path, "remove");
      if (!standpoint) return tl::unexpected(standpoint.error());
      const auto gone = recover(at(standpoint->place), *swap, *kept_);
      if (!gone) return fail_at(gone.error().number, "remove", *path);
      log::info("removed {}, which an earlier stop had left", display(*path));
    } else if (type == DT_DIR || type == DT_UNKNOWN) {
      const auto look = look_at(opened->get(), name.c_str());
      if (!look || look->state.type != FileType::kDirectory) continue;
      if (!is_mounted(*look, root->look)) below.push_back(std::move(*path));
    }
  }
  return {};
}

Status PosixDisk::remove_strays() {
  std::vector<RelPath> directories{RelPath()};
  while (!directories.empty()) {
    const RelPath directory = std::move(directories.back());
    directories.pop_back();
    const auto removed = remove_strays_in(directory, directories);
    if (!removed) return removed;
  }
  kept_->remove_stray_labels();
  return {};
}

}  // namespace dagsync
