#include "store/sqlite_store.h"

#include "dagsync/base/assert.h"
#include "dagsync/base/log.h"
#include "dagsync/base/rel_path.h"
#include "store/image.h"
#include "store/index_file.h"
#include "store/salvage.h"
#include "store/schema.h"

namespace dagsync {
namespace {

// A durable commit must write something of its own: SQLite syncs the log only with new pages in it,
// and a row that is replaced by an equal one makes none. The sync covers every earlier commit too.
constexpr const char* kCountDurable = "UPDATE meta SET durable_commits = durable_commits + 1";
constexpr const char* kBegin = "BEGIN IMMEDIATE";
constexpr const char* kCommit = "COMMIT";
constexpr const char* kSelectClean = "SELECT clean FROM meta";

}  // namespace

std::uint64_t SqliteStore::bytes_on_disk(const std::string& directory) {
  return index_bytes_in(directory);
}

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(std::string directory) {
  std::unique_ptr<SqliteStore> store(new SqliteStore(std::move(directory)));
  Status connected = store->connect();
  if (!connected && connected.error().code == ErrorCode::kCorrupt)
    connected = store->begin_anew(connected.error());
  if (!connected) return tl::unexpected(connected.error());
  return store;
}

Status SqliteStore::connect() {
  if (Status made = make_index_file(directory_); !made) return made;
  const std::string file = index_file_in(directory_);
  if (has_log_without_index(directory_))
    return fail(ErrorCode::kCorrupt, "index " + escape_bytes(file) + ": empty, beside its log");
  auto opened = Database::open(file);
  if (!opened) return tl::unexpected(opened.error());
  database_.emplace(std::move(*opened));
  durability_.reset();
  Status set = set_up(*database_, file);
  if (!set) return set;
  authors_.emplace(*database_);
  return authors_->load();
}

Status SqliteStore::begin_anew(const Error& reason) {
  authors_.reset();
  if (database_) database_->abandon();
  database_.reset();
  const auto aside = set_index_aside(directory_);
  if (!aside) return tl::unexpected(aside.error());
  set_aside_ = *aside;
  log::error("{}: it is now {}, and a new index begins", reason.message, escape_bytes(set_aside_));
  const std::vector<KeptVersion> kept = salvage_kept(set_aside_);
  if (const Status connected = connect(); !connected) return connected;
  Transaction rows;
  for (const KeptVersion& version : kept)
    rows.writes.push_back(Transaction::PutKept{version});
  if (!kept.empty()) {
    log::warning("{} kept version(s) are known from the old index", kept.size());
    return commit(rows, Durability::kDurable);
  }
  return {};
}

bool SqliteStore::stopped_cleanly() {
  const auto clean = database_->integer(kSelectClean);
  return clean && *clean == 1;
}

Result<FolderImage> SqliteStore::load() {
  Result<FolderImage> image = read();
  if (!image && image.error().code == ErrorCode::kCorrupt) {
    if (Status anew = begin_anew(image.error()); !anew) return tl::unexpected(anew.error());
    image = read();
  }
  if (image) image->set_aside = set_aside_;
  return image;
}

Result<FolderImage> SqliteStore::read() {
  auto image = read_image(*database_, *authors_);
  if (image) database_->trim();
  return image;
}

Status SqliteStore::commit(const Transaction& transaction, Durability durability) {
  if (broken_) return tl::unexpected(*broken_);
  Status done = write(transaction, durability);
  if (done) {
    authors_->transaction_done();
    return done;
  }
  if (database_->in_transaction()) static_cast<void>(database_->run("ROLLBACK"));
  authors_->transaction_undone();
  if (done.error().code == ErrorCode::kCorrupt || database_->lost_a_sync()) broken_ = done.error();
  return done;
}

Status SqliteStore::write(const Transaction& transaction, Durability durability) {
  if (Status set = set_durability(durability); !set) return set;
  if (Status begun = database_->run_prepared(kBegin); !begun) return begun;
  for (const Transaction::Write& one : transaction.writes)
    if (Status applied = apply(*database_, *authors_, one); !applied) return applied;
  if (durability == Durability::kDurable)
    if (Status counted = database_->run_prepared(kCountDurable); !counted) return counted;
  return database_->run_prepared(kCommit);
}

// In WAL mode FULL syncs the log at each commit; NORMAL only before a checkpoint, so that a power
// cut takes the last commits back, in order, and breaks nothing
// (https://www.sqlite.org/pragma.html#pragma_synchronous).
Status SqliteStore::set_durability(Durability durability) {
  if (durability_ == durability) return {};
  const bool durable = durability == Durability::kDurable;
  Status set =
      database_->run(durable ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
  if (set) durability_ = durability;
  return set;
}

}  // namespace dagsync
