#include "posix/recovery.h"

#include <fcntl.h>
#include <unistd.h>

#include "posix/look.h"

namespace dagsync {
namespace {

Sys<void> remove_name(NameAt at, bool is_directory) {
  if (::unlinkat(at.directory, at.name, is_directory ? AT_REMOVEDIR : 0) != 0) return sys_error();
  return {};
}

Sys<void> copy_and_remove(NameAt at, KeptVersions& kept, const KeptId& id) {
  const UniqueFd thing(::openat(at.directory, at.name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!thing) return sys_error();
  const auto look = look_at(thing.get());
  if (!look) return tl::unexpected(look.error());
  if (look->state.type == FileType::kDirectory) return sys_error(EISDIR);
  const auto copied = kept.copy(thing.get(), look->state, id);
  return copied ? remove_name(at, false) : copied;
}

Sys<void> keep(NameAt at, KeptVersions& kept, const KeptId& id) {
  const auto taken = kept.take(at, id);
  if (taken || taken.error().number != EXDEV) return taken;
  return copy_and_remove(at, kept, id);
}

// The old content had been copied before the crash, and nobody wrote into it since.
bool is_kept_already(NameAt at, KeptVersions& kept, const KeptId& id) {
  const UniqueFd thing(::openat(at.directory, at.name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
  return thing && kept.has(id) && kept.equals(id, thing.get()).value_or(false);
}

}  // namespace

Sys<void> recover(NameAt at, const SwapName& swap, KeptVersions& kept) {
  const auto look = look_at(at.directory, at.name);
  if (!look) return tl::unexpected(look.error());
  // A directory that stood in the folder was emptied before it was exchanged.
  if (look->state.type == FileType::kDirectory) return remove_name(at, true);
  if (look->state.inode == swap.inode) return remove_name(at, false);
  // Its bytes stand elsewhere, too; or only the times of a symlink were replaced.
  const bool is_link = look->state.type == FileType::kSymlink;
  if (look->state.links > 1 || (is_link && !kept.is_labelled(swap.id)))
    return remove_name(at, false);
  if (is_kept_already(at, kept, swap.id)) return remove_name(at, false);
  return keep(at, kept, kept.has(swap.id) ? KeptVersions::fresh_id() : swap.id);
}

Sys<KeptId> rescue(NameAt at, const RelPath& path, KeptVersions& kept) {
  KeptId id = KeptVersions::fresh_id();
  kept.label(id, path);
  const auto done = keep(at, kept, id);
  if (!done) return tl::unexpected(done.error());
  return id;
}

}  // namespace dagsync
