// One thing that happened on a node.
#pragma once

#include <cstdint>
#include <string>

#include "dagsync/base/rel_path.h"
#include "dagsync/base/time.h"

namespace dagsync {

struct Event {
  enum class Kind {
    kSent,          // a change of this node went to peers
    kApplied,       // a change of another node stands here now
    kRefused,       // a change, a file or a peer was not taken
    kConflict,      // a content lost against a younger one, and is kept
    kHalted,        // a folder stopped for safety
    kPaused,        // it stopped because somebody wanted it
    kResumed,       // and goes on
    kConnected,     // a peer came
    kDisconnected,  // a peer went
    kError,         // something is wrong with a path
    kRepaired,      // a content that was wrong is right again
  };
  std::uint64_t number = 0;  // from 1 on, without gaps
  UnixNanos at;
  Kind kind = Kind::kError;
  std::string folder;  // "" of what concerns none
  RelPath path;        // the root of what concerns none
  std::string peer;    // the node, or several: "b, c"; "" of what concerns none
  std::string what;    // for people: "changed", why it was refused
};

}  // namespace dagsync
