#include "dagsync/engine/versions.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "dagsync/base/log.h"

namespace dagsync {
namespace {

// Even an empty one takes an inode and a row.
std::uint64_t room_of(const KeptVersion& version) {
  return std::max<std::uint64_t>(version.content.size, 4096);
}

Result<Content> content_of_kept(Disk& disk, const RelPath& path, const KeptId& id) {
  Content content;
  if (const auto target = disk.read_kept_link(id)) {
    content.kind = Kind::kSymlink;
    content.target = *target;
    return content;
  }
  auto file = disk.open_kept(id);
  if (!file) return Unexpected(file.error());
  const auto state = (*file)->state();
  if (!state) return Unexpected(state.error());
  DigestStream digest;
  const auto bytes = (*file)->read_all([&](std::string_view piece) -> Status {
    digest.update(piece);
    return {};
  });
  if (!bytes) return Unexpected(bytes.error());
  content.kind = Kind::kFile;
  content.size = *bytes;
  content.digest = digest.finish();
  content.mode = state->mode & 0777;
  content.mtime = state->mtime;
  content.owner = disk.owner_of(path, *state, {}).owner;
  return content;
}

}  // namespace

Versions::Versions(Clock& clock, Random& random, Worker& worker, Disk& disk, Journal& journal)
    : clock_(clock), random_(random), worker_(worker), disk_(disk), journal_(journal) {}

void Versions::restore(std::vector<KeptVersion> kept) {
  for (KeptVersion& version : kept) {
    bytes_ += room_of(version);
    conflicts_ += version.reason == KeptVersion::Reason::kConflict;
    by_digest_.emplace(version.content.digest, version.id);
    const KeptId id = version.id;
    versions_.emplace(id, std::move(version));
  }
}

void Versions::configure(Duration keep, std::uint64_t max_bytes) {
  keep_ = keep;
  max_bytes_ = max_bytes;
}

KeptId Versions::new_id() {
  char text[32];
  std::snprintf(text, sizeof text, "%016llx-%08x",
                static_cast<unsigned long long>(clock_.now().value),
                static_cast<unsigned>(random_.next() & 0xffffffffu));
  return {text};
}

void Versions::add(KeptVersion version) {
  journal_.write(Transaction::PutKept{version});
  if (kept_) kept_(version);
  if (max_bytes_ > 0 && version.content.size > max_bytes_) {
    log::warning(
        "{}: its version of before is not kept: {} bytes are more than versions_max_size = {}",
        display(version.path), version.content.size, max_bytes_);
  }
  restore({std::move(version)});
  if (bytes_ > max_bytes_) expire();
}

void Versions::adopt_rescued(const NodeName& self) {
  if (disk_.has_rescued()) adopt_rescued(self, [] {});
}

void Versions::adopt_rescued(const NodeName& self, std::function<void()> done) {
  worker_.compute(
      journal_.lane(),
      [this, self, now = clock_.now()] {
        std::vector<KeptVersion> adopted;
        for (Disk::Rescued& rescued : disk_.take_rescued()) {
          auto content = content_of_kept(disk_, rescued.path, rescued.id);
          if (!content) {
            log::error("kept version {}: {}", rescued.id.value, content.error().message);
            continue;
          }
          adopted.push_back({std::move(rescued.id), std::move(rescued.path), std::move(*content),
                             self, now, KeptVersion::Reason::kConflict});
        }
        return adopted;
      },
      [this, done = std::move(done)](std::vector<KeptVersion> adopted) {
        for (KeptVersion& version : adopted)
          add(std::move(version));
        done();
      });
}

void Versions::drop(const KeptId& id) {
  const auto it = versions_.find(id);
  if (it == versions_.end()) return;
  bytes_ -= room_of(it->second);
  conflicts_ -= it->second.reason == KeptVersion::Reason::kConflict;
  const auto [begin, end] = by_digest_.equal_range(it->second.content.digest);
  for (auto entry = begin; entry != end; ++entry) {
    if (entry->second != id) continue;
    by_digest_.erase(entry);
    break;
  }
  versions_.erase(it);
  journal_.write(Transaction::DropKept{id});
  worker_.compute(
      journal_.lane(), [this, id] { return disk_.remove_kept(id); },
      [id](const Status& removed) {
        if (!removed) log::warning("kept version {}: {}", id.value, removed.error().message);
      });
}

void Versions::expire() {
  const UnixNanos now = clock_.now();
  std::vector<KeptId> old;
  for (const auto& [id, version] : versions_) {
    // One that is too large alone would push all others out in vain.
    if (version.kept_at + keep_ <= now || room_of(version) > max_bytes_) old.push_back(id);
  }
  for (const KeptId& id : old)
    drop(id);
  // Too much: first what was replaced or deleted on purpose, then conflicts' losers.
  for (const bool conflicts_too : {false, true}) {
    std::vector<KeptId> surplus;
    std::uint64_t left = bytes_;
    for (const auto& [id, version] : versions_) {
      if (left <= max_bytes_) break;
      if (version.reason == KeptVersion::Reason::kConflict && !conflicts_too) continue;
      left -= room_of(version);
      surplus.push_back(id);
    }
    for (const KeptId& id : surplus)
      drop(id);
  }
}

std::vector<KeptVersion> Versions::of(const RelPath& path) const {
  std::vector<KeptVersion> found;
  for (auto it = versions_.rbegin(); it != versions_.rend(); ++it) {
    if (it->second.path == path) found.push_back(it->second);
  }
  return found;
}

std::vector<KeptVersion> Versions::conflicts() const {
  std::vector<KeptVersion> found;
  for (auto it = versions_.rbegin(); it != versions_.rend(); ++it) {
    if (it->second.reason == KeptVersion::Reason::kConflict) found.push_back(it->second);
  }
  return found;
}

std::optional<KeptId> Versions::with_digest(const Digest& digest) const {
  const auto it = by_digest_.find(digest);
  if (it == by_digest_.end()) return std::nullopt;
  const auto version = versions_.find(it->second);
  const bool is_file = version != versions_.end() && version->second.content.kind == Kind::kFile;
  return is_file ? std::optional(it->second) : std::nullopt;
}

}  // namespace dagsync
