// What a configured peer may say and ask here, by the `may` of its [[peer]]. All of it in one
// place: whatever else looks at these rights chooses whom we speak to, and decides about no
// message.
#pragma once

#include <string>

#include "dagsync/core/messages.h"
#include "dagsync/engine/config.h"

namespace dagsync {

// Why the peer may not say this here, in words that follow "refused of peer NAME:"; "" where it
// may. What answers a question of ours it may always say: whom we ask is chosen before. Neither is
// it for this function whether the message makes sense.
[[nodiscard]] std::string why_may_not(const PeerConfig& peer, const Message& message);

}  // namespace dagsync
