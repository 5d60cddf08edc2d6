// What a node knows of one path.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "dagsync/base/digest.h"
#include "dagsync/base/rel_path.h"
#include "dagsync/base/shared.h"
#include "dagsync/base/time.h"
#include "dagsync/core/names.h"
#include "dagsync/core/version_vector.h"

namespace dagsync {

// In the order of the tie-break: a delete loses against anything of the same stamp.
enum class Kind : std::uint8_t { kTombstone = 0, kDirectory = 1, kFile = 2, kSymlink = 3 };

// What stands under a name: everything that is replicated of it. A tombstone is all zero; a
// directory has only a mode and an owner; a symlink only a target, an mtime and an owner.
struct Content {
  Kind kind = Kind::kTombstone;
  std::uint32_t mode = 0;          // permission bits (07777) as replicated, 0 of a symlink
  std::uint64_t size = 0;          // of a file, bytes
  Digest digest;                   // of a file
  UnixNanos mtime;                 // of a file or symlink
  Shared<std::string> target;      // of a symlink, raw bytes
  Shared<std::string> owner = {};  // "user:group" (is_owner()); "": nobody has told
  bool operator==(const Content&) const = default;
};

// Whether it names a user and a group, by name or by number: two parts of 1 to 256 bytes, divided
// by the only ':', without '/' and NUL.
[[nodiscard]] bool is_owner(std::string_view text);

// Whether replacing one by the other needs no new bytes: same kind and same digest or target.
[[nodiscard]] bool same_bytes(const Content& a, const Content& b);

// One version of one path. Merging two records (reconcile.h) takes the content of the younger and
// the join of the vectors.
struct Record {
  Content content;
  UnixNanos stamp;        // what younger-wins compares (stamp.h)
  ChangeId origin;        // the change that made this content; origin.author breaks the last tie
  VersionVector seen;     // the version when the content was made, origin included
  VersionVector version;  // everything that this record has seen: `seen` and all it was merged with

  [[nodiscard]] bool is_live() const { return content.kind != Kind::kTombstone; }
  bool operator==(const Record&) const = default;
};

// A record under the change by which it travels. The id is origin's, or that of a merger.
struct Change {
  RelPath path;
  ChangeId id;
  Record record;
  bool operator==(const Change&) const = default;
};

// What can stand under a name. Special: a socket, a device, a FIFO; never replicated.
enum class FileType : std::uint8_t { kDirectory = 1, kFile = 2, kSymlink = 3, kSpecial = 4 };

// No number of a user or of a group: nobody looked.
inline constexpr std::uint32_t kNobody = ~std::uint32_t{0};

// What the disk showed at a path (without following a symlink), for telling "unchanged" without
// reading it.
struct DiskState {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  UnixNanos mtime;
  UnixNanos ctime;
  std::uint16_t mode = 0;  // permission bits (07777) as they are on this disk
  FileType type = FileType::kFile;
  bool racy = false;        // looked at within 20 ms of the mtime: the next look must read it again
  std::uint32_t links = 0;  // hard links
  std::uint32_t user = kNobody;  // the numbers of this machine
  std::uint32_t group = kNobody;
  bool operator==(const DiskState&) const = default;
};

// Whether a file that now shows `now` may be taken for the one that was indexed as `then`.
[[nodiscard]] bool is_unchanged(const DiskState& then, const DiskState& now);

// The same so soon after `then` that its being racy says nothing.
[[nodiscard]] bool is_unchanged_since(DiskState then, const DiskState& now);

// Of a tombstone: at that moment (its ctime) nothing stood there; until then this did, if anything:
// its inode, and its ctime as the mtime.
[[nodiscard]] DiskState seen_gone(UnixNanos moment, const std::optional<DiskState>& before);

// Of what stands there after a power cut: not made since it was seen gone, but come back. It is not
// younger than that; or, where somebody has set the clock back meanwhile, the same as before (a
// rename moves the ctime on, too).
[[nodiscard]] bool has_come_back(const DiskState& gone, const DiskState& now);

// A row of the index.
struct IndexEntry {
  Record record;
  ChangeId id;  // the change by which this node tells of it
  std::optional<DiskState>
      disk;  // of what this node published or read, or seen_gone(); may be none
  bool operator==(const IndexEntry&) const = default;
};

// What a live entry stands for on the disk: what seen_gone() tells of when it goes. None for
// nullptr.
[[nodiscard]] std::optional<DiskState> standing(const IndexEntry* entry);

}  // namespace dagsync
