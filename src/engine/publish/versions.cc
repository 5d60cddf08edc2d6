#include "dagsync/engine/publish/versions.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "dagsync/base/log.h"

namespace dagsync {
namespace {

// Even an empty one takes an inode and a row.
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

void Versions::restore(const std::vector<KeptVersion>& kept) {
  for (const KeptVersion& version : kept)
    catalogue_.add(version);
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

void Versions::add(const KeptVersion& version) {
  journal_.write(Transaction::PutKept{version});
  if (kept_) kept_(version);
  catalogue_.add(version);
  // One that is too large alone would push all others out in vain.
  if (KeptCatalogue::room_of(version.content) > max_bytes_) {
    if (max_bytes_ > 0 && version.content.size > max_bytes_) {
      log::warning(
          "{}: its version of before is not kept: {} bytes are more than versions_max_size = {}",
          display(version.path), version.content.size, max_bytes_);
    }
    drop(version.id);
  }
  drop_surplus();
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
        for (const KeptVersion& version : adopted)
          add(version);
        done();
      });
}

void Versions::drop(const KeptId& id) {
  if (!catalogue_.remove(id)) return;
  journal_.write(Transaction::DropKept{id});
  worker_.compute(
      journal_.lane(), [this, id] { return disk_.remove_kept(id); },
      [id](const Status& removed) {
        if (!removed) log::warning("kept version {}: {}", id.value, removed.error().message);
      });
}

void Versions::expire() {
  const UnixNanos newest = clock_.now() - keep_;
  for (const KeptId& id : catalogue_.outdated(newest, max_bytes_))
    drop(id);
  drop_surplus();
}

void Versions::drop_surplus() {
  for (const KeptId& id : catalogue_.surplus(max_bytes_))
    drop(id);
}

}  // namespace dagsync
