// Directories that nothing needs any more go, when what was the last in them has gone for good.
#include <set>
#include <utility>

#include "dagsync/engine/publish/publisher.h"

namespace dagsync {

// Neither the index nor what is still wanted has anything live below it, or itself as a directory.
bool Publisher::is_needless(const RelPath& directory) const {
  return replica_.index().expected_at(directory).kind == Kind::kTombstone &&
         !replica_.will_be_directory(directory);
}

// Of these directories and those above, deepest first. Only the results tell which ones these are:
// of deletes that follow each other closely, each finds that another one's file still stands.
std::vector<RelPath> Publisher::needless_of(const std::vector<RelPath>& lowest) const {
  std::set<RelPath> needless;
  for (const RelPath& directory : lowest) {
    for (RelPath above = directory; !above.is_root(); above = above.parent()) {
      if (needless.contains(above) || is_publishing(above)) continue;
      if (!is_needless(above)) break;
      needless.insert(above);
    }
  }
  return {needless.rbegin(), needless.rend()};
}

void Publisher::prune(const std::vector<RelPath>& directories, std::vector<Journal::Mark> marks) {
  worker_.compute(
      journal_.lane(),
      [this, directories, disposable = disposable_by(rules_)] {
        return remove_needless(disk_, disposable, directories);
      },
      [this, directories, marks = std::move(marks)](const std::vector<RelPath>& left) mutable {
        for (const RelPath& directory : directories) {
          removed(directory);
          if (!replica_.wanted().contains(directory)) retries_.erase(directory);
        }
        // By an editor's temporary file, say, which nobody hears of.
        for (const RelPath& directory : left)
          retry_later(directory);
        journal_.sync_later(directories);
        if (!marks.empty()) journal_.sync_later(std::move(marks));
      });
}

void Publisher::prune_above(const std::vector<RelPath>& paths) {
  std::vector<RelPath> directories;
  for (const RelPath& path : paths)
    directories.push_back(path.parent());
  prune_from(directories, {});
}

void Publisher::prune_from(const std::vector<RelPath>& lowest, std::vector<Journal::Mark> marks) {
  const auto needless = needless_of(lowest);
  if (needless.empty()) {
    if (!marks.empty()) journal_.sync_later(std::move(marks));
    return;
  }
  std::vector<RelPath> published;
  for (const Journal::Mark& mark : marks)
    published.push_back(mark.path);
  if (!published.empty()) journal_.sync_later(std::move(published));
  // Nobody takes them for made by a person meanwhile.
  removing_.insert(needless.begin(), needless.end());
  journal_.when_written([this, needless, marks = std::move(marks)] {
    std::vector<RelPath> still;
    for (const RelPath& directory : needless) {
      if (!in_lane_.contains(directory) && is_needless(directory)) {
        still.push_back(directory);
      } else {
        removed(directory);
      }
    }
    if (!still.empty()) {
      prune(still, marks);
    } else if (!marks.empty()) {
      journal_.sync_later(marks);
    }
  });
}

}  // namespace dagsync
