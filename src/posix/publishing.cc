#include "posix/publishing.h"

#include <fcntl.h>

#include "posix/lease.h"

namespace dagsync {

std::string Degradations::text() const {
  if (!no_exchange_) return "";
  return "the file system exchanges no names: an edit in the very moment of a replacement could be "
         "lost; use ext4, xfs or btrfs";
}

TempName swap_name_for(const Publishing& job, const SwapName& swap) {
  if (job.beside) return job.staging.name_for(swap);
  return TempName(job.place.directory, std::string(kStrayPrefix) + to_string(swap), swap.inode);
}

Sys<Standing> hold(const Place& place) {
  Standing standing;
  standing.inode.reset(
      ::openat(place.directory->get(), place.name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!standing.inode) return sys_error();
  const auto look = look_at(standing.inode.get());
  if (!look) return tl::unexpected(look.error());
  if (look->mount_root) return sys_error(EXDEV);
  standing.state = look->state;
  return standing;
}

bool has_writer(const Standing& standing) {
  return standing.state.type == FileType::kFile &&
         check_writer(standing.inode.get()) == WriterCheck::kWriter;
}

}  // namespace dagsync
