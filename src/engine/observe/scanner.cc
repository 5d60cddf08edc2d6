#include "dagsync/engine/observe/scanner.h"

#include <algorithm>
#include <deque>
#include <string_view>
#include <unordered_set>

namespace dagsync {
namespace {

constexpr std::size_t kListingsAtOnce = 4;

}  // namespace

struct Scanner::Walk {
  std::deque<RelPath> todo;
  std::size_t running = 0;
  Found found;
  std::function<void(Found)> done;
};

Scanner::Scanner(Worker& worker, Disk& disk, Watcher& watcher, const Index& index,
                 const IgnoreRules& rules)
    : worker_(worker), disk_(disk), watcher_(watcher), index_(index), rules_(rules) {}

void Scanner::scan(std::vector<RelPath> directories, std::function<void(Found)> done) {
  auto walk = std::make_shared<Walk>();
  // A directory below another one of the list is reached from there.
  std::sort(directories.begin(), directories.end());
  for (const RelPath& directory : directories) {
    const bool covered = std::any_of(
        walk->todo.begin(), walk->todo.end(),
        [&](const RelPath& above) { return directory == above || directory.is_below(above); });
    if (!covered) walk->todo.push_back(directory);
  }
  walk->done = std::move(done);
  step(walk);
}

void Scanner::step(const std::shared_ptr<Walk>& walk) {
  while (!walk->todo.empty() && walk->running < kListingsAtOnce) {
    RelPath directory = std::move(walk->todo.front());
    walk->todo.pop_front();
    list(walk, std::move(directory));
  }
  if (walk->todo.empty() && walk->running == 0 && walk->done) {
    std::exchange(walk->done, nullptr)(std::move(walk->found));
  }
}

void Scanner::list(const std::shared_ptr<Walk>& walk, RelPath directory) {
  if (const Status watched = watcher_.watch(directory); !watched) {
    if (watched.error().code == ErrorCode::kNoSpace) {
      walk->found.unwatched.push_back(directory);
    } else if (watched.error().code != ErrorCode::kNotFound) {
      walk->found.troubles.push_back({directory, watched.error().message});
    }
  }
  ++walk->running;
  ++walk->found.directories;
  worker_.compute(
      kPool, [this, directory] { return disk_.list(directory); },
      [this, walk, directory](const Result<std::vector<Disk::Listed>>& listed) {
        --walk->running;
        if (listed) {
          compare(*walk, directory, *listed);
        } else if (listed.error().code == ErrorCode::kNotFound) {
          if (!directory.is_root()) walk->found.differing.push_back(directory);
          add_below(*walk, directory);
        } else if (listed.error().code == ErrorCode::kUnsupported && !directory.is_root()) {
          leave_alone(*walk, directory);
        } else {
          walk->found.troubles.push_back({directory, listed.error().message});
          walk->found.unlisted.push_back(directory);
        }
        step(walk);
      });
}

void Scanner::compare(Walk& walk, const RelPath& directory,
                      const std::vector<Disk::Listed>& listed) {
  std::unordered_set<RelPath> present;
  for (const Disk::Listed& entry : listed) {
    auto path = directory.child(entry.name);
    if (!path) {
      walk.found.troubles.push_back({directory, path.error().message});
      continue;
    }
    present.insert(*path);
    const bool is_directory = entry.state.type == FileType::kDirectory;
    if (rules_.ignores(*path, is_directory)) continue;
    if (entry.mount_point) {
      leave_alone(walk, *path);
      continue;
    }
    const IndexEntry* known = index_.find(*path);
    const bool same = known != nullptr && known->record.is_live() && known->disk &&
                      is_unchanged(*known->disk, entry.state);
    if (!same) walk.found.differing.push_back(*path);
    if (is_directory) walk.todo.push_back(*path);
  }
  // What the index has here and the listing has not.
  index_.visit_children(directory, [&](const RelPath& path, const IndexEntry* entry) {
    if (present.contains(path)) return;
    walk.found.differing.push_back(path);
    if (entry == nullptr || entry->record.content.kind == Kind::kDirectory) add_below(walk, path);
  });
}

// Another file system begins there. What it hides is not deleted, but cannot be read either.
void Scanner::leave_alone(Walk& walk, const RelPath& directory) {
  walk.found.halted.push_back(directory);
  bool hides = false;
  index_.visit_below(directory, [&](const RelPath&, const IndexEntry& entry) {
    hides = entry.record.is_live();
    return !hides;
  });
  if (hides) walk.found.unlisted.push_back(directory);
}

void Scanner::add_below(Walk& walk, const RelPath& directory) {
  index_.visit_below(directory, [&](const RelPath& path, const IndexEntry& entry) {
    if (entry.record.is_live()) walk.found.differing.push_back(path);
    return true;
  });
}

}  // namespace dagsync
