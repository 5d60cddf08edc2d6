#include "posix/departed.h"

#include <fcntl.h>

#include <algorithm>

#include "dagsync/base/log.h"
#include "posix/beneath.h"
#include "posix/disk_error.h"
#include "posix/lease.h"
#include "posix/look.h"
#include "posix/posix_read_file.h"

namespace dagsync {
namespace {

// kDone: as it left; kBusy: somebody has it open; kChanged: somebody had, and it shows `now`.
Published look_again(const Departed::Late& file) {
  if (check_writer(file.inode.get()) == WriterCheck::kWriter)
    return {PublishOutcome::kBusy, {}, false};
  const auto now = look_at(file.inode.get());
  if (!now || (now->state.size == file.state.size && now->state.mtime == file.state.mtime))
    return {PublishOutcome::kDone, {}, false};
  return {PublishOutcome::kChanged, now->state, false};
}

// False: it was not published, for whatever reason.
bool publish_edit(const Departed::Late& edit, Disk& disk, KeptVersions& kept) {
  const auto there = disk.stat(edit.path);
  if (!there || !*there || (*there)->mtime >= edit.state.mtime ||
      ((*there)->type != FileType::kFile && (*there)->type != FileType::kSymlink))
    return false;
  auto bytes = reopen(edit.inode.get(), O_RDONLY | O_NONBLOCK);
  auto staged = disk.stage_file(edit.state.size);
  if (!bytes || !staged) return false;
  PosixReadFile source(std::move(*bytes), display(edit.path));
  if (!(*staged)->append_from(source, 0, edit.state.size)) return false;
  if (!(*staged)->finish(
          {edit.state.mode, edit.state.mtime, disk.owner_of(edit.path, edit.state, {}).owner}))
    return false;
  const auto nothing_disposable = [](const RelPath&, FileType) { return false; };
  const KeptId id = KeptVersions::fresh_id();
  const auto published =
      disk.publish(edit.path, *there, std::move(*staged), id, nothing_disposable);
  if (published && published->kept) kept.note_rescued({edit.path, id});
  return published && published->outcome == PublishOutcome::kDone;
}

}  // namespace

void Departed::note(const RelPath& path, UniqueFd inode, const DiskState& state) {
  if (!inode || state.type != FileType::kFile) return;
  if (state.links > 1) return;  // what is written into it stands under its other name
  const std::lock_guard lock(mutex_);
  if (held_.size() == kMaxHeld) make_room();
  held_.push_back({path, std::move(inode), state});
}

void Departed::make_room() {
  const auto quiet = std::ranges::find_if(
      held_, [](const Late& file) { return look_again(file).outcome == PublishOutcome::kDone; });
  held_.erase(quiet == held_.end() ? held_.begin() : quiet);
}

std::vector<Departed::Late> Departed::take_late() {
  std::vector<Late> late;
  std::deque<Late> held;
  const std::lock_guard lock(mutex_);
  held.swap(held_);
  for (Late& file : held) {
    const Published found = look_again(file);
    if (found.outcome == PublishOutcome::kBusy)
      held_.push_back(std::move(file));
    else if (found.outcome == PublishOutcome::kChanged)
      late.push_back({std::move(file.path), std::move(file.inode), *found.now});
  }
  return late;
}

void bring_back(const Departed::Late& edit, Disk& disk, KeptVersions& kept) {
  const std::string path = display(edit.path);
  if (publish_edit(edit, disk, kept)) {
    log::warning("{} was edited in the moment of its replacement: the edit stands there again",
                 path);
    return;
  }
  const KeptId id = KeptVersions::fresh_id();
  kept.label(id, edit.path);
  const auto copied = kept.copy(edit.inode.get(), edit.state, id);
  if (!copied) {
    log::error("{} was edited in the moment of its replacement, and the edit could not be kept: {}",
               path, fail_at(copied.error().number, "keep", edit.path).value().message);
    return;
  }
  kept.note_rescued({edit.path, id});
  log::warning("{} was edited in the moment of its replacement: the edit is the kept version {}",
               path, id.value);
}

}  // namespace dagsync
