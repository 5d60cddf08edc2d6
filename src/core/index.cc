#include "dagsync/core/index.h"

#include <algorithm>

#include "dagsync/base/assert.h"

namespace dagsync {

const IndexEntry* Index::find(std::string_view path) const {
  const auto it = entries_.find(path);
  return it == entries_.end() ? nullptr : &it->second;
}

void Index::put(const RelPath& path, IndexEntry entry) {
  const auto [it, is_new] = entries_.try_emplace(path);
  if (!is_new) count(*it, false);
  fill(*it, std::move(entry));
}

void Index::append(RelPath path, IndexEntry entry) {
  DAGSYNC_ASSERT(entries_.empty() || entries_.rbegin()->first < path);
  fill(*entries_.try_emplace(entries_.end(), std::move(path)), std::move(entry));
}

void Index::fill(Row& row, IndexEntry entry) {
  row.second = std::move(entry);
  share_names(row.second);
  count(row, true);
}

void Index::drop(const RelPath& path) {
  const auto it = entries_.find(path);
  if (it == entries_.end()) return;
  count(*it, false);
  entries_.erase(it);
}

// What comes from the wire or the store names authors and owners by copies of its own.
void Index::share_names(IndexEntry& entry) {
  const auto share = [this](AuthorId& author) { authors_.share(author); };
  Record& record = entry.record;
  owners_.share(record.content.owner);
  share(entry.id.author);
  share(record.origin.author);
  const bool saw_all = record.version == record.seen;
  record.seen.each_author(share);
  if (saw_all) {
    record.version = record.seen;
  } else {
    record.version.each_author(share);
  }
}

void Index::count(const Row& row, bool add) {
  const Content& content = row.second.record.content;
  const std::size_t one = add ? 1 : static_cast<std::size_t>(-1);
  switch (content.kind) {
    case Kind::kTombstone:
      totals_.tombstones += one;
      return;
    case Kind::kDirectory:
      totals_.directories += one;
      return;
    case Kind::kSymlink:
      totals_.files += one;
      return;
    case Kind::kFile:
      totals_.files += one;
      totals_.bytes += add ? content.size : 0 - content.size;
      break;
  }
  if (add) {
    by_digest_.insert(&row);
    return;
  }
  const auto [begin, end] = by_digest_.equal_range(&row);
  const auto it = std::find(begin, end, &row);
  if (it != end) by_digest_.erase(it);
}

void Index::visit_below(const RelPath& directory,
                        const std::function<bool(const RelPath&, const IndexEntry&)>& visit) const {
  const std::string prefix = directory.is_root() ? "" : directory.bytes() + "/";
  for (auto it = entries_.lower_bound(std::string_view(prefix)); it != entries_.end(); ++it) {
    if (!it->first.is_below(directory)) return;
    if (!visit(it->first, it->second)) return;
  }
}

void Index::visit_children(
    const RelPath& directory,
    const std::function<void(const RelPath&, const IndexEntry*)>& visit) const {
  const std::string prefix = directory.is_root() ? "" : directory.bytes() + "/";
  auto it = entries_.lower_bound(std::string_view(prefix));
  while (it != entries_.end() && it->first.is_below(directory)) {
    const std::size_t slash = it->first.bytes().find('/', prefix.size());
    if (slash == std::string::npos) {
      if (it->second.record.is_live()) visit(it->first, &it->second);
      ++it;
      continue;
    }
    // Paths below a child lie together, though not right behind it: visit the child once, where it
    // has no live record of its own, and go on behind them.
    const std::string child = it->first.bytes().substr(0, slash);
    const auto path = RelPath::parse(child);
    DAGSYNC_ASSERT(path.has_value());
    const IndexEntry* entry = find(*path);
    const bool recorded = entry != nullptr && entry->record.is_live();
    if (!recorded && has_live_below(*path)) visit(*path, nullptr);
    it = entries_.lower_bound(std::string_view(child + static_cast<char>('/' + 1)));
  }
}

bool Index::has_live_below(const RelPath& directory) const {
  bool found = false;
  visit_below(directory, [&](const RelPath&, const IndexEntry& entry) {
    found = entry.record.is_live();
    return !found;
  });
  return found;
}

bool Index::is_shadowed(const RelPath& path) const {
  for (auto above = path.parent_bytes(); !above.empty(); above = RelPath::parent_of(above)) {
    const IndexEntry* entry = find(above);
    if (entry == nullptr) continue;
    const Kind kind = entry->record.content.kind;
    if (kind == Kind::kFile || kind == Kind::kSymlink) return true;
  }
  return false;
}

std::vector<RelPath> Index::paths_of(const Digest& digest, std::size_t most) const {
  std::vector<RelPath> paths;
  const auto [begin, end] = by_digest_.equal_range(digest);
  for (auto it = begin; it != end && paths.size() < most; ++it)
    paths.push_back((*it)->first);
  return paths;
}

Content Index::expected_at(const RelPath& path) const {
  if (is_shadowed(path)) return {};
  const IndexEntry* entry = find(path);
  if (entry != nullptr && entry->record.is_live()) return entry->record.content;
  if (!has_live_below(path)) return {};
  Content implied;
  implied.kind = Kind::kDirectory;
  implied.mode = kImpliedDirectoryMode;
  return implied;
}

}  // namespace dagsync
