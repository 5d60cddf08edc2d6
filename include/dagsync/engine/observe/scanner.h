// Walks parts of the folder, watching each directory before it lists it, and finds where the disk
// differs from the index. Loop thread only; the listing happens in the pool.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "dagsync/core/ignore.h"
#include "dagsync/core/index.h"
#include "dagsync/ports/disk.h"
#include "dagsync/ports/watcher.h"
#include "dagsync/ports/worker.h"

namespace dagsync {

class Scanner {
 public:
  struct Trouble {
    RelPath path;
    std::string what;
  };
  struct Found {
    std::vector<RelPath> differing;  // new, changed or gone: to be looked at
    std::vector<Trouble> troubles;   // could not be listed or watched, or is special
    std::vector<RelPath> unlisted;   // of these, what may be listed at another time
    std::vector<RelPath> unwatched;  // no watch was to be had: to be polled
    std::vector<RelPath> halted;     // another file system begins there: left alone
    std::size_t directories = 0;
  };

  Scanner(Worker& worker, Disk& disk, Watcher& watcher, const Index& index,
          const IgnoreRules& rules);

  // Scans these directories and all below them (the root: everything), then calls `done` once. A
  // directory that is gone counts as differing, with everything the index has below it.
  void scan(std::vector<RelPath> directories, std::function<void(Found)> done);

 private:
  struct Walk;
  void step(const std::shared_ptr<Walk>& walk);
  void list(const std::shared_ptr<Walk>& walk, RelPath directory);
  void compare(Walk& walk, const RelPath& directory, const std::vector<Disk::Listed>& listed);
  void add_below(Walk& walk, const RelPath& directory);
  void leave_alone(Walk& walk, const RelPath& directory);

  Worker& worker_;
  Disk& disk_;
  Watcher& watcher_;
  const Index& index_;
  const IgnoreRules& rules_;
};

}  // namespace dagsync
