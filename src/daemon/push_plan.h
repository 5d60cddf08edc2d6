// What a push without a daemon would change: a directory against what the receivers have.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "dagsync/core/ignore.h"
#include "dagsync/core/index.h"
#include "dagsync/core/record.h"
#include "dagsync/ports/disk.h"

namespace dagsync {

// The files of a directory, as replication sees them. Blocks. The bytes of small ones are kept, up
// to a bound in all.
struct PushedTree {
  std::map<RelPath, Content> contents;
  std::map<Digest, std::string> bytes;
  std::map<RelPath, std::string> troubles;  // what is not pushed, and why; it is there all the same
  IgnoreRules rules;                        // what they ignore is there all the same, too
};
[[nodiscard]] Result<PushedTree> read_tree(Disk& disk, const std::vector<std::string>& ignore,
                                           UnixNanos now);

// kInvalid where the directory `from` holds not a single file or symlink: whoever names the wrong
// one must not delete everything.
[[nodiscard]] Status may_delete(const PushedTree& tree, const std::string& from);

// What the receivers listed, merged.
using Listing = std::map<RelPath, Record>;

// Changes of `author`, in the order in which they are numbered from 1: on top of all that was
// listed, made `now`. Same bytes and mode are no change, whatever the mtime: a CI checkout has new
// ones each time. With `delete_missing`, what only the receivers have is deleted, but
// for what stands in the directory and is held back or ignored.
[[nodiscard]] std::vector<Change> plan_push(const PushedTree& tree, const Listing& listing,
                                            const AuthorId& author, UnixNanos now,
                                            bool delete_missing);

// A line a change, for people: "+ new.py", "~ changed.py", "- gone.py".
[[nodiscard]] std::string describe(const Change& change, const Listing& listing);

}  // namespace dagsync
