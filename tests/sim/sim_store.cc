#include "sim_store.h"

#include <algorithm>

namespace dagsync::sim {
namespace {

void apply(StoreFile::Rows& rows, const Transaction::Write& write) {
  struct Visitor {
    StoreFile::Rows& rows;
    void operator()(const Transaction::PutEntry& put) { rows.entries[put.path] = put.entry; }
    void operator()(const Transaction::DropEntry& drop) { rows.entries.erase(drop.path); }
    void operator()(const Transaction::PutIntent& put) {
      rows.intents[put.intent.path] = put.intent;
    }
    void operator()(const Transaction::ClearIntent& clear) { rows.intents.erase(clear.path); }
    void operator()(const Transaction::PutKept& put) { rows.kept[put.version.id] = put.version; }
    void operator()(const Transaction::DropKept& drop) { rows.kept.erase(drop.id); }
    void operator()(const Transaction::PutMeta& put) { rows.meta = put.meta; }
  };
  std::visit(Visitor{rows}, write);
}

void apply(StoreFile::Rows& rows, const Transaction& transaction) {
  for (const Transaction::Write& write : transaction.writes)
    apply(rows, write);
}

bool is_tombstone(const Transaction::Write& write) {
  const auto* put = std::get_if<Transaction::PutEntry>(&write);
  return put != nullptr && !put->entry.record.is_live();
}

}  // namespace

void StoreFile::commit(const Transaction& transaction, bool durable) {
  apply(rows_, transaction);
  lazy_.push_back(transaction);
  if (!durable) return;
  for (const Transaction& lazy : lazy_)
    apply(durable_, lazy);
  lazy_.clear();
}

void StoreFile::power_cut(Seeded& seeded) {
  lazy_.resize(seeded.index(lazy_.size() + 1));
  for (const Transaction& lazy : lazy_)
    apply(durable_, lazy);
  lazy_.clear();
  rows_ = durable_;
}

Result<FolderImage> SimStore::load() {
  if (!life_->step()) return fail(ErrorCode::kIo, "load: the machine is off");
  FolderImage image;
  const StoreFile::Rows& rows = file_.rows();
  image.meta = rows.meta;
  image.entries.assign(rows.entries.begin(), rows.entries.end());
  for (const auto& [path, intent] : rows.intents)
    image.intents.push_back(intent);
  for (const auto& [id, version] : rows.kept)
    image.kept.push_back(version);
  return image;
}

Status SimStore::commit(const Transaction& transaction, Durability durability) {
  if (!life_->step()) return fail(ErrorCode::kIo, "commit: the machine is off");
  if (faults_.no_space) return fail(ErrorCode::kNoSpace, "index: database or disk is full");
  Transaction written = transaction;
  if (faults_.forgets_tombstones) std::erase_if(written.writes, is_tombstone);
  if (faults_.forgets_intents) {
    std::erase_if(written.writes, [](const Transaction::Write& write) {
      return std::holds_alternative<Transaction::PutIntent>(write);
    });
  }
  if (committing_) committing_(transaction);
  file_.commit(written, durability == Durability::kDurable && !faults_.is_always_lazy);
  return {};
}

}  // namespace dagsync::sim
