#include "wire/authors.h"

#include <algorithm>
#include <numeric>

#include "dagsync/wire/codec.h"

namespace dagsync {

std::uint32_t AuthorWriter::index_of(const AuthorId& author) {
  const auto next = static_cast<std::uint32_t>(indexes_.size());
  const auto [it, is_new] = indexes_.try_emplace(author, next);
  if (is_new) {
    pb::Author* row = envelope_.add_authors();
    row->set_node(author.node().value);
    row->set_epoch(author.epoch().value);
  }
  return it->second;
}

Result<AuthorTable> AuthorTable::parse(const pb::Envelope& envelope) {
  const auto count = static_cast<std::size_t>(envelope.authors_size());
  if (count > kMaxMessageAuthors) return malformed("too many authors");
  AuthorTable table;
  table.authors_.reserve(count);
  for (const pb::Author& row : envelope.authors()) {
    if (!is_dns_name(row.node())) return malformed("an author's node is no DNS name");
    table.authors_.push_back({NodeName{row.node()}, Epoch{row.epoch()}});
  }
  std::vector<std::uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return table.authors_[a] < table.authors_[b];
  });
  table.ranks_.resize(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    if (i > 0 && table.authors_[order[i - 1]] == table.authors_[order[i]])
      return malformed("an author stands twice in the table");
    table.ranks_[order[i]] = i;
  }
  return table;
}

Unexpected malformed(std::string_view what) {
  return fail(ErrorCode::kInvalid, "malformed message: " + std::string(what));
}

}  // namespace dagsync
