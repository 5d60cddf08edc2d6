#include "store/authors.h"

#include "store/row_reader.h"
#include "store/row_writer.h"

namespace dagsync {
namespace {

constexpr const char* kSelect = "SELECT number, node, epoch FROM author ORDER BY number";
constexpr const char* kInsert = "INSERT INTO author (number, node, epoch) VALUES (?, ?, ?)";

}  // namespace

Status Authors::load() {
  numbers_.clear();
  by_number_.clear();
  const auto select = database_.prepared(kSelect);
  if (!select) return tl::unexpected(select.error());
  while (true) {
    const auto row = database_.next(**select);
    if (!row) return tl::unexpected(row.error());
    if (!*row) break;
    RowReader reader(**select, *this);
    const std::int64_t number = reader.integer();
    AuthorId author{NodeName{reader.text()}, Epoch{reader.hex64()}};
    const auto [place, is_new] = numbers_.emplace(std::move(author), number);
    by_number_.push_back(&place->first);
    if (!reader.is_sound() || !is_new || number != static_cast<std::int64_t>(by_number_.size()))
      return fail(ErrorCode::kCorrupt, "index: a malformed row of author");
  }
  (*select)->restart();
  transaction_done();
  return {};
}

Result<std::int64_t> Authors::number_of(const AuthorId& author) {
  const auto known = numbers_.find(author);
  if (known != numbers_.end()) return known->second;
  const auto number = static_cast<std::int64_t>(by_number_.size()) + 1;
  const auto insert = database_.prepared(kInsert);
  if (!insert) return tl::unexpected(insert.error());
  RowWriter writer(database_, **insert, *this);
  writer.integer(number);
  writer.text(author.node().value);
  writer.hex64(author.epoch().value);
  if (Status done = writer.finish(); !done) return tl::unexpected(done.error());
  by_number_.push_back(&numbers_.emplace(author, number).first->first);
  return number;
}

const AuthorId* Authors::find(std::int64_t number) const {
  if (number < 1 || static_cast<std::uint64_t>(number) > by_number_.size()) return nullptr;
  return by_number_[static_cast<std::size_t>(number) - 1];
}

void Authors::transaction_undone() {
  while (by_number_.size() > settled_) {
    numbers_.erase(*by_number_.back());
    by_number_.pop_back();
  }
}

}  // namespace dagsync
