#include "posix/keeping.h"

#include "posix/disk_error.h"

namespace dagsync {

Keeping::~Keeping() {
  if (copied_) (void)job_.kept.remove(*job_.keep);
  if (labelled_) job_.kept.remove_label(*job_.keep);
}

Result<bool> Keeping::prepare(const Standing& old) {
  if (!job_.keep || copied_) return true;
  if (!is_kept_id(job_.keep->value))
    return fail(ErrorCode::kInvalid,
                "keep " + display(job_.path) + ": not an id: " + escape_bytes(job_.keep->value));
  if (job_.kept.has(*job_.keep))
    return fail(ErrorCode::kExists, "keep " + display(job_.path) + ": there is a kept version " +
                                        job_.keep->value + " already: take a new id");
  job_.kept.label(*job_.keep, job_.path);
  labelled_ = true;
  const bool shared = old.state.type == FileType::kFile && old.state.links > 1;
  if (job_.beside && !shared && !job_.degradations.no_exchange()) return true;
  const auto copied = job_.kept.copy(old.inode.get(), old.state, *job_.keep);
  if (!copied && copied.error().number == EAGAIN) return false;
  if (!copied) return fail_at(copied.error().number, "keep the old content of", job_.path);
  copied_ = true;
  const auto now = look_at(old.inode.get());
  return now && matches(old.state, now->state);
}

bool Keeping::accepts(const Standing& old, const DiskState& came_out) const {
  if (came_out.type != FileType::kFile || !job_.keep) return true;
  if (!copied_) return came_out.links == 1;
  return job_.kept.equals(*job_.keep, old.inode.get()).value_or(false);
}

Sys<bool> Keeping::finish(TempName& came_out) {
  if (job_.keep && !copied_) {
    const auto taken = job_.kept.take(came_out.at(), *job_.keep);
    if (!taken) return tl::unexpected(taken.error());
    came_out.forget();
    labelled_ = false;
    return true;
  }
  const auto removed = came_out.remove(false);
  if (!removed) return tl::unexpected(removed.error());
  return finish_replaced();
}

bool Keeping::finish_replaced() {
  copied_ = false;
  labelled_ = false;
  return job_.keep.has_value();
}

}  // namespace dagsync
