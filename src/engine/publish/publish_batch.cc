#include "dagsync/engine/publish/publish_batch.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "dagsync/core/index.h"
#include "dagsync/engine/publish/bytecode.h"

namespace dagsync {
namespace {

bool is_bytes(Kind kind) {
  return kind == Kind::kFile || kind == Kind::kSymlink;
}

Published outcome(PublishOutcome outcome) {
  Published published;
  published.outcome = outcome;
  return published;
}

class Step {
 public:
  Step(Disk& disk, const Disk::Disposable& disposable, const KnownDirectories& known)
      : disk_(disk), disposable_(disposable), known_(known) {}

  // Small contents become staged files, checked against their digest.
  Status stage(PublishItem& item) {
    auto* bytes = std::get_if<std::string>(&item.bytes);
    if (bytes == nullptr) return {};
    const Content& content = item.change.record.content;
    if (bytes->size() != content.size || digest_of(*bytes) != content.digest) {
      return fail(ErrorCode::kCorrupt, "the content that came is not what was announced");
    }
    auto staged = disk_.stage_file(content.size);
    if (!staged) return Unexpected(staged.error());
    if (const Status done = (*staged)->append(*bytes); !done) return done;
    if (const Status done = (*staged)->finish(attributes_of(content)); !done) return done;
    item.bytes = std::unique_ptr<Staged>(std::move(*staged));
    return {};
  }

  Result<Published> publish(PublishItem& item) {
    if (item.nothing_to_do) return outcome(PublishOutcome::kDone);
    const Content& content = item.change.record.content;
    switch (content.kind) {
      case Kind::kTombstone:
        return remove(item);
      case Kind::kDirectory:
        return make_directory(item);
      case Kind::kFile:
        return item.attributes_only ? set_attributes(item) : replace(item, take_staged(item));
      case Kind::kSymlink:
        return replace(item, disk_.stage_symlink(*content.target, attributes_of(content)));
    }
    return fail(ErrorCode::kInvalid, "unknown kind");
  }

  Result<Published> evict(const Eviction& eviction) {
    if (eviction.state.type == FileType::kDirectory) {
      return remove_directory(eviction.path);
    }
    std::optional<KeptId> id;
    if (eviction.kept) id = eviction.kept->id;
    return disk_.remove(eviction.path, eviction.state, id);
  }

  // A link's inode has changed its ctime since, when its first name went; and its change may give
  // it other attributes than it had there. What somebody has written into it since shows by its
  // mtime, and must go on doing so.
  void refresh_link(const PublishItem& item, Published& published) {
    if (!item.linked || !published.now) return;
    const auto now = disk_.stat(item.path);
    if (!now || !*now) return;
    const DiskState& was = *published.now;
    const bool same =
        (*now)->inode == was.inode && (*now)->size == was.size && (*now)->mtime == was.mtime;
    if (!same) return;
    const Content& content = item.change.record.content;
    if ((*now)->mtime == content.mtime && (*now)->mode == content.mode && content.owner->empty()) {
      published.now = **now;
      return;
    }
    const auto set = disk_.set_attributes(item.path, **now, attributes_of(content));
    if (set && set->now) published.now = set->now;
  }

 private:
  static Result<std::unique_ptr<Staged>> take_staged(PublishItem& item) {
    auto* staged = std::get_if<std::unique_ptr<Staged>>(&item.bytes);
    if (staged == nullptr || *staged == nullptr) {
      return fail(ErrorCode::kUnavailable, "the content is not here yet");
    }
    return std::move(*staged);
  }

  // What the index takes to stand there; a directory that children implied stands there unrecorded.
  Result<Disk::Expected> expected(const PublishItem& item) {
    if (item.there && item.there->record.is_live()) return Disk::Expected(item.there->disk);
    const auto now = disk_.stat(item.path);
    if (!now) return Unexpected(now.error());
    if (*now && (*now)->type == FileType::kDirectory) return *now;
    return Disk::Expected();
  }

  Result<Published> replace(PublishItem& item, Result<std::unique_ptr<Staged>> staged) {
    if (!staged) return Unexpected(staged.error());
    const auto before = expected(item);
    if (!before) return Unexpected(before.error());
    if (const Status made = make_room_in(item.path.parent()); !made) {
      return Unexpected(made.error());
    }
    std::optional<KeptId> keep;
    if (item.kept) keep = item.kept->id;
    return disk_.publish(item.path, *before, std::move(*staged), keep, disposable_);
  }

  // A batch brings many files to one directory: looked for once.
  Status make_room_in(const RelPath& directory) {
    if (standing_.contains(directory)) return {};
    const Status made = make_implied_directories(disk_, directory, known_);
    if (made) standing_.insert(directory);
    return made;
  }

  Result<Published> remove_directory(const RelPath& path) {
    standing_.clear();
    return disk_.remove_directory(path, disposable_);
  }

  Result<Published> make_directory(PublishItem& item) {
    const Attributes attributes = attributes_of(item.change.record.content);
    const auto now = disk_.stat(item.path);
    if (!now) return Unexpected(now.error());
    if (*now && (*now)->type == FileType::kDirectory) {
      return disk_.set_attributes(item.path, **now, attributes);
    }
    return replace(item, disk_.stage_directory(attributes));
  }

  Result<Published> set_attributes(const PublishItem& item) {
    if (!item.there || !item.there->disk) return outcome(PublishOutcome::kChanged);
    return disk_.set_attributes(item.path, *item.there->disk,
                                attributes_of(item.change.record.content));
  }

  Result<Published> remove(const PublishItem& item) {
    const auto now = disk_.stat(item.path);
    if (!now) return Unexpected(now.error());
    if (!*now) return outcome(PublishOutcome::kDone);
    const bool was_live = item.there && item.there->record.is_live();
    if ((*now)->type == FileType::kDirectory) {
      const bool was_directory = was_live && item.there->record.content.kind == Kind::kDirectory;
      if (!was_directory) return outcome(PublishOutcome::kChanged);
      return remove_directory(item.path);
    }
    if (!was_live || !item.there->disk) return outcome(PublishOutcome::kChanged);
    DiskState before = *item.there->disk;
    // Its bytes live on only where the new name was published: else this is the last of them.
    const bool lives_on = item.moved_away && (*now)->links > 1;
    if (item.moved_away && before.inode == (*now)->inode && before.size == (*now)->size &&
        before.mtime == (*now)->mtime) {
      before = **now;  // its second name has moved the ctime
    }
    std::optional<KeptId> keep;
    if (item.kept && !lives_on) keep = item.kept->id;
    return disk_.remove(item.path, before, keep);
  }

  Disk& disk_;
  const Disk::Disposable& disposable_;
  const KnownDirectories& known_;
  std::unordered_set<RelPath> standing_;  // directories that this step has seen or made
};

// 0: directories; 1: files; 2: deletes, and files that take the place of a directory, be it one
// that only what stands in it implies.
int phase_of(const PublishItem& item, const PublishBatch& batch) {
  const Kind kind = item.change.record.content.kind;
  if (kind == Kind::kDirectory) return 0;
  if (kind == Kind::kTombstone) return 2;
  const bool over_directory =
      (item.there && item.there->record.content.kind == Kind::kDirectory) ||
      std::any_of(batch.evictions.begin(), batch.evictions.end(),
                  [&](const Eviction& eviction) { return eviction.path.is_below(item.path); });
  return over_directory ? 2 : 1;
}

std::vector<std::size_t> order_of(const PublishBatch& batch) {
  std::vector<std::size_t> order(batch.items.size());
  std::vector<int> phases;
  for (std::size_t i = 0; i < order.size(); ++i) {
    order[i] = i;
    phases.push_back(phase_of(batch.items[i], batch));
  }
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const int phase_a = phases[a];
    const int phase_b = phases[b];
    if (phase_a != phase_b) return phase_a < phase_b;
    const RelPath& path_a = batch.items[a].path;
    const RelPath& path_b = batch.items[b].path;
    return phase_a == 2 ? path_b < path_a : path_a < path_b;
  });
  return order;
}

Transaction intents_of(const PublishBatch& batch) {
  Transaction transaction;
  transaction.writes.reserve(batch.items.size() + batch.evictions.size());
  for (const PublishItem& item : batch.items) {
    if (item.nothing_to_do) continue;
    transaction.writes.push_back(
        Transaction::PutIntent{Intent{item.path, item.change, item.old, item.kept}});
  }
  for (const Eviction& eviction : batch.evictions) {
    if (eviction.kept) transaction.writes.push_back(Transaction::PutKept{*eviction.kept});
  }
  return transaction;
}

}  // namespace

Disk::Disposable disposable_by(IgnoreRules rules) {
  return [rules = std::move(rules)](const RelPath& path, FileType type) {
    return rules.is_built_in_ignored(path, type == FileType::kDirectory);
  };
}

Status make_implied_directories(Disk& disk, const RelPath& directory,
                                const KnownDirectories& known) {
  if (directory.is_root()) return {};
  const auto now = disk.stat(directory);
  if (!now) return Unexpected(now.error());
  if (*now) return {};
  const Status above = make_implied_directories(disk, directory.parent(), known);
  if (!above) return above;
  const auto its = known.find(directory);
  auto staged = disk.stage_directory(its == known.end() ? Attributes{kImpliedDirectoryMode, {}, {}}
                                                        : its->second);
  if (!staged) return Unexpected(staged.error());
  const auto made = disk.publish(directory, std::nullopt, std::move(*staged), std::nullopt,
                                 [](const RelPath&, FileType) { return false; });
  return made ? Status() : Unexpected(made.error());
}

std::vector<RelPath> remove_needless(Disk& disk, const Disk::Disposable& disposable,
                                     const std::vector<RelPath>& directories) {
  std::vector<RelPath> left;
  for (const RelPath& directory : directories) {
    if (!disk.remove_directory(directory, disposable)) left.push_back(directory);
  }
  return left;
}

namespace {

void stage_all(Disk& disk, Step& step, PublishBatch& batch, PublishResults& results) {
  const auto visit = disk.visit();
  for (PublishItem& item : batch.items) {
    const Status staged = step.stage(item);
    results.items.push_back({item.path, outcome(PublishOutcome::kDone)});
    if (!staged) results.items.back().published = Unexpected(staged.error());
  }
}

void evict_below(Step& step, const PublishItem& item, const PublishBatch& batch,
                 PublishResults& results) {
  for (const Eviction& eviction : batch.evictions) {
    if (!eviction.path.is_below(item.path)) continue;
    results.evictions.push_back({eviction.path, step.evict(eviction)});
  }
}

// What else the names that stand now have changed: a link's ctime, and Python's caches.
void look_after(Disk& disk, Step& step, const PublishBatch& batch, PublishResults& results) {
  StaleBytecode bytecode(disk);
  for (std::size_t i = 0; i < batch.items.size(); ++i) {
    const PublishItem& item = batch.items[i];
    auto& published = results.items[i].published;
    if (!published || published->outcome != PublishOutcome::kDone) continue;
    step.refresh_link(item, *published);
    if (item.nothing_to_do) continue;
    std::optional<Content> old;
    if (item.there) old = item.there->record.content;
    bytecode.drop(item.path, item.change.record.content, old);
  }
}

// A power cut then shows what the new intents know, and nothing of before.
Status sync_what_is_replaced(Disk& disk, const PublishBatch& batch) {
  std::vector<RelPath> paths;
  for (const PublishItem& item : batch.items) {
    if (item.sync_first) paths.push_back(item.path);
  }
  return paths.empty() ? Status() : disk.sync(paths);
}

}  // namespace

PublishResults publish(Disk& disk, Store& store, const Disk::Disposable& disposable,
                       PublishBatch& batch) {
  PublishResults results;
  Step step(disk, disposable, batch.above);
  stage_all(disk, step, batch, results);
  if (const Transaction intents = intents_of(batch); !intents.writes.empty()) {
    results.intents = sync_what_is_replaced(disk, batch);
    if (results.intents) results.intents = store.commit(intents, Durability::kDurable);
    if (!results.intents) return results;
  }
  const auto visit = disk.visit();
  for (const std::size_t i : order_of(batch)) {
    if (!results.items[i].published) continue;
    PublishItem& item = batch.items[i];
    const bool may_evict = phase_of(item, batch) == 2 && is_bytes(item.change.record.content.kind);
    if (may_evict) evict_below(step, item, batch, results);
    results.items[i].published = step.publish(item);
  }
  look_after(disk, step, batch, results);
  return results;
}

}  // namespace dagsync
