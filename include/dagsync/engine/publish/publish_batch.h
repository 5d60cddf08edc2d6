// One step of publishing: a batch of records becomes visible. Runs on the folder's lane; everything
// it needs is in the batch, everything that happened is in the results. Steps 8 and 9 of a change's
// life.
//
// Order: contents staged -> intents durable -> directories, from the top -> files -> deletes and
// whatever takes the place of a directory, from the bottom. So importers never wait for their
// helpers, and no name is missing while it is replaced.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "dagsync/core/ignore.h"
#include "dagsync/core/record.h"
#include "dagsync/engine/publish/journal.h"
#include "dagsync/ports/disk.h"
#include "dagsync/ports/store.h"

namespace dagsync {

struct PublishItem {
  RelPath path;
  Change change;                    // what to publish, under the change it came with
  std::optional<IndexEntry> old;    // the index's, live or dead: for the intent
  std::optional<IndexEntry> there;  // what is taken to stand there: `old`, drift, or nothing
  std::optional<KeptVersion> kept;  // what the old bytes become; none where none are replaced
  // How the bytes come: nothing to bring (other kinds, attributes only), small ones to be checked
  // and staged here, or a staged file.
  std::variant<std::monostate, std::string, std::unique_ptr<Staged>> bytes;
  std::shared_ptr<void> held;    // counts these bytes while they are in memory
  bool attributes_only = false;  // the bytes stand there already
  bool sync_first = false;       // what stands there: an intent knows one content before its own
  bool nothing_to_do = false;    // shadowed, or a directory that live children keep
  bool moved_away = false;       // its bytes live on under a new name in this batch
  bool linked = false;           // `bytes` is a second name of another file of the folder
  Journal::Mark mark;
};

// What stands below a directory that loses against a file, deepest first: kept, then removed.
struct Eviction {
  RelPath path;
  DiskState state;
  std::optional<KeptVersion> kept;  // none: a directory
};

// Directories that the index has.
using KnownDirectories = std::map<RelPath, Attributes>;

struct PublishBatch {
  std::vector<PublishItem> items;
  KnownDirectories above;  // the items: somebody may have removed one that must be made again
  std::vector<Eviction> evictions;
};

struct PublishResult {
  RelPath path;
  Result<Published> published;
};

struct PublishResults {
  std::vector<PublishResult> items;      // as many as the batch has, in its order
  std::vector<PublishResult> evictions;  // in the order in which they were tried
  Status intents;                        // where this failed, nothing else was tried
};

// What stands in nobody's way in a directory that is to go: the built-in list of these rules.
[[nodiscard]] Disk::Disposable disposable_by(IgnoreRules rules);

// Makes a directory that what will stand in it implies, and those above it, where they are missing:
// as the index has it, else with kImpliedDirectoryMode. On the lane.
[[nodiscard]] Status make_implied_directories(Disk& disk, const RelPath& directory,
                                              const KnownDirectories& known);

// Removes directories that nothing implies any more, given deepest first; what a person put there
// stays, and its directory with it. Gives those that are left, since
// they are not empty or the disk refuses. On the lane.
[[nodiscard]] std::vector<RelPath> remove_needless(Disk& disk, const Disk::Disposable& disposable,
                                                   const std::vector<RelPath>& directories);

// Takes the staged files out of the batch; the rest of it stays as it is.
[[nodiscard]] PublishResults publish(Disk& disk, Store& store, const Disk::Disposable& disposable,
                                     PublishBatch& batch);

}  // namespace dagsync
