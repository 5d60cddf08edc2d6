#include "dagsync/engine/transfer/turns.h"

#include <algorithm>
#include <string>
#include <utility>

namespace dagsync {
namespace {

void sort_for(const Digest& digest, std::vector<NodeName>& names) {
  std::vector<std::pair<Digest, NodeName>> keyed;
  for (NodeName& name : names)
    keyed.emplace_back(digest_of(to_hex(digest) + name.value), std::move(name));
  std::sort(keyed.begin(), keyed.end());
  std::transform(keyed.begin(), keyed.end(), names.begin(),
                 [](auto& entry) { return std::move(entry.second); });
}

}  // namespace

std::vector<NodeName> sources_in_turn(const Digest& digest, Takers takers) {
  takers.lacking.push_back(takers.self);
  sort_for(digest, takers.lacking);
  sort_for(digest, takers.holders);
  const auto self = std::find(takers.lacking.begin(), takers.lacking.end(), takers.self);
  const auto place = static_cast<std::size_t>(self - takers.lacking.begin());
  // As soon as others have it, they spare the author.
  const std::size_t serving = std::max<std::size_t>(takers.holders.size(), 1);
  if (place >= kFanOut * serving) return {};
  std::vector<NodeName> sources = std::move(takers.holders);
  if (!sources.empty()) {
    const auto mine = sources.begin() + static_cast<std::ptrdiff_t>(place / kFanOut);
    std::rotate(sources.begin(), mine, sources.end());
  }
  sources.insert(sources.end(), takers.announcers.begin(), takers.announcers.end());
  return sources;
}

}  // namespace dagsync
