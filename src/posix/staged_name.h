// How a staged thing gets its name in the folder.
#pragma once

#include "posix/publishing.h"

namespace dagsync {

// Under its final name, where nothing may stand yet: EEXIST.
[[nodiscard]] Sys<void> appear_new(Publishing& job, StagedThing& staged);

// Under the name from which it can be exchanged with what stands there; after a crash in between,
// what is found there becomes the kept version `id` unless it is the staged thing itself.
[[nodiscard]] Sys<TempName> ready_to_swap(Publishing& job, StagedThing& staged, const KeptId& id);

// The outcome for a thing that stands in the folder now: what it shows, or, where somebody was at
// it already, what it showed when it was made, so that the next look sees the difference.
[[nodiscard]] Published published(const Publishing& job, StagedThing& staged);

// The error of a failed step; EXDEV also makes the next staging go the other way.
[[nodiscard]] Unexpected fail_publish(Publishing& job, int error_number);

}  // namespace dagsync
