// A store that remembers what was committed, and fails when told.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "dagsync/ports/store.h"

namespace dagsync {

// "put a.py", "clear a.py", "meta": a write as a word.
[[nodiscard]] inline std::string describe(const Transaction::Write& write) {
  struct Words {
    std::string operator()(const Transaction::PutEntry& put) { return "put " + put.path.bytes(); }
    std::string operator()(const Transaction::DropEntry& drop) {
      return "drop " + drop.path.bytes();
    }
    std::string operator()(const Transaction::PutIntent& put) {
      return "intend " + put.intent.path.bytes();
    }
    std::string operator()(const Transaction::ClearIntent& clear) {
      return "clear " + clear.path.bytes();
    }
    std::string operator()(const Transaction::PutKept& put) {
      return "keep " + put.version.path.bytes();
    }
    std::string operator()(const Transaction::DropKept& drop) { return "forget " + drop.id.value; }
    std::string operator()(const Transaction::PutMeta& put) {
      return put.meta.clean ? "clean meta" : "meta";
    }
  };
  return std::visit(Words(), write);
}

[[nodiscard]] inline std::string describe(const Transaction& transaction) {
  std::string text;
  for (const Transaction::Write& write : transaction.writes)
    text += (text.empty() ? "" : ", ") + describe(write);
  return text;
}

class MemoryStore final : public Store {
 public:
  struct Commit {
    Transaction transaction;
    Durability durability;
  };

  // With a diary, each commit is noted in it: "lazily: put a.py".
  explicit MemoryStore(std::vector<std::string>* diary = nullptr) : diary_(diary) {}

  Result<FolderImage> load() override { return FolderImage{}; }
  Status commit(const Transaction& transaction, Durability durability) override {
    if (failures > 0) {
      --failures;
      return fail(ErrorCode::kNoSpace, "the disk is full");
    }
    const std::string how = durability == Durability::kLazy ? "lazily: " : "durably: ";
    if (diary_ != nullptr) diary_->push_back(how + describe(transaction));
    commits.push_back({transaction, durability});
    return {};
  }

  std::vector<Commit> commits;
  int failures = 0;  // so many of the next commits fail

 private:
  std::vector<std::string>* diary_;
};

}  // namespace dagsync
