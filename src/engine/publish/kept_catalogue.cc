#include "dagsync/engine/publish/kept_catalogue.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <utility>

#include "dagsync/base/assert.h"

namespace dagsync {
namespace {

constexpr std::uint64_t kBlockBytes = 4096;

template <typename Number>
Number hex(std::string_view digits) {
  Number number = 0;
  (void)std::from_chars(digits.data(), digits.data() + digits.size(), number, 16);
  return number;
}

}  // namespace

std::uint64_t KeptCatalogue::room_of(const Content& content) {
  return std::max<std::uint64_t>(content.size, kBlockBytes);
}

KeptCatalogue::Key KeptCatalogue::key_of(const KeptId& id) {
  DAGSYNC_ASSERT(is_kept_id(id.value));
  const std::string_view text = id.value;
  return {hex<std::uint64_t>(text.substr(0, kKeptTimeDigits)),
          hex<std::uint32_t>(text.substr(kKeptTimeDigits + 1))};
}

KeptId KeptCatalogue::id_of(const Key& key) {
  char text[kKeptIdBytes + 1];
  std::snprintf(text, sizeof text, "%016llx-%08x", static_cast<unsigned long long>(key.time),
                static_cast<unsigned>(key.random));
  return {text};
}

KeptVersion KeptCatalogue::version_of(const Rows::value_type& entry) {
  const auto& [key, row] = entry;
  return {id_of(key), *row.path, row.content, NodeName{*row.origin}, row.kept_at, row.reason};
}

const KeptCatalogue::Rows::value_type* KeptCatalogue::find(const Key& key) const {
  for (const Rows* rows : {&replaced_, &conflicts_}) {
    const auto it = rows->find(key);
    if (it != rows->end()) return &*it;
  }
  return nullptr;
}

void KeptCatalogue::add(const KeptVersion& version) {
  const Key key = key_of(version.id);
  const auto of_path = by_path_.try_emplace(version.path).first;
  Row row{&of_path->first, version.content, version.origin.value, version.kept_at, version.reason};
  names_.share(row.origin);
  names_.share(row.content.owner);
  Rows& rows = version.reason == KeptVersion::Reason::kConflict ? conflicts_ : replaced_;
  if (!rows.try_emplace(key, std::move(row)).second) return;
  std::vector<Key>& keys = of_path->second;
  keys.insert(std::upper_bound(keys.begin(), keys.end(), key), key);
  if (version.content.kind == Kind::kFile) by_digest_.emplace(version.content.digest, key);
  bytes_ += room_of(version.content);
}

bool KeptCatalogue::remove(const KeptId& id) {
  if (!is_kept_id(id.value)) return false;
  const Key key = key_of(id);
  const Rows::value_type* entry = find(key);
  if (entry == nullptr) return false;
  const Row& row = entry->second;
  bytes_ -= room_of(row.content);
  forget_digest(row.content.digest, key);
  const auto of_path = by_path_.find(*row.path);
  std::erase(of_path->second, key);
  const bool was_last = of_path->second.empty();
  if (conflicts_.erase(key) == 0) replaced_.erase(key);
  if (was_last) by_path_.erase(of_path);
  return true;
}

void KeptCatalogue::forget_digest(const Digest& digest, const Key& key) {
  const auto [begin, end] = by_digest_.equal_range(digest);
  const auto it = std::find_if(begin, end, [&](const auto& entry) { return entry.second == key; });
  if (it != end) by_digest_.erase(it);
}

std::vector<KeptVersion> KeptCatalogue::of(const RelPath& path) const {
  std::vector<KeptVersion> found;
  const auto of_path = by_path_.find(path);
  if (of_path == by_path_.end()) return found;
  for (auto key = of_path->second.rbegin(); key != of_path->second.rend(); ++key)
    found.push_back(version_of(*find(*key)));
  return found;
}

std::vector<KeptVersion> KeptCatalogue::conflicts() const {
  std::vector<KeptVersion> found;
  for (auto entry = conflicts_.rbegin(); entry != conflicts_.rend(); ++entry)
    found.push_back(version_of(*entry));
  return found;
}

std::optional<KeptId> KeptCatalogue::with_digest(const Digest& digest) const {
  const auto it = by_digest_.find(digest);
  return it == by_digest_.end() ? std::nullopt : std::optional(id_of(it->second));
}

std::vector<KeptId> KeptCatalogue::outdated(UnixNanos moment, std::uint64_t room) const {
  std::vector<KeptId> found;
  for (const Rows* rows : {&replaced_, &conflicts_}) {
    for (const auto& [key, row] : *rows) {
      if (row.kept_at <= moment || room_of(row.content) > room) found.push_back(id_of(key));
    }
  }
  return found;
}

std::vector<KeptId> KeptCatalogue::surplus(std::uint64_t room) const {
  std::vector<KeptId> found;
  std::uint64_t left = bytes_;
  for (const Rows* rows : {&replaced_, &conflicts_}) {
    for (auto entry = rows->begin(); entry != rows->end() && left > room; ++entry) {
      left -= room_of(entry->second.content);
      found.push_back(id_of(entry->first));
    }
  }
  return found;
}

}  // namespace dagsync
