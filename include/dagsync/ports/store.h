// The durable state of one folder: index, sequences, knowledge, intents, kept versions' catalogue.
// Calls block; load() comes first, then commit() from one lane.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "dagsync/core/knowledge.h"
#include "dagsync/core/record.h"
#include "dagsync/ports/disk.h"

namespace dagsync {

// A row of the kept versions' catalogue.
struct KeptVersion {
  enum class Reason { kConflict, kReplaced, kDeleted };
  KeptId id;
  RelPath path;
  Content content;
  NodeName origin;  // whose version it was
  UnixNanos kept_at;
  Reason reason = Reason::kReplaced;
  bool operator==(const KeptVersion&) const = default;
};

// Written before a path is published, cleared when the result is durable: after an unclean stop
// such a path may show the old or the new content, and neither is an edit.
struct Intent {
  RelPath path;
  Change intended;
  std::optional<IndexEntry> old;
  std::optional<KeptVersion> kept;  // what the old content becomes
  bool operator==(const Intent&) const = default;
};

struct FolderMeta {
  AuthorId author;        // epoch 0: the index is new
  Sequence sequence = 0;  // the last one issued by this author
  // Of what the index holds and the disk had when this was written, and of `withheld`. A row that
  // it does not cover was written later: what it tells of may not have been synced.
  Knowledge knowledge;
  Knowledge withheld;   // changes that never enter here (ignored, too large, send-only)
  UnixNanos floor;      // the youngest collected tombstone's stamp
  UnixNanos alive_at;   // when the folder was last known to agree with the index
  bool clean = false;   // the last stop was in order
  std::string boot;     // of the machine, since when rows and disk agree (Disk::boot)
  UnixNanos paused_at;  // by the operator; 0: it is not paused
  RootIdentity root;
  bool operator==(const FolderMeta&) const = default;
};

// Writes that become visible together.
struct Transaction {
  struct PutEntry {
    RelPath path;
    IndexEntry entry;
  };
  struct DropEntry {
    RelPath path;
  };
  struct PutIntent {
    Intent intent;
  };
  struct ClearIntent {
    RelPath path;
  };
  struct PutKept {
    KeptVersion version;
  };
  struct DropKept {
    KeptId id;
  };
  struct PutMeta {
    FolderMeta meta;
  };
  using Write =
      std::variant<PutEntry, DropEntry, PutIntent, ClearIntent, PutKept, DropKept, PutMeta>;
  std::vector<Write> writes;
};

struct FolderImage {
  FolderMeta meta;
  std::vector<std::pair<RelPath, IndexEntry>> entries;  // by path
  std::vector<Intent> intents;
  std::vector<KeptVersion> kept;  // oldest first
  std::string set_aside;          // where a corrupt index was moved to; "" in health
};

enum class Durability { kLazy, kDurable };  // kDurable: survives a power cut when the call returns

class Store {
 public:
  virtual ~Store() = default;
  // Everything, once. A corrupt store is set aside under a dated name and a new one begun; an error
  // is what even that cannot mend.
  [[nodiscard]] virtual Result<FolderImage> load() = 0;
  [[nodiscard]] virtual Status commit(const Transaction& transaction, Durability durability) = 0;
};

}  // namespace dagsync
