// The index of a folder: a record a path, in the order of paths, with the lookups that replication
// needs. What should stand on the disk is a pure function of it. Loop thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "dagsync/base/pool.h"
#include "dagsync/base/slabs.h"
#include "dagsync/core/record.h"

namespace dagsync {

class Index {
 public:
  Index() = default;
  Index(Index&&) = default;  // not to be copied: by_digest_ points into entries_
  Index& operator=(Index&&) = default;

  using Row = std::pair<const RelPath, IndexEntry>;
  using Entries = std::map<RelPath, IndexEntry, ByBytes, SlabAllocator<Row>>;
  struct Totals {
    std::size_t files = 0;  // symlinks too
    std::size_t directories = 0;
    std::size_t tombstones = 0;
    std::uint64_t bytes = 0;
  };

  [[nodiscard]] const IndexEntry* find(const RelPath& path) const { return find(path.bytes()); }
  [[nodiscard]] const IndexEntry* find(std::string_view path) const;  // the bytes of one
  void put(const RelPath& path, IndexEntry entry);
  // For a store that gives all paths in their order: behind all that there are. The path stays
  // where it is in memory, beside what the entry holds: a copy would leave a hole there.
  void append(RelPath path, IndexEntry entry);
  void reserve(std::size_t files) { by_digest_.reserve(files); }
  void drop(const RelPath& path);

  [[nodiscard]] const Entries& entries() const { return entries_; }
  [[nodiscard]] const Totals& totals() const { return totals_; }

  // Calls `visit` for each path strictly below `directory`, in order, until it returns false.
  void visit_below(const RelPath& directory,
                   const std::function<bool(const RelPath&, const IndexEntry&)>& visit) const;
  // Calls `visit` for each name directly in `directory` that the index has something live at or
  // below; the entry is null where only live paths below imply a directory.
  void visit_children(const RelPath& directory,
                      const std::function<void(const RelPath&, const IndexEntry*)>& visit) const;
  [[nodiscard]] bool has_live_below(const RelPath& directory) const;
  // Whether a live file or symlink stands above the path, so that nothing can stand at it.
  [[nodiscard]] bool is_shadowed(const RelPath& path) const;
  // Live files with this content, at most `most`.
  [[nodiscard]] std::vector<RelPath> paths_of(const Digest& digest, std::size_t most) const;

  // What should stand at the path: its record's content; a directory where only live children
  // imply one (mode kImpliedDirectoryMode); a tombstone where nothing should stand.
  [[nodiscard]] Content expected_at(const RelPath& path) const;

 private:
  struct ByDigest {
    using is_transparent = void;
    static const Digest& of(const Row* row) { return row->second.record.content.digest; }
    static const Digest& of(const Digest& digest) { return digest; }
    std::size_t operator()(const auto& key) const noexcept { return std::hash<Digest>{}(of(key)); }
    bool operator()(const auto& a, const auto& b) const noexcept { return of(a) == of(b); }
  };

  void fill(Row& row, IndexEntry entry);
  void count(const Row& row, bool add);
  void share_names(IndexEntry& entry);

  Entries entries_;
  std::unordered_multiset<const Row*, ByDigest, ByDigest, SlabAllocator<const Row*>>
      by_digest_;  // of files
  Pool<AuthorId> authors_;
  Pool<Shared<std::string>> owners_;
  Totals totals_;
};

inline constexpr std::uint32_t kImpliedDirectoryMode = 0755;

}  // namespace dagsync
