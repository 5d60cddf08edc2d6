// What can still be read of an index that was set aside: the catalogue of kept versions, whose
// files are all there. All else the folder and the peers tell again.
#pragma once

#include <string>
#include <vector>

#include "dagsync/ports/store.h"

namespace dagsync {

// The sound rows of the catalogue in the database `file`, which stays as it is.
[[nodiscard]] std::vector<KeptVersion> salvage_kept(const std::string& file);

}  // namespace dagsync
