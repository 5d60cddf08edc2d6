// The idea: two exchanges are not one step, so between them somebody may have written what we then
// take out in turn. What came out last is the youngest, so it must go in again, until what comes
// out is exactly what we put in just before. Rejected: a single exchange back, which can replace an
// edit by an older one.
#include "posix/put_back.h"

#include "dagsync/base/log.h"
#include "posix/disk_error.h"
#include "posix/recovery.h"

namespace dagsync {
namespace {

// Each round more is another edit within microseconds of the one before.
constexpr int kMaxRounds = 64;

// What came out, if it is `placed` as we put it there, so that nobody has a part in it.
std::optional<Standing> untouched(const TempName& came_out, const DiskState& placed) {
  auto standing = hold(came_out.place());
  if (!standing || standing->state.inode != placed.inode) return std::nullopt;
  if (placed.type == FileType::kDirectory) return std::move(*standing);
  if (has_writer(*standing)) return std::nullopt;
  const auto now = look_at(standing->inode.get());  // after the last writer closed
  if (!now || !matches_but_for_ctime(placed, now->state)) return std::nullopt;
  return std::move(*standing);
}

void keep_aside(Publishing& job, TempName& came_out) {
  const auto kept = rescue(came_out.at(), job.path, job.kept);
  if (kept) {
    job.kept.note_rescued({job.path, *kept});
    log::warning("{} was edited while it was published: an older edit is the kept version {}",
                 display(job.path), kept->value);
  } else {
    log::error("{} was edited while it was published: an older edit lies in \"{}\": {}",
               display(job.path), escape_bytes(came_out.name()),
               fail_at(kept.error().number, "keep", job.path).value().message);
  }
  came_out.forget();
}

}  // namespace

void put_back_exchanged(Publishing& job, TempName& came_out, StagedThing& ours) {
  DiskState placed = ours.made;
  for (int round = 0; round < kMaxRounds; ++round) {
    const auto going_in = look_at(came_out.at().directory, came_out.at().name);
    // Where the name is gone, somebody deleted it after his edit.
    if (!going_in || !exchange(came_out.at(), at(job.place))) break;
    if (auto out = untouched(came_out, placed)) {
      const bool is_ours = placed.inode == ours.made.inode;
      const bool is_directory = placed.type == FileType::kDirectory;
      if (!is_ours) return keep_aside(job, came_out);
      if (came_out.remove(is_directory)) {
        if (!ours.linked) job.departed.note(job.path, std::move(out->inode), ours.made);
        return;
      }
    }
    placed = going_in->state;
  }
  keep_aside(job, came_out);
}

void put_back_moved(Publishing& job, TempName& came_out) {
  if (rename_new(came_out.at(), at(job.place)))
    came_out.forget();
  else
    keep_aside(job, came_out);
}

}  // namespace dagsync
