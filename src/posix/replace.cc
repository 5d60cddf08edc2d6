// The idea: between the look and the rename a local editor may be faster, and no system call
// replaces a name only if it still stands for a certain content. An exchange loses nothing, so we
// exchange first and look at what came out; if it is not what was expected, it goes back.
#include "posix/replace.h"

#include <fcntl.h>
#include <unistd.h>

#include "posix/beneath.h"
#include "posix/clear_directory.h"
#include "posix/disk_error.h"
#include "posix/put_back.h"
#include "posix/staged_name.h"

namespace dagsync {
namespace {

// Without an exchange the old content is copied and the name renamed over; what somebody writes
// between the last look and the rename is lost, which is why the disk calls itself degraded.
Result<Published> rename_over_file(Publishing& job, Standing& old, StagedThing& staged,
                                   TempName& ready, Keeping& keeping) {
  job.degradations.note_no_exchange();
  const auto prepared = keeping.prepare(old);
  if (!prepared) return tl::unexpected(prepared.error());
  if (!*prepared) return kChanged;
  if (has_writer(old)) return kBusy;
  const auto now = hold(job.place);
  if (!now || now->state.inode != old.state.inode) return kChanged;
  // Of two names of one file a rename would leave both; and our own moved its ctime.
  if (old.state.inode == staged.made.inode) {
    if (!matches_but_for_ctime(old.state, now->state)) return kChanged;
    Published done = published(job, staged);
    done.kept = keeping.finish_replaced();
    return done;
  }
  if (!matches(old.state, now->state)) return kChanged;
  // No rename puts a directory over a file.
  if (staged.type == FileType::kDirectory &&
      ::unlinkat(job.place.directory->get(), job.place.name.c_str(), 0) != 0)
    return fail_publish(job, errno);
  const auto renamed = rename_over(ready.at(), at(job.place));
  if (!renamed) return fail_publish(job, renamed.error().number);
  ready.forget();
  Published done = published(job, staged);
  done.kept = keeping.finish_replaced();
  job.departed.note(job.path, std::move(old.inode), old.state);
  return done;
}

Result<Published> rename_over_directory(Publishing& job, StagedThing& staged, TempName& ready) {
  job.degradations.note_no_exchange();
  if (::unlinkat(job.place.directory->get(), job.place.name.c_str(), AT_REMOVEDIR) != 0) {
    if (errno == ENOTEMPTY || errno == EEXIST) return fail_not_empty(job.path, "");
    return fail_publish(job, errno);
  }
  const auto renamed = rename_new(ready.at(), at(job.place));
  if (!renamed) return fail_publish(job, renamed.error().number);
  ready.forget();
  return published(job, staged);
}

// Or a power cut may show the exchange and, in what came out, names that had gone before.
Status sync_names(const Standing& directory, const RelPath& path) {
  const auto readable = reopen(directory.inode.get(), O_RDONLY | O_DIRECTORY);
  if (!readable) return fail_at(readable.error().number, "open", path);
  if (::fsync(readable->get()) != 0) return fail_at(errno, "make durable", path);
  return {};
}

}  // namespace

PublishOutcome judge(const Standing& old, const TempName& out, const Keeping& keeping) {
  const auto came_out = look_at(out.at().directory, out.at().name);
  if (!came_out || came_out->state.inode != old.state.inode) return PublishOutcome::kChanged;
  // Nobody finds it by its name any more, so a writer is asked for first: what is seen after the
  // last one closed is final.
  if (has_writer(old)) return PublishOutcome::kBusy;
  const auto look = look_at(old.inode.get());
  if (!look || !matches_but_for_ctime(old.state, look->state)) return PublishOutcome::kChanged;
  return keeping.accepts(old, look->state) ? PublishOutcome::kDone : PublishOutcome::kChanged;
}

Result<Published> replace_file(Publishing& job, Standing old, StagedThing& staged) {
  if (has_writer(old)) return kBusy;
  Keeping keeping(job);
  const auto prepared = keeping.prepare(old);
  if (!prepared) return tl::unexpected(prepared.error());
  if (!*prepared) return kChanged;

  auto swap = ready_to_swap(job, staged, job.keep ? *job.keep : KeptVersions::fresh_id());
  if (!swap) return fail_publish(job, swap.error().number);
  const auto exchanged = job.degradations.no_exchange() ? Sys<void>(sys_error(EINVAL))
                                                        : exchange(swap->at(), at(job.place));
  if (!exchanged) {
    const int number = exchanged.error().number;
    if (is_unsupported(number)) return rename_over_file(job, old, staged, *swap, keeping);
    if (number == ENOENT) return kChanged;
    return fail_publish(job, number);
  }
  const PublishOutcome outcome = judge(old, *swap, keeping);
  if (outcome != PublishOutcome::kDone) {
    put_back_exchanged(job, *swap, staged);
    return Published{outcome, {}, false};
  }
  Published done = published(job, staged);
  const auto kept = keeping.finish(*swap);
  if (!kept) {
    put_back_exchanged(job, *swap, staged);
    return fail_at(kept.error().number, "keep the old content of", job.path);
  }
  done.kept = *kept;
  job.departed.note(job.path, std::move(old.inode), old.state);
  return done;
}

Result<Published> replace_directory(Publishing& job, const Standing& old, StagedThing& staged,
                                    const Disk::Disposable& disposable) {
  const auto checked = check_disposable(old.inode.get(), job.path, disposable);
  if (!checked) return tl::unexpected(checked.error());
  const auto cleared = remove_disposable(old.inode.get(), job.path, disposable);
  if (!cleared) return tl::unexpected(cleared.error());
  if (const Status emptied = sync_names(old, job.path); !emptied)
    return tl::unexpected(emptied.error());

  auto swap = ready_to_swap(job, staged, KeptVersions::fresh_id());
  if (!swap) return fail_publish(job, swap.error().number);
  const auto exchanged = job.degradations.no_exchange() ? Sys<void>(sys_error(EINVAL))
                                                        : exchange(swap->at(), at(job.place));
  if (!exchanged) {
    const int number = exchanged.error().number;
    if (is_unsupported(number)) return rename_over_directory(job, staged, *swap);
    if (number == ENOENT) return kChanged;
    return fail_publish(job, number);
  }
  const auto out = look_at(swap->at().directory, swap->at().name);
  if (!out || out->state.inode != old.state.inode) {
    put_back_exchanged(job, *swap, staged);
    return kChanged;
  }
  const auto removed = swap->remove(true);
  if (removed) return published(job, staged);
  put_back_exchanged(job, *swap, staged);
  if (removed.error().number == ENOTEMPTY) return fail_not_empty(job.path, "");
  return fail_at(removed.error().number, "remove what stood at", job.path);
}

}  // namespace dagsync
