// What an unclean stop left: paths that were being published. Such a path may show the old or the
// new content, and neither is an edit. Step 10 of a change's life. Blocking; for a worker.
#pragma once

#include <vector>

#include "dagsync/base/time.h"
#include "dagsync/ports/disk.h"
#include "dagsync/ports/store.h"

namespace dagsync {

struct Recovered {
  Transaction writes;             // that do the same to the store
  std::vector<RelPath> doubtful;  // these show neither the old nor the new, and are no edit
  Status synced;                  // failed: the disk is not durable as it is, so commit no writes
};

// Makes the image's index say what the disk shows at each path with an open intent, and brings the
// catalogue of kept versions up to date. Empty directories above such a path that nothing needs go,
// with what `disposable` accepts in them.
[[nodiscard]] Recovered recover(Disk& disk, const Disk::Disposable& disposable, FolderImage& image,
                                UnixNanos moment);

// Makes the image's catalogue of kept versions say what files there are: what a lost index or a
// crash left uncatalogued says itself where it stood; a row without its file goes. Returns the
// writes that do the same to the store.
[[nodiscard]] Transaction recover_kept(Disk& disk, FolderImage& image, const NodeName& self);

}  // namespace dagsync
