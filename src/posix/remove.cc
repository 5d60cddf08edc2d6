#include "posix/remove.h"

#include <fcntl.h>
#include <unistd.h>

#include "posix/clear_directory.h"
#include "posix/disk_error.h"
#include "posix/keeping.h"
#include "posix/put_back.h"
#include "posix/replace.h"
#include "posix/staged_name.h"

namespace dagsync {
// A bare unlink would take away whatever stands there by then. So the name is moved out first, and
// only what was expected is let go.
Result<Published> remove_file(Publishing& job, const DiskState& expected) {
  auto old = hold(job.place);
  if (!old && old.error().number == ENOENT) return kChanged;
  if (!old) return fail_at(old.error().number, "look at", job.path);
  if (!matches(expected, old->state)) return kChanged;
  if (old->state.type == FileType::kDirectory || old->state.type == FileType::kSpecial)
    return fail(ErrorCode::kInvalid, "remove " + display(job.path) + ": neither file nor symlink");
  if (has_writer(*old)) return kBusy;
  Keeping keeping(job);
  const auto prepared = keeping.prepare(*old);
  if (!prepared) return tl::unexpected(prepared.error());
  if (!*prepared) return kChanged;

  const KeptId id = job.keep ? *job.keep : KeptVersions::fresh_id();
  TempName out = swap_name_for(job, {id, 0});
  const auto moved = rename_new(at(job.place), out.at());
  if (!moved && moved.error().number == ENOENT) return kChanged;
  if (!moved) return fail_publish(job, moved.error().number);
  const PublishOutcome outcome = judge(*old, out, keeping);
  if (outcome != PublishOutcome::kDone) {
    put_back_moved(job, out);
    return Published{outcome, {}, false};
  }
  const auto kept = keeping.finish(out);
  if (kept) {
    job.departed.note(job.path, std::move(old->inode), old->state);
    return Published{PublishOutcome::kDone, {}, *kept};
  }
  put_back_moved(job, out);
  return fail_at(kept.error().number, "keep the old content of", job.path);
}

// In place: were it moved out first, a file that somebody makes in it at that moment would be
// missing for a moment, too.
Result<Published> remove_tree(const RelPath& path, const Place& place,
                              const Disk::Disposable& disposable) {
  const auto old = hold(place);
  if (!old && old.error().number == ENOENT) return kChanged;
  if (!old) return fail_at(old.error().number, "look at", path);
  if (old->state.type != FileType::kDirectory) return kChanged;
  const auto checked = check_disposable(old->inode.get(), path, disposable);
  if (!checked) return tl::unexpected(checked.error());
  const auto cleared = remove_disposable(old->inode.get(), path, disposable);
  if (!cleared) return tl::unexpected(cleared.error());
  if (::unlinkat(place.directory->get(), place.name.c_str(), AT_REMOVEDIR) == 0)
    return Published{PublishOutcome::kDone, {}, false};
  if (errno == ENOTEMPTY) return fail_not_empty(path, "");
  if (errno == ENOENT || errno == ENOTDIR) return kChanged;
  return fail_at(errno, "remove the directory", path);
}

}  // namespace dagsync
