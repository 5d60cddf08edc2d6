#include "dagsync/engine/lag_meter.h"

#include <algorithm>
#include <numeric>

namespace dagsync {

void LagHistogram::add(double seconds, std::uint64_t times) {
  const auto bound = std::lower_bound(kBounds.begin(), kBounds.end(), seconds);
  buckets[static_cast<std::size_t>(bound - kBounds.begin())] += times;
  sum_seconds += seconds * static_cast<double>(times);
}

std::uint64_t LagHistogram::count() const {
  return std::accumulate(buckets.begin(), buckets.end(), std::uint64_t{0});
}

void LagMeter::follow(const NodeName& peer) {
  peers_.try_emplace(peer);
}

void LagMeter::forget(const NodeName& peer) {
  peers_.erase(peer);
}

void LagMeter::made(const AuthorId& author, Sequence sequence, MonoNanos now) {
  const bool another = author != author_;
  author_ = author;
  for (auto& [name, peer] : peers_) {
    if (another) peer.waiting.clear();  // as this author, other changes have these numbers
    const bool joins = !peer.waiting.empty() && (now - peer.waiting.back().at < kTogether ||
                                                 peer.waiting.size() >= kMostMarks);
    if (!joins) peer.waiting.push_back({{}, 0, now});
    peer.waiting.back().sequences.add(sequence);
    ++peer.waiting.back().count;
  }
}

void LagMeter::told(const NodeName& peer, const Knowledge& durable, MonoNanos now) {
  const auto followed = peers_.find(peer);
  if (followed == peers_.end() || followed->second.waiting.empty()) return;
  const auto has = durable.authors().find(author_);
  if (has == durable.authors().end()) return;
  auto& [waiting, lag] = followed->second;
  std::erase_if(waiting, [&, &histogram = lag](const Mark& mark) {
    if (!has->second.contains(mark.sequences)) return false;
    histogram.add(to_seconds(now - mark.at), mark.count);
    return true;
  });
}

LagHistogram LagMeter::of(const NodeName& peer) const {
  const auto followed = peers_.find(peer);
  return followed == peers_.end() ? LagHistogram() : followed->second.lag;
}

}  // namespace dagsync
