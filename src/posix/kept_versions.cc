#include "posix/kept_versions.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <climits>
#include <cstdio>
#include <utility>

#include "dagsync/base/assert.h"
#include "dagsync/base/log.h"
#include "posix/beneath.h"
#include "posix/contents.h"
#include "posix/directory_names.h"
#include "posix/disk_error.h"
#include "posix/look.h"
#include "posix/posix_read_file.h"
#include "posix/swap_name.h"
#include "posix/times.h"

namespace dagsync {
namespace {

constexpr const char* kVersionsName = "versions";
constexpr std::string_view kHalfCopy = ".copy";
constexpr std::string_view kLabel = ".of";
constexpr std::size_t kMaxUnsynced = 64;
constexpr std::size_t kMaxRescued = 100'000;

Sys<std::string> read_target(int directory, const char* name) {
  std::array<char, PATH_MAX> target;
  const ssize_t size = ::readlinkat(directory, name, target.data(), target.size());
  if (size < 0) return sys_error();
  return std::string(target.data(), static_cast<std::size_t>(size));
}

Sys<void> copy_file(int fd, std::uint64_t size, NameAt to) {
  const auto from = reopen(fd, O_RDONLY | O_NONBLOCK);
  if (!from) return tl::unexpected(from.error());
  const UniqueFd copy(
      ::openat(to.directory, to.name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!copy) return sys_error();
  const auto copied = copy_range(from->get(), 0, copy.get(), 0, size);
  if (!copied) return tl::unexpected(copied.error());
  if (*copied != size) return sys_error(EAGAIN);  // it became shorter
  return {};
}

Sys<void> copy_link(int fd, NameAt to) {
  const auto target = read_target(fd, "");
  if (!target) return tl::unexpected(target.error());
  if (::symlinkat(target->c_str(), to.directory, to.name) != 0) return sys_error();
  return {};
}

Unexpected no_such_id(const KeptId& id) {
  return fail(ErrorCode::kInvalid,
              "\"" + escape_bytes(id.value) + "\" names no kept version: take an id from the list");
}

}  // namespace

Result<std::unique_ptr<KeptVersions>> KeptVersions::open(int state_directory) {
  if (::mkdirat(state_directory, kVersionsName, 0700) != 0 && errno != EEXIST)
    return fail_at(errno, "make the directory of kept", kVersionsName);
  UniqueFd directory(
      ::openat(state_directory, kVersionsName, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory) return fail_at(errno, "open the directory of kept", kVersionsName);
  const auto names = names_in(directory.get());
  if (!names) return fail_at(names.error().number, "read the directory of kept", kVersionsName);
  for (const std::string& name : *names)
    if (name.ends_with(kHalfCopy)) ::unlinkat(directory.get(), name.c_str(), 0);
  return std::unique_ptr<KeptVersions>(new KeptVersions(std::move(directory)));
}

KeptId KeptVersions::fresh_id() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto nanos = std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
  std::uint32_t random = 0;
  DAGSYNC_ASSERT(::getrandom(&random, sizeof random, 0) == sizeof random);
  std::array<char, 32> text;
  std::snprintf(text.data(), text.size(), "%016llx-%08x", static_cast<unsigned long long>(nanos),
                random);
  return {text.data()};
}

bool KeptVersions::has(const KeptId& id) const {
  return look_at(directory_.get(), id.value.c_str()).has_value();
}

void KeptVersions::label(const KeptId& id, const RelPath& path) const {
  const std::string name = id.value + std::string(kLabel);
  if (::symlinkat(path.bytes().c_str(), directory_.get(), name.c_str()) != 0 && errno != EEXIST)
    log::debug("kept version {}: no word of where it stood: errno {}", id.value, errno);
}

bool KeptVersions::is_labelled(const KeptId& id) const {
  return look_at(directory_.get(), (id.value + std::string(kLabel)).c_str()).has_value();
}

void KeptVersions::remove_label(const KeptId& id) const {
  ::unlinkat(directory_.get(), (id.value + std::string(kLabel)).c_str(), 0);
}

void KeptVersions::remove_stray_labels() const {
  const auto names = names_in(directory_.get());
  if (!names) return;
  for (const std::string& name : *names) {
    if (!name.ends_with(kLabel)) continue;
    const KeptId id{name.substr(0, name.size() - kLabel.size())};
    if (is_kept_id(id.value) && !has(id)) remove_label(id);
  }
}

Result<KeptFile> KeptVersions::describe(const KeptId& id) const {
  if (!is_kept_id(id.value)) return no_such_id(id);
  const auto look = look_at(directory_.get(), id.value.c_str());
  if (!look) return fail_at(look.error().number, "look at the kept version", id.value);
  const auto label = read_target(directory_.get(), (id.value + std::string(kLabel)).c_str());
  if (!label) return fail_at(label.error().number, "read where it stood of the kept", id.value);
  auto path = RelPath::parse(*label);
  if (!path) return tl::unexpected(path.error());
  return KeptFile{std::move(*path), look->state};
}

Sys<void> KeptVersions::take(NameAt from, const KeptId& id) {
  auto taken = rename_new(from, at(id.value));
  if (taken) note_unsynced(id);
  return taken;
}

Sys<void> KeptVersions::copy(int fd, const DiskState& state, const KeptId& id) {
  const std::string half = id.value + std::string(kHalfCopy);
  auto copied = state.type == FileType::kSymlink ? copy_link(fd, at(half))
                                                 : copy_file(fd, state.size, at(half));
  if (copied) copied = finish_copy(half, state, id);
  if (!copied) ::unlinkat(directory_.get(), half.c_str(), 0);
  return copied;
}

// Whole, with its mode and time, and only then under its id.
Sys<void> KeptVersions::finish_copy(const std::string& half, const DiskState& state,
                                    const KeptId& id) {
  if (state.type == FileType::kFile &&
      ::fchmodat(directory_.get(), half.c_str(), state.mode & kFileModeBits, 0) != 0)
    return sys_error();
  const auto times = times_with_mtime(state.mtime);
  if (::utimensat(directory_.get(), half.c_str(), times.data(), AT_SYMLINK_NOFOLLOW) != 0)
    return sys_error();
  return take(at(half), id);
}

Sys<bool> KeptVersions::equals(const KeptId& id, int fd) const {
  const UniqueFd kept(
      ::openat(directory_.get(), id.value.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!kept) return sys_error();
  const auto other = reopen(fd, O_RDONLY | O_NONBLOCK);
  if (!other) return tl::unexpected(other.error());
  return same_contents(kept.get(), other->get());
}

Result<std::unique_ptr<ReadFile>> KeptVersions::open_file(const KeptId& id) const {
  if (!is_kept_id(id.value)) return no_such_id(id);
  constexpr int kFlags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
  UniqueFd file(::openat(directory_.get(), id.value.c_str(), kFlags));
  // It still has the mode under which it stood in the folder, which may keep its owner from
  // reading.
  if (!file && errno == EACCES &&
      ::fchmodat(directory_.get(), id.value.c_str(), S_IRUSR | S_IWUSR, 0) == 0)
    file.reset(::openat(directory_.get(), id.value.c_str(), kFlags));
  if (!file) return fail_at(errno, "open the kept version", id.value);
  const auto look = look_at(file.get());
  if (!look || look->state.type != FileType::kFile)
    return fail(ErrorCode::kInvalid, "the kept version " + id.value + " is no file");
  return std::make_unique<PosixReadFile>(std::move(file), "the kept version " + id.value);
}

Result<std::string> KeptVersions::read_link(const KeptId& id) const {
  if (!is_kept_id(id.value)) return no_such_id(id);
  const UniqueFd link(
      ::openat(directory_.get(), id.value.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!link) return fail_at(errno, "open the kept version", id.value);
  const auto target = read_target(link.get(), "");
  if (!target) return fail_at(target.error().number, "read the kept link", id.value);
  return *target;
}

Result<std::vector<KeptId>> KeptVersions::list() const {
  auto names = names_in(directory_.get());
  if (!names) return fail_at(names.error().number, "list the kept", kVersionsName);
  std::vector<KeptId> ids;
  for (std::string& name : *names) {
    if (!is_kept_id(name)) continue;
    const auto look = look_at(directory_.get(), name.c_str());
    if (look && look->state.type != FileType::kDirectory) ids.push_back({std::move(name)});
  }
  std::ranges::sort(ids);
  return ids;
}

Status KeptVersions::remove(const KeptId& id) {
  if (!is_kept_id(id.value)) return no_such_id(id);
  if (::unlinkat(directory_.get(), id.value.c_str(), 0) != 0 && errno != ENOENT)
    return fail_at(errno, "remove the kept version", id.value);
  remove_label(id);
  const std::lock_guard lock(mutex_);
  dirty_ = true;
  return {};
}

void KeptVersions::note_unsynced(const KeptId& id) {
  const std::lock_guard lock(mutex_);
  dirty_ = true;
  if (unsynced_.size() <= kMaxUnsynced) unsynced_.push_back(id);
}

Sys<void> KeptVersions::sync_one(const KeptId& id) const {
  const UniqueFd file(
      ::openat(directory_.get(), id.value.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (file) return ::fsync(file.get()) == 0 ? Sys<void>() : sys_error();
  if (is_no_directory(errno)) return {};  // removed meanwhile, or a symlink
  return ::syncfs(directory_.get()) == 0 ? Sys<void>() : sys_error();
}

void KeptVersions::note_rescued(Disk::Rescued rescued) {
  const std::lock_guard lock(mutex_);
  if (rescued_.size() < kMaxRescued) rescued_.push_back(std::move(rescued));
}

bool KeptVersions::has_rescued() {
  const std::lock_guard lock(mutex_);
  return !rescued_.empty();
}

std::vector<Disk::Rescued> KeptVersions::take_rescued() {
  const std::lock_guard lock(mutex_);
  return std::exchange(rescued_, {});
}

Status KeptVersions::sync_all() {
  if (::syncfs(directory_.get()) == 0) return {};
  return fail_at(errno, "make durable the kept", kVersionsName);
}

Status KeptVersions::sync() {
  std::vector<KeptId> ids;
  {
    const std::lock_guard lock(mutex_);
    if (!dirty_) return {};
    ids.swap(unsynced_);
    dirty_ = false;
  }
  Sys<void> synced;
  if (ids.size() > kMaxUnsynced) {
    if (::syncfs(directory_.get()) != 0) synced = sys_error();
  } else {
    for (const KeptId& id : ids)
      if (synced) synced = sync_one(id);
    if (synced && ::fsync(directory_.get()) != 0) synced = sys_error();
  }
  if (synced) return {};
  const std::lock_guard lock(mutex_);
  dirty_ = true;  // the next sync tries again, all of it
  unsynced_.resize(kMaxUnsynced + 1);
  return fail_at(synced.error().number, "make durable the kept", kVersionsName);
}

}  // namespace dagsync
