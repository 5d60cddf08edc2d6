// The Store of a simulated machine: rows in memory. A lazy commit survives the end of the process;
// a power cut takes the last of them, in order; a durable one makes all before it durable.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "dagsync/ports/store.h"
#include "events.h"

namespace dagsync::sim {

struct StoreFaults {
  bool no_space = false;
  // Defects.
  bool is_always_lazy = false;      // says durable, and is not
  bool forgets_tombstones = false;  // their rows are not written
  bool forgets_intents = false;
};

// What is on the disk of a machine.
class StoreFile {
 public:
  struct Rows {
    FolderMeta meta;
    std::map<RelPath, IndexEntry> entries;
    std::map<RelPath, Intent> intents;
    std::map<KeptId, KeptVersion> kept;
  };

  void commit(const Transaction& transaction, bool durable);
  void power_cut(Seeded& seeded);
  void lose_all() { *this = {}; }
  [[nodiscard]] const Rows& rows() const { return rows_; }
  [[nodiscard]] const Rows& durable() const { return durable_; }

 private:
  Rows rows_;
  Rows durable_;
  std::vector<Transaction> lazy_;  // in rows_ and not in durable_
};

class SimStore final : public Store {
 public:
  // Told of each commit before it happens.
  using Hook = std::function<void(const Transaction&)>;

  SimStore(StoreFile& file, LifePtr life, const StoreFaults& faults, Hook committing)
      : file_(file), life_(std::move(life)), faults_(faults), committing_(std::move(committing)) {}

  Result<FolderImage> load() override;
  Status commit(const Transaction& transaction, Durability durability) override;

 private:
  StoreFile& file_;
  LifePtr life_;
  const StoreFaults& faults_;
  Hook committing_;
};

}  // namespace dagsync::sim
