#include <variant>

#include "store/image.h"
#include "store/row_writer.h"

namespace dagsync {
namespace {

constexpr const char* kPutMeta =
    "UPDATE meta SET author = ?, sequence = ?, knowledge = ?, withheld = ?, floor_ns = ?, "
    "alive_at_ns = ?, clean = ?, root_inode = ?, root_file_system = ?, root_marker = ?, "
    "boot = ?, paused_ns = ?";
// Columns that are not bound are NULL: those of the disk where nothing stands there.
constexpr const char* kPutEntry =
    "INSERT OR REPLACE INTO entry VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)";
constexpr const char* kDropEntry = "DELETE FROM entry WHERE path = ?";
constexpr const char* kPutIntent =
    "INSERT INTO intent VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) "
    "ON CONFLICT DO NOTHING";
constexpr const char* kPutIntentKept = "INSERT INTO intent_kept VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)";
constexpr const char* kDropIntent = "DELETE FROM intent WHERE path = ?";
constexpr const char* kDropIntentKept = "DELETE FROM intent_kept WHERE intent = ?";
constexpr const char* kPutKept = "INSERT OR REPLACE INTO kept VALUES (?,?,?,?,?,?,?,?,?,?,?,?)";
constexpr const char* kDropKept = "DELETE FROM kept WHERE id = ?";

class Applier {
 public:
  Applier(Database& database, Authors& authors) : database_(database), authors_(authors) {}

  Status operator()(const Transaction::PutEntry& put) {
    return run(kPutEntry, [&](RowWriter& row) {
      row.path(put.path);
      row.entry(put.entry.record, put.entry.id, put.entry.disk);
    });
  }

  Status operator()(const Transaction::DropEntry& drop) {
    return run(kDropEntry, [&](RowWriter& row) { row.path(drop.path); });
  }

  Status operator()(const Transaction::PutIntent& put) {
    const Intent& intent = put.intent;
    Status done = put_intended(intent);
    if (done && database_.changes() == 0) {  // the path has one, with rows that may be more
      done = (*this)(Transaction::ClearIntent{intent.path});
      if (done) done = put_intended(intent);
    }
    if (done && intent.old)
      done = put_side(intent, "old", intent.old->record, intent.old->id, intent.old->disk);
    if (!done || !intent.kept) return done;
    return run(kPutIntentKept, [&](RowWriter& row) {
      row.path(intent.path);
      row.kept(*intent.kept);
    });
  }

  Status operator()(const Transaction::ClearIntent& clear) {
    Status done = run(kDropIntent, [&](RowWriter& row) { row.path(clear.path); });
    if (!done) return done;
    return run(kDropIntentKept, [&](RowWriter& row) { row.path(clear.path); });
  }

  Status operator()(const Transaction::PutKept& put) {
    return run(kPutKept, [&](RowWriter& row) { row.kept(put.version); });
  }

  Status operator()(const Transaction::DropKept& drop) {
    return run(kDropKept, [&](RowWriter& row) { row.text(drop.id.value); });
  }

  Status operator()(const Transaction::PutMeta& put) {
    const FolderMeta& meta = put.meta;
    return run(kPutMeta, [&](RowWriter& row) {
      row.author(meta.author);
      row.natural(meta.sequence);
      row.knowledge(meta.knowledge);
      row.knowledge(meta.withheld);
      row.integer(meta.floor.value);
      row.integer(meta.alive_at.value);
      row.integer(meta.clean ? 1 : 0);
      row.natural(meta.root.inode);
      row.natural(meta.root.file_system);
      row.blob(meta.root.marker);
      row.blob(meta.boot);
      row.integer(meta.paused_at.value);
    });
  }

 private:
  template <typename Bind>
  Status run(const char* sql, Bind bind) {
    const auto statement = database_.prepared(sql);
    if (!statement) return tl::unexpected(statement.error());
    RowWriter row(database_, **statement, authors_);
    bind(row);
    return row.finish();
  }

  Status put_intended(const Intent& intent) {
    return put_side(intent, "intended", intent.intended.record, intent.intended.id, {});
  }

  Status put_side(const Intent& intent, const char* side, const Record& record, const ChangeId& id,
                  const std::optional<DiskState>& disk) {
    return run(kPutIntent, [&](RowWriter& row) {
      row.path(intent.path);
      row.text(side);
      row.entry(record, id, disk);
    });
  }

  Database& database_;
  Authors& authors_;
};

}  // namespace

Status apply(Database& database, Authors& authors, const Transaction::Write& write) {
  return std::visit(Applier(database, authors), write);
}

}  // namespace dagsync
