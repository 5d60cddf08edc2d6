// Undoes a swap that took out something unexpected.
#pragma once

#include "posix/publishing.h"

namespace dagsync {

// `came_out` holds what stood at the place before `ours` was exchanged into it. Afterwards the
// place shows the youngest thing that somebody else put there, and everything older that somebody
// wrote is a kept version; `ours` is gone. `came_out` names nothing any more.
void put_back_exchanged(Publishing& job, TempName& came_out, StagedThing& ours);

// The same where the name was moved away and nothing of ours stands there.
void put_back_moved(Publishing& job, TempName& came_out);

}  // namespace dagsync
