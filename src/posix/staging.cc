#include "posix/staging.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>

#include "dagsync/base/log.h"
#include "posix/beneath.h"
#include "posix/directory_names.h"
#include "posix/disk_error.h"
#include "posix/lease.h"
#include "posix/posix_staged_file.h"
#include "posix/recovery.h"
#include "posix/times.h"

namespace dagsync {
namespace {

constexpr const char* kStagingName = "staging";

// A staged symlink, directory or second name.
class PosixStagedName final : public Staged, public PosixStaged {
 public:
  StagedThing& thing() override { return thing_; }

 private:
  StagedThing thing_;
};

Sys<void> clear_name(NameAt at, KeptVersions& kept) {
  // Names that do not say so were never exchanged, so they hold what was staged.
  const auto swap = parse_swap_name(at.name);
  if (swap) return recover(at, *swap, kept);
  if (::unlinkat(at.directory, at.name, 0) == 0) return {};
  if (errno != EISDIR || ::unlinkat(at.directory, at.name, AT_REMOVEDIR) != 0) return sys_error();
  return {};
}

Status clear(int directory, KeptVersions& kept) {
  const auto names = names_in(directory);
  if (!names) return fail_at(names.error().number, "read", kStagingName);
  for (const std::string& name : *names) {
    const auto cleared = clear_name({directory, name.c_str()}, kept);
    if (!cleared)
      log::warning("{}/{} stays in the state directory: {}", kStagingName, escape_bytes(name),
                   fail_at(cleared.error().number, "clear", name).value().message);
  }
  return {};
}

Sys<void> complete(StagedThing& thing, NameAt at) {
  thing.inode.reset(::openat(at.directory, at.name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!thing.inode) return sys_error();
  const auto gave = give(thing.inode.get(), thing.owner);
  if (!gave) return tl::unexpected(gave.error());
  thing.gave = *gave;
  // Its owner must be able to write to a directory that is moved: its ".." changes. A mode that
  // forbids it is set once it stands in the folder.
  const mode_t mode = thing.mode | S_IRWXU;
  if (thing.type == FileType::kDirectory &&
      ::fchmodat(AT_FDCWD, proc_path(thing.inode.get()).c_str(), mode, 0) != 0)
    return sys_error();
  if (thing.type == FileType::kSymlink && thing.mtime) {
    const auto times = times_with_mtime(*thing.mtime);
    if (::utimensat(at.directory, at.name, times.data(), AT_SYMLINK_NOFOLLOW) != 0)
      return sys_error();
  }
  const auto look = look_at(thing.inode.get());
  if (!look) return tl::unexpected(look.error());
  thing.made = look->state;
  return {};
}

}  // namespace

Sys<void> make_thing(StagedThing& thing, NameAt at) {
  const bool is_directory = thing.type == FileType::kDirectory;
  const int made = is_directory ? ::mkdirat(at.directory, at.name, S_IRWXU)
                                : ::symlinkat(thing.target.c_str(), at.directory, at.name);
  if (made != 0) return sys_error();
  const auto completed = complete(thing, at);
  if (!completed) ::unlinkat(at.directory, at.name, is_directory ? AT_REMOVEDIR : 0);
  return completed;
}

Sys<Look> look_at_staged(const StagedThing& staged, NameAt at) {
  return staged.inode ? look_at(staged.inode.get()) : look_at(at.directory, at.name);
}

Result<std::unique_ptr<Staging>> Staging::open(int state_directory, Owners& owners,
                                               KeptVersions& kept) {
  if (::mkdirat(state_directory, kStagingName, S_IRWXU) != 0 && errno != EEXIST)
    return fail_at(errno, "make the directory", kStagingName);
  SharedFd directory = share(UniqueFd(
      ::openat(state_directory, kStagingName, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)));
  if (!*directory) return fail_at(errno, "open the directory", kStagingName);
  const auto look = look_at(directory->get());
  if (!look) return fail_at(look.error().number, "look at the directory", kStagingName);
  const auto cleared = clear(directory->get(), kept);
  if (!cleared) return tl::unexpected(cleared.error());
  return std::unique_ptr<Staging>(new Staging(std::move(directory), *look, owners));
}

std::uint64_t Staging::first_name() {
  return static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count());
}

bool Staging::is_beside(const FolderRoot::Opened& root) const {
  // A bind mount of the same file system is another mount, and no rename goes between two.
  return !apart_ && root.look.state.device == look_.state.device && root.look.mount == look_.mount;
}

Result<std::unique_ptr<StagedFile>> Staging::file(const FolderRoot::Opened& root,
                                                  std::uint64_t size) {
  if (is_beside(root)) {
    const std::string name = next_name();
    constexpr int kFlags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    UniqueFd file(::openat(directory_->get(), name.c_str(), kFlags, S_IRUSR | S_IWUSR));
    if (!file) return fail_at(errno, "stage a file in", kStagingName);
    return PosixStagedFile::start(std::move(file), TempName(directory_, name, 0), size, owners_);
  }
  UniqueFd file(::openat(root.fd->get(), ".", O_TMPFILE | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (!file && (is_unsupported(errno) || errno == EISDIR))
    return fail(ErrorCode::kUnsupported,
                "the folder's file system has no anonymous files: put state_dir on it");
  if (!file) return fail_at(errno, "stage a file in", "the folder");
  return PosixStagedFile::start(std::move(file), TempName(), size, owners_);
}

Result<std::unique_ptr<Staged>> Staging::symlink(const FolderRoot::Opened& root,
                                                 const std::string& target,
                                                 const Attributes& attributes) {
  auto staged = std::make_unique<PosixStagedName>();
  StagedThing& thing = staged->thing();
  thing.type = FileType::kSymlink;
  thing.target = target;
  thing.mtime = attributes.mtime;
  thing.owner = owners_.for_new(attributes.owner);
  if (target.empty() || target.size() > kMaxPathBytes || target.find('\0') != std::string::npos)
    return fail(ErrorCode::kInvalid, "no symlink can point to that: it is empty or too long");
  if (!is_beside(root)) return staged;
  const std::string name = next_name();
  const auto made = make_thing(thing, {directory_->get(), name.c_str()});
  if (!made) return fail_at(made.error().number, "stage a symlink in", kStagingName);
  thing.name = TempName(directory_, name, thing.made.inode);
  return staged;
}

Result<std::unique_ptr<Staged>> Staging::directory(const FolderRoot::Opened& root,
                                                   const Attributes& attributes) {
  auto staged = std::make_unique<PosixStagedName>();
  StagedThing& thing = staged->thing();
  thing.type = FileType::kDirectory;
  thing.mode = attributes.mode & kDirectoryModeBits;
  thing.owner = owners_.for_new(attributes.owner);
  if (!is_beside(root)) return staged;
  const std::string name = next_name();
  const auto made = make_thing(thing, {directory_->get(), name.c_str()});
  if (!made) return fail_at(made.error().number, "stage a directory in", kStagingName);
  thing.name = TempName(directory_, name, thing.made.inode);
  return staged;
}

Result<std::unique_ptr<Staged>> Staging::link(const FolderRoot::Opened& root, const RelPath& path,
                                              const DiskState& expected) {
  if (!is_beside(root))
    return fail(ErrorCode::kUnsupported, "no link goes from the folder to the state directory");
  const auto moved_on = [&] {
    return fail(ErrorCode::kUnavailable, display(path) + " changed before it could be linked");
  };
  const auto place = place_of(root.fd->get(), path);
  if (!place) return moved_on();
  UniqueFd inode(
      ::openat(place->directory->get(), place->name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!inode) return moved_on();
  if (expected.type != FileType::kFile || check_writer(inode.get()) == WriterCheck::kWriter)
    return moved_on();
  const auto before = look_at(inode.get());
  if (!before || !matches(expected, before->state)) return moved_on();
  // By the descriptor: what stands under the name may be another file by now.
  const std::string name = next_name();
  if (::linkat(AT_FDCWD, proc_path(inode.get()).c_str(), directory_->get(), name.c_str(),
               AT_SYMLINK_FOLLOW) != 0) {
    if (errno == ENOENT) return moved_on();
    return fail(ErrorCode::kUnsupported, "the file system does not link " + display(path));
  }
  auto staged = std::make_unique<PosixStagedName>();
  StagedThing& thing = staged->thing();
  thing.type = FileType::kFile;
  thing.linked = true;
  thing.made = before->state;
  thing.name = TempName(directory_, name, before->state.inode);
  thing.inode = std::move(inode);
  return staged;
}

}  // namespace dagsync
