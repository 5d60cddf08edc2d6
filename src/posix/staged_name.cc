#include "posix/staged_name.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "posix/disk_error.h"

namespace dagsync {
namespace {

bool is_anonymous(const StagedThing& staged) {
  return !staged.name && staged.inode;
}

Sys<void> link_anonymous(const StagedThing& staged, NameAt to) {
  if (::linkat(AT_FDCWD, proc_path(staged.inode.get()).c_str(), to.directory, to.name,
               AT_SYMLINK_FOLLOW) != 0)
    return sys_error();
  return {};
}

// A directory with setgid hands its group on, as it does to what is made in it. Best effort: a
// group that is replicated was given.
void inherit_group(const Publishing& job, StagedThing& staged) {
  const bool is_made = staged.inode || staged.name;
  if (staged.linked || staged.gave == Gave::kDone || !is_made) return;
  const auto parent = look_at(job.place.directory->get());
  if (!parent || (parent->state.mode & S_ISGID) == 0) return;
  const NameAt at = staged.name ? staged.name.at() : NameAt{staged.inode.get(), ""};
  const auto now = look_at(at.directory, at.name);
  if (!now || now->state.group == parent->state.group) return;
  if (::fchownat(at.directory, at.name, static_cast<uid_t>(-1), parent->state.group,
                 AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) == 0)
    staged.made.group = parent->state.group;
}

}  // namespace

Sys<void> appear_new(Publishing& job, StagedThing& staged) {
  inherit_group(job, staged);
  if (is_anonymous(staged)) return link_anonymous(staged, at(job.place));
  if (staged.name) {
    const auto renamed = rename_new(staged.name.at(), at(job.place));
    if (renamed) staged.name.forget();
    return renamed;
  }
  auto name = ready_to_swap(job, staged, KeptVersions::fresh_id());
  if (!name) return tl::unexpected(name.error());
  const auto renamed = rename_new(name->at(), at(job.place));
  if (renamed) name->forget();
  return renamed;
}

Sys<TempName> ready_to_swap(Publishing& job, StagedThing& staged, const KeptId& id) {
  inherit_group(job, staged);
  const SwapName swap{id, staged.made.inode};
  if (staged.name) {
    const auto renamed = staged.name.rename_to(to_string(swap));
    if (!renamed) return tl::unexpected(renamed.error());
    return std::move(staged.name);
  }
  TempName ready = swap_name_for(job, swap);
  const auto made =
      is_anonymous(staged) ? link_anonymous(staged, ready.at()) : make_thing(staged, ready.at());
  if (!made) {
    ready.forget();
    return tl::unexpected(made.error());
  }
  ready.holds(staged.made.inode);
  return ready;
}

Published published(const Publishing& job, StagedThing& staged) {
  Published done{PublishOutcome::kDone, staged.made, false};
  DiskState& now = *done.now;
  if (staged.type == FileType::kDirectory && staged.mode != staged.made.mode &&
      ::fchmodat(AT_FDCWD, proc_path(staged.inode.get()).c_str(), staged.mode, 0) == 0)
    staged.made.mode = static_cast<std::uint16_t>(staged.mode);
  const auto look = look_at_staged(staged, at(job.place));
  if (look && matches_but_for_ctime(staged.made, look->state)) now = look->state;
  return done;
}

Unexpected fail_publish(Publishing& job, int error_number) {
  if (error_number == EXDEV && job.beside) {
    job.staging.note_apart();
    return fail(ErrorCode::kUnavailable, "publish " + display(job.path) +
                                             ": the folder cannot be reached by a rename from "
                                             "the state directory: it is staged anew");
  }
  return fail_at(error_number, "publish", job.path);
}

}  // namespace dagsync
