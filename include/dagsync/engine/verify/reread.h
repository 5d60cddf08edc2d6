// Reads what stands in the folder again, every byte of it, whatever stat says, and finds what has
// changed behind the index. For `dagsync verify`. Loop thread only; bytes are read in the pool, one
// slice at a time, so that nobody else waits for long.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "dagsync/core/ignore.h"
#include "dagsync/core/messages.h"
#include "dagsync/core/replica.h"
#include "dagsync/ports/disk.h"
#include "dagsync/ports/worker.h"

namespace dagsync {

// A part of the folder.
struct RereadRange {
  RelPath after;               // what comes behind this path; the root: from the first path on
  std::vector<RelPath> paths;  // where there are any, these and nothing else
};

struct Reread {
  VerifyPage page;                 // but for the number of the request
  std::vector<Observation> wrong;  // other bytes than the index has, though nothing else moved
  std::vector<RelPath> edited;     // changed since the index saw them: to be looked at
};

class Rereader {
 public:
  static constexpr std::uint64_t kPageBytes = 64 << 20;  // read; one file may be larger
  static constexpr std::uint64_t kSliceBytes = 8 << 20;
  static constexpr std::size_t kSlicePaths = 64;
  static constexpr std::uint64_t kPathCost = 2 << 10;  // looking at a path, in bytes read

  Rereader(Worker& worker, Disk& disk, const Replica& replica, const IgnoreRules& rules);

  // As much of the range as a page takes. Calls `done` once, not from within this call; never where
  // `abandoned` has become true. Gives what it costs, in bytes to be read, whether abandoned or
  // not.
  std::uint64_t read(const RereadRange& range, std::function<bool()> abandoned,
                     std::function<void(Reread)> done);
  // What it costs to look at every path, and to read all of it.
  [[nodiscard]] std::uint64_t cost_of_looking() const;
  [[nodiscard]] std::uint64_t cost_of_all() const;

  // Why this node has something else at the path than the others, and knows of it: drift, a file
  // that is too large. "" where there is no reason.
  [[nodiscard]] std::string known_difference(const RelPath& path) const;
  // Whether the path is none of those that nodes compare.
  [[nodiscard]] bool leaves_out(const RelPath& path, Kind kind) const;

 private:
  struct Item;
  struct Session;
  [[nodiscard]] std::vector<Item> choose(const RereadRange& range, RelPath& last) const;
  [[nodiscard]] std::optional<Item> item_at(const RelPath& path) const;
  void step(const std::shared_ptr<Session>& session);

  Worker& worker_;
  Disk& disk_;
  const Replica& replica_;
  const IgnoreRules& rules_;
};

}  // namespace dagsync
