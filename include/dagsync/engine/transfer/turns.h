// Whose turn it is to fetch a content that many nodes want at once, and from whom.
//
// If all ask its author, the last one waits until the author has sent as many copies as there are
// nodes. So the author serves kFanOut of them, each of these serves kFanOut more when it has the
// content, and so on: a tree over the mesh, whose author sends kFanOut copies and whose depth grows
// with the logarithm of the nodes. There is no tree to be kept: each node computes its own place
// from who has the content by now and who does not, and computes it again when that changes. Nodes
// that see the mesh alike decide alike; where they do not, somebody serves a copy more. Rejected:
// pieces of the content from many at once, as BitTorrent does, which needs a digest of each piece
// in the announcement; a tree laid down by the author, which breaks with its first node. Small
// contents (FolderConfig::turns_from) are everywhere sooner than anybody could tell that he has
// them.
//
// Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "dagsync/base/digest.h"
#include "dagsync/core/names.h"

namespace dagsync {

inline constexpr std::size_t kFanOut = 3;

struct Takers {
  NodeName self;
  std::vector<NodeName> announcers;  // who told of the content: its author, mostly
  std::vector<NodeName> holders;     // others who have it by now
  std::vector<NodeName> lacking;     // others who want it as well
};

// Whom to ask, in this order; nobody: others come first. Every content has another order of nodes.
[[nodiscard]] std::vector<NodeName> sources_in_turn(const Digest& digest, Takers takers);

}  // namespace dagsync
