#include "dagsync/engine/peers/snapshots.h"

#include "dagsync/wire/codec.h"

namespace dagsync {
namespace {

constexpr std::size_t kPageBytes = 1 << 20;

}  // namespace

Snapshots::Snapshots(std::string folder, Replica& replica, Outlet& outlet, WhenWritten when_written)
    : folder_(std::move(folder)),
      replica_(replica),
      outlet_(outlet),
      when_written_(std::move(when_written)) {}

void Snapshots::start(const NodeName& peer) {
  Run& run = running_[peer];
  run = Run{};
  run.offered = replica_.offered();
  send_pages(peer, run);
}

void Snapshots::list(const NodeName& peer) {
  const auto [it, is_new] = running_.try_emplace(peer);
  if (!is_new) return;  // it is being answered
  Run& run = it->second;
  run.list = true;
  run.offered = replica_.offered();
  send_pages(peer, run);
}

void Snapshots::on_page_done(const NodeName& peer, std::uint64_t page) {
  const auto it = running_.find(peer);
  if (it == running_.end() || page > it->second.page) return;
  it->second.done = std::max(it->second.done, page);
  send_pages(peer, it->second);
}

void Snapshots::send_pages(const NodeName& peer, Run& run) {
  while (!run.ended && run.page < run.done + kPagesAhead) {
    if (send_page(peer, run)) continue;
    run.ended = true;
    send_end(peer, run);  // may end the run
    return;
  }
}

void Snapshots::send_end(const NodeName& peer, Run& run) {
  when_written_([this, peer, token = std::weak_ptr(run.token)] {
    if (token.expired()) return;
    const Run ended = std::move(running_.extract(peer).mapped());
    outlet_.send(peer,
                 SnapshotEnd{folder_, Knowledge(ended.offered).at_most(kMaxKnowledgeIntervals)});
    if (!ended.list) replica_.snapshot_sent(peer, ended.offered);
  });
}

bool Snapshots::lacks(const NodeName& peer, const Run& run, const IndexEntry& entry) const {
  if (run.list) return entry.record.is_live();
  return !replica_.peers().at(peer).received.covers(entry.id);
}

// False when nothing is left to send.
bool Snapshots::send_page(const NodeName& peer, Run& run) {
  const auto& entries = replica_.index().entries();
  auto it = run.cursor ? entries.upper_bound(run.cursor->bytes()) : entries.begin();
  Announce page;
  page.folder = folder_;
  std::size_t bytes = 0;
  for (; it != entries.end(); ++it) {
    if (page.items.size() >= kPageItems || bytes >= kPageBytes) break;
    run.cursor = it->first;
    if (!lacks(peer, run, it->second)) continue;
    page.items.push_back({{it->first, it->second.id, it->second.record}, {}});
    bytes += encoded_bound(page.items.back());
  }
  if (page.items.empty()) return false;
  page.page = ++run.page;
  for (const Announce::Item& item : page.items) {
    if (run.list) continue;
    replica_.sent(peer, item.change.id);
    if (sent_) sent_(peer, item.change);
  }
  when_written_([this, peer, page = std::move(page), token = std::weak_ptr(run.token)] {
    if (!token.expired()) outlet_.send(peer, page);
  });
  return true;
}

}  // namespace dagsync
