// Which kept versions a folder has, as Versions knows them: about 200 bytes each, for there may be
// as many as versions_max_size holds blocks. Loop thread only.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "dagsync/base/pool.h"
#include "dagsync/base/shared.h"
#include "dagsync/base/slabs.h"
#include "dagsync/ports/store.h"

namespace dagsync {

class KeptCatalogue {
 public:
  // What a version takes of the room that all may take together: a block at least.
  [[nodiscard]] static std::uint64_t room_of(const Content& content);

  void add(const KeptVersion& version);  // its id is none that was added before
  bool remove(const KeptId& id);         // false: it was not there

  // Newest first: of one path, of conflicts only.
  [[nodiscard]] std::vector<KeptVersion> of(const RelPath& path) const;
  [[nodiscard]] std::vector<KeptVersion> conflicts() const;
  // A file with this content, if there is one.
  [[nodiscard]] std::optional<KeptId> with_digest(const Digest& digest) const;

  [[nodiscard]] std::size_t conflict_count() const { return conflicts_.size(); }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }  // by room_of()

  // Those that were kept at `moment` or before, or that take more than `room` alone. Goes through
  // all of them.
  [[nodiscard]] std::vector<KeptId> outdated(UnixNanos moment, std::uint64_t room) const;
  // Those that must go so that the others take no more than `room`: the oldest first, losers of
  // conflicts last. Goes through no more than it gives.
  [[nodiscard]] std::vector<KeptId> surplus(std::uint64_t room) const;

 private:
  // What an id says as text. It begins with its time, so that the order is that of age.
  struct Key {
    std::uint64_t time = 0;
    std::uint32_t random = 0;
    auto operator<=>(const Key&) const = default;
  };
  struct Row {
    const RelPath* path = nullptr;  // in by_path_
    Content content;
    Shared<std::string> origin;
    UnixNanos kept_at;
    KeptVersion::Reason reason = KeptVersion::Reason::kReplaced;
  };
  using Rows = std::map<Key, Row, std::less<>, SlabAllocator<std::pair<const Key, Row>>>;
  using Digests = std::unordered_multimap<Digest, Key, std::hash<Digest>, std::equal_to<>,
                                          SlabAllocator<std::pair<const Digest, Key>>>;

  [[nodiscard]] static Key key_of(const KeptId& id);
  [[nodiscard]] static KeptId id_of(const Key& key);
  [[nodiscard]] static KeptVersion version_of(const Rows::value_type& entry);
  [[nodiscard]] const Rows::value_type* find(const Key& key) const;
  void forget_digest(const Digest& digest, const Key& key);

  Rows replaced_;                                // or deleted, on purpose
  Rows conflicts_;                               // losers
  std::map<RelPath, std::vector<Key>> by_path_;  // ascending
  Digests by_digest_;
  Pool<Shared<std::string>> names_;  // of nodes, and owners
  std::uint64_t bytes_ = 0;
};

}  // namespace dagsync
