// From whom a wanted content is fetched, and when.
#include <algorithm>
#include <utility>

#include "dagsync/engine/publish/publisher.h"
#include "dagsync/engine/transfer/turns.h"
#include "publisher_batch.h"

namespace dagsync {
namespace {

// While nobody more has got the content, others are waited for so long: as long as three of them
// may take at this rate; then everybody who may have it is asked.
constexpr Duration kLeastPatience = std::chrono::seconds(5);
constexpr std::uint64_t kSlowestRate = 8'000'000;  // bytes a second

Duration patience_for(std::uint64_t bytes) {
  return kLeastPatience + std::chrono::seconds(kFanOut * bytes / kSlowestRate);
}

}  // namespace

bool Publisher::is_partner(const NodeName& peer) const {
  const auto it = replica_.peers().find(peer);
  return it != replica_.peers().end() && it->second.may_send && it->second.may_receive;
}

// Whoever announced it has it; then anybody else might. But a digest tells accidents from each
// other, not forgeries: only who may send is asked for what to publish, and who may not receive
// does not hear of what others announced.
std::vector<NodeName> Publisher::all_sources(const Wanted& wanted) const {
  std::vector<NodeName> sources(wanted.sources.begin(), wanted.sources.end());
  for (const NodeName& peer : outlet_.connected()) {
    if (!wanted.sources.contains(peer) && is_partner(peer)) sources.push_back(peer);
  }
  std::erase_if(sources, [this](const NodeName& peer) {
    const auto it = replica_.peers().find(peer);
    return it == replica_.peers().end() || !it->second.may_send;
  });
  return sources;
}

Takers Publisher::takers_of(const Wanted& wanted) const {
  Takers takers{replica_.self(), {}, {}, {}};
  const auto has_it = [&](const Replica::Peer& peer) {
    return std::all_of(wanted.waiting.begin(), wanted.waiting.end(),
                       [&](const ChangeId& id) { return peer.durable.covers(id); });
  };
  for (const auto& [name, peer] : replica_.peers()) {
    if (!peer.connected || !peer.told) continue;
    if (wanted.sources.contains(name)) {
      if (peer.may_send) takers.announcers.push_back(name);
    } else if (is_partner(name) && has_it(peer)) {
      takers.holders.push_back(name);
    } else if (is_partner(name) && peer.accepts) {
      takers.lacking.push_back(name);
    }
  }
  return takers;
}

void Publisher::fetch(const BatchPtr& batch, const RelPath& path) {
  const Wanted& wanted = replica_.wanted().at(path);
  const Content& content = wanted.record.content;
  if (content.size < turns_from_) {
    fetch_from(batch, path, all_sources(wanted));
    return;
  }
  Takers takers = takers_of(wanted);
  const std::size_t holders = takers.holders.size();
  auto sources = takers.announcers.empty() && holders == 0
                     ? all_sources(wanted)
                     : sources_in_turn(content.digest, std::move(takers));
  if (!sources.empty()) {
    turns_.erase(path);
    fetch_from(batch, path, std::move(sources));
    return;
  }
  Turn& turn = turns_[path];
  const MonoNanos now = clock_.mono();
  const bool is_new = turn.batch.lock() != batch || turn.content != content;
  if (is_new || turn.holders != holders) turn = {batch, content, holders, now};
  if (now - turn.since >= patience_for(content.size)) {
    turns_.erase(path);
    fetch_from(batch, path, all_sources(wanted));
    return;
  }
  if (turn_timer_ == TimerId{}) {
    turn_timer_ = clock_.after(kLeastPatience, [this] {
      turn_timer_ = {};
      take_turns();
    });
  }
}

void Publisher::take_turns() {
  const std::map<RelPath, Turn> waiting = turns_;
  for (const auto& [path, turn] : waiting) {
    const BatchPtr batch = turn.batch.lock();
    const auto item = batch ? batch->items.find(path) : decltype(batch->items.end()){};
    const bool still_waits = batch && item != batch->items.end() && !item->second.ready &&
                             item->second.ticket == 0 && item->second.content == turn.content &&
                             replica_.wanted().contains(path);
    if (still_waits) {
      fetch(batch, path);
    } else {
      turns_.erase(path);
    }
  }
}

void Publisher::fetch_from(const BatchPtr& batch, const RelPath& path,
                           std::vector<NodeName> sources) {
  Fetcher::Order order;
  order.path = path;
  order.content = replica_.wanted().at(path).record.content;
  order.sources = std::move(sources);
  const IndexEntry* entry = replica_.index().find(path);
  if (entry != nullptr && entry->disk && entry->record.content.kind == Kind::kFile) {
    order.basis = path;
  }
  batch->items.at(path).ticket =
      fetcher_.fetch(std::move(order), [this, batch, path](Result<std::unique_ptr<Staged>> staged) {
        const auto it = batch->items.find(path);
        if (it == batch->items.end()) return;
        it->second.ticket = 0;
        if (!staged) {
          give_up(batch, path, staged.error());
          return;
        }
        it->second.staged = std::move(*staged);
        ready(batch, it->second);
      });
}

}  // namespace dagsync
