#include "posix/publish.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "posix/disk_error.h"
#include "posix/lease.h"
#include "posix/replace.h"
#include "posix/staged_name.h"

namespace dagsync {
namespace {

Result<Published> publish_new(Publishing& job, StagedThing& staged) {
  const auto appeared = appear_new(job, staged);
  if (appeared) return published(job, staged);
  if (appeared.error().number == EEXIST) return kChanged;
  return fail_publish(job, appeared.error().number);
}

// A directory takes the place of a directory by taking its owner and mode: what lies in it stays.
Result<Published> publish_directory_again(Publishing& job, const Standing& old,
                                          StagedThing& staged) {
  const auto gave = give(old.inode.get(), staged.owner, old.state);
  if (!gave) return fail_at(gave.error().number, "set the owner of", job.path);
  staged.gave = *gave;
  if (::fchmodat(AT_FDCWD, proc_path(old.inode.get()).c_str(), staged.mode, 0) != 0)
    return fail_at(errno, "set the mode of", job.path);
  const auto now = look_at(old.inode.get());
  if (!now) return fail_at(now.error().number, "look at", job.path);
  return Published{PublishOutcome::kDone, now->state, false};
}

// What somebody does to a file under its first name must not show under the second one.
std::optional<Published> why_not_linked(const StagedThing& staged) {
  if (check_writer(staged.inode.get()) == WriterCheck::kWriter) return kBusy;
  const auto now = look_at(staged.inode.get());
  if (!now || !matches_but_for_ctime(staged.made, now->state)) return kChanged;
  return std::nullopt;
}

}  // namespace

Result<Published> publish_staged(Publishing& job, const Disk::Expected& expected,
                                 StagedThing& staged, const Disk::Disposable& disposable) {
  if (staged.linked) {
    if (const auto why_not = why_not_linked(staged)) return *why_not;
  }
  if (!expected) return publish_new(job, staged);
  auto old = hold(job.place);
  if (!old && old.error().number == ENOENT) return kChanged;
  if (!old) return fail_at(old.error().number, "look at", job.path);
  if (!matches(*expected, old->state)) return kChanged;
  if (old->state.type == FileType::kSpecial)
    return fail(ErrorCode::kExists, display(job.path) +
                                        " is a socket, a device or a FIFO, which is never "
                                        "replaced: remove it");
  if (old->state.type != FileType::kDirectory) return replace_file(job, std::move(*old), staged);
  if (staged.type == FileType::kDirectory) return publish_directory_again(job, *old, staged);
  return replace_directory(job, *old, staged, disposable);
}

}  // namespace dagsync
