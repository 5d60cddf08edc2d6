// Records for tests, each a line long.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "dagsync/core/reconcile.h"

namespace dagsync {

inline AuthorId author_of(const std::string& node) {
  return {{node}, {1}};
}

inline Content file_content(const std::string& bytes, std::int64_t mtime) {
  return {.kind = Kind::kFile,
          .mode = 0644,
          .size = bytes.size(),
          .digest = digest_of(bytes),
          .mtime = {mtime},
          .target = {}};
}

inline Content directory_content(std::uint32_t mode) {
  Content content;
  content.kind = Kind::kDirectory;
  content.mode = mode;
  return content;
}

inline Content symlink_content(const std::string& target, std::int64_t mtime) {
  Content content;
  content.kind = Kind::kSymlink;
  content.mtime = {mtime};
  content.target = target;
  return content;
}

// A version made by `node` as its change `sequence`, on top of `replaced` (none: a new path),
// observed at `observed`.
inline Record edit(const std::string& node, Sequence sequence, Content content,
                   std::int64_t observed, const Record* replaced = nullptr) {
  Record record;
  const UnixNanos floor = replaced ? replaced->stamp : UnixNanos{INT64_MIN / 2};
  record.stamp = make_stamp(content, {observed}, floor);
  record.content = std::move(content);
  record.origin = {author_of(node), sequence};
  if (replaced) record.seen = replaced->version;
  record.seen.raise(record.origin.author, sequence);
  record.version = record.seen;
  return record;
}

// Calls `check` with the outcome of every way in which the records can be merged, two at a time, in
// any order and either way round.
template <typename Merge, typename Check>
void for_every_merge_order(const std::vector<Record>& records, const Merge& merge,
                           const Check& check) {
  if (records.size() == 1) {
    check(records.front());
    return;
  }
  for (std::size_t a = 0; a < records.size(); ++a) {
    for (std::size_t b = 0; b < records.size(); ++b) {
      if (a == b) continue;
      std::vector<Record> rest = {merge(records[a], records[b])};
      for (std::size_t other = 0; other < records.size(); ++other) {
        if (other != a && other != b) rest.push_back(records[other]);
      }
      for_every_merge_order(rest, merge, check);
    }
  }
}

}  // namespace dagsync
