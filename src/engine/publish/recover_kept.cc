// The catalogue of kept versions, from the kept files themselves.
#include <algorithm>
#include <charconv>
#include <set>
#include <utility>
#include <vector>

#include "dagsync/base/log.h"
#include "dagsync/engine/observe/observer.h"
#include "dagsync/engine/publish/recovery.h"

namespace dagsync {
namespace {

Result<Digest> digest_kept(Disk& disk, const KeptId& id) {
  auto file = disk.open_kept(id);
  if (!file) return Unexpected(file.error());
  DigestStream digest;
  const auto bytes = (*file)->read_all([&](std::string_view piece) -> Status {
    digest.update(piece);
    return {};
  });
  if (!bytes) return Unexpected(bytes.error());
  return digest.finish();
}

// An id begins with its time.
UnixNanos time_of(const KeptId& id) {
  UnixNanos time;
  const char* begin = id.value.data();
  (void)std::from_chars(begin, begin + std::min(kKeptTimeDigits, id.value.size()), time.value, 16);
  return time;
}

// Why it was replaced, and whose it was, only the catalogue knew.
Result<KeptVersion> catalogue(Disk& disk, const KeptId& id, const NodeName& self) {
  auto described = disk.describe_kept(id);
  if (!described) return Unexpected(described.error());
  KeptVersion version;
  version.id = id;
  version.path = std::move(described->path);
  version.origin = self;
  version.kept_at = time_of(id);
  version.content = content_of(described->state);
  version.content.owner = disk.owner_of(version.path, described->state, {}).owner;
  if (described->state.type == FileType::kSymlink) {
    auto target = disk.read_kept_link(id);
    if (!target) return Unexpected(target.error());
    version.content.target = std::move(*target);
    return version;
  }
  const auto digest = digest_kept(disk, id);
  if (!digest) return Unexpected(digest.error());
  version.content.size = described->state.size;
  version.content.digest = *digest;
  return version;
}

}  // namespace

Transaction recover_kept(Disk& disk, FolderImage& image, const NodeName& self) {
  Transaction writes;
  const auto listed = disk.list_kept();
  if (!listed) return writes;
  std::set<KeptId> uncatalogued(listed->begin(), listed->end());
  std::erase_if(image.kept, [&](const KeptVersion& version) {
    if (uncatalogued.erase(version.id) > 0) return false;
    writes.writes.push_back(Transaction::DropKept{version.id});
    return true;
  });
  std::size_t found = 0;
  for (const KeptId& id : uncatalogued) {
    auto version = catalogue(disk, id, self);
    if (!version) {
      log::warning("kept version {}: {}", id.value, version.error().message);
      continue;
    }
    ++found;
    writes.writes.push_back(Transaction::PutKept{*version});
    image.kept.push_back(std::move(*version));
  }
  if (found > 0) log::info("{} kept version(s) were in no catalogue: they are now", found);
  std::ranges::sort(image.kept, {}, [](const KeptVersion& version) {
    return std::pair(version.kept_at, version.id);
  });
  return writes;
}

}  // namespace dagsync
