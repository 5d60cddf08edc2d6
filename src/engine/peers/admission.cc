#include "dagsync/engine/peers/admission.h"

#include <algorithm>

#include "dagsync/wire/codec.h"

namespace dagsync {
namespace {

constexpr std::size_t kMaxBatchItems = 20'000;  // of a batch that is published together
constexpr std::size_t kMaxBatchBytes = 32 << 20;
constexpr std::size_t kMostWanted = 200'000;   // beyond, what is announced is left out
constexpr std::size_t kRoomForPages = 50'000;  // wanted changes; beyond, pages of a snapshot wait
constexpr std::size_t kMostPages = 16;         // of one peer that wait
// What one peer may announce that has not changed anything here yet, in bytes of records: some
// 60,000 files. In memory each takes about three times that, on its way. What never changes
// anything, such as a file whose content does not come, is forgiven by and by: 3,000 a second.
constexpr Allowance kMostInHand(20 << 20, 1 << 20);
// What one peer may tell, in intervals of knowledge: a sound node has one or two of each author.
constexpr Allowance kMostTold(500'000, 500'000);
// A stamp further ahead of our clock is no clock that goes wrong. Any stamp can be replaced by one
// that is a nanosecond later, which the last ones could not.
constexpr Duration kFarthestAhead = std::chrono::hours(24) * 365 * 10;

double record_bytes(const Change& change) {
  return static_cast<double>(encoded_bound(change));
}

}  // namespace

Admission::~Admission() {
  clock_.cancel(pages_timer_);
}

std::optional<Admission::Items> Admission::announced(const NodeName& from, Announce announce) {
  if (!replica_.peers().contains(from)) return std::nullopt;
  Items& items = announce.items;
  const MonoNanos now = clock_.mono();
  const bool is_own = !items.empty() && items.front().change.id.author.node() == from;
  InHand& in_hand = in_hand_of(from);
  Allowance& allowance = is_own ? in_hand.own : in_hand.of_others;
  if (!has_room(from, announce.page != 0, allowance.is_spent(now))) return std::nullopt;
  leave_out_far_future(from, items);
  for (const Announce::Item& item : items)
    allowance.take(record_bytes(item.change), now);
  if (announce.page != 0) {
    unanswered_pages_.emplace_back(from, announce.page);
    return std::move(items);
  }
  Inbox& inbox = inboxes_[from];
  for (Announce::Item& item : items) {
    inbox.bytes += encoded_bound(item);
    inbox.items.push_back(std::move(item));
  }
  const bool full = inbox.items.size() >= kMaxBatchItems || inbox.bytes >= kMaxBatchBytes;
  if (announce.more && !full) return std::nullopt;
  return std::exchange(inbox, {}).items;
}

bool Admission::has_room(const NodeName& from, bool is_page, bool is_spent) {
  const auto pages = std::count_if(unanswered_pages_.begin(), unanswered_pages_.end(),
                                   [&](const auto& page) { return page.first == from; });
  if (static_cast<std::size_t>(pages) >= kMostPages) {
    leave_out(from, "pages of a snapshot, of which too many wait already");
    return false;
  }
  // The sender of a page waits for its answer, which comes when there is room again.
  if (is_page || pages > 0) return true;
  if (!is_spent && replica_.wanted().size() < kMostWanted) return true;
  leave_out(from, "changes, of which it announces too many at once: they come page by page");
  return false;
}

void Admission::leave_out_far_future(const NodeName& from, Items& items) {
  const UnixNanos farthest = clock_.now() + kFarthestAhead;
  const auto ahead = std::erase_if(
      items, [&](const Announce::Item& item) { return item.change.record.stamp > farthest; });
  if (ahead > 0) leave_out(from, "changes of the far future: set the clock of their author");
}

// It is not known then, and no snapshot says that it is.
void Admission::leave_out(const NodeName& from, const std::string& why) {
  replica_.left_out(from);
  outlet_.complain(from, why);
}

Admission::InHand& Admission::in_hand_of(const NodeName& peer) {
  return in_hand_.try_emplace(peer, InHand{kMostInHand, kMostInHand}).first->second;
}

void Admission::published(const Change& change, const std::set<NodeName>& sources) {
  for (const NodeName& source : sources) {
    const auto in_hand = in_hand_.find(source);
    if (in_hand == in_hand_.end()) continue;
    auto& [own, of_others] = in_hand->second;
    (source == change.id.author.node() ? own : of_others).give_back(record_bytes(change));
  }
}

// A peer that catches us up sends more only when there is room for it.
void Admission::answer_pages() {
  if (replica_.wanted().size() >= kRoomForPages) return;
  const MonoNanos now = clock_.mono();
  Duration pause{};
  std::erase_if(unanswered_pages_, [&](const auto& page) {
    auto& [own, of_others] = in_hand_of(page.first);
    const Duration wait = std::max(own.pause(now), of_others.pause(now));
    pause = std::max(pause, wait);
    if (wait > Duration(0)) return false;
    outlet_.send(page.first, PageDone{folder_, page.second});
    return true;
  });
  if (pause == Duration(0) || pages_timer_ != TimerId{}) return;
  pages_timer_ = clock_.after(pause, [this] {
    pages_timer_ = {};
    answer_pages();
  });
}

bool Admission::may_tell(const NodeName& from, std::size_t intervals) {
  Allowance& allowance = told_.try_emplace(from, kMostTold).first->second;
  const MonoNanos now = clock_.mono();
  if (allowance.is_spent(now)) {
    outlet_.complain(from, "knowledge, which is too full of holes to be told so often");
    return false;
  }
  allowance.take(static_cast<double>(intervals), now);
  return true;
}

void Admission::peer_lost(const NodeName& peer) {
  inboxes_.erase(peer);
  std::erase_if(unanswered_pages_, [&](const auto& page) { return page.first == peer; });
}

}  // namespace dagsync
