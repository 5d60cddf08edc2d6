// Authors as small numbers, so that a row that names several stays small. One thread at a time.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "dagsync/core/names.h"
#include "store/database.h"

namespace dagsync {

class Authors {
 public:
  explicit Authors(Database& database) : database_(database) {}

  [[nodiscard]] Status load();
  // The number of an author, which gets one where it has none; within a transaction.
  [[nodiscard]] Result<std::int64_t> number_of(const AuthorId& author);
  // Null: nobody's number.
  [[nodiscard]] const AuthorId* find(std::int64_t number) const;

  void transaction_done() { settled_ = by_number_.size(); }
  void transaction_undone();  // forgets the authors that it brought

 private:
  Database& database_;
  std::map<AuthorId, std::int64_t> numbers_;
  std::vector<const AuthorId*> by_number_;  // from 1 on without gaps; the keys of numbers_
  std::size_t settled_ = 0;
};

}  // namespace dagsync
