#include "events.h"

#include <utility>

namespace dagsync::sim {

std::uint64_t Events::after(Duration delay, LifePtr life, std::function<void()> call) {
  DAGSYNC_ASSERT(delay >= Duration(0));
  const std::uint64_t id = next_id_++;
  if (life) ++life->events;
  order_.push({now_ + delay, seeded_.next(), id});
  waiting_.emplace(id, Event{std::move(life), std::move(call)});
  return id;
}

void Events::cancel(std::uint64_t id) {
  const auto it = waiting_.find(id);
  if (it == waiting_.end()) return;
  if (it->second.life) --it->second.life->events;
  waiting_.erase(it);
}

bool Events::run_next(MonoNanos limit) {
  while (!order_.empty() && order_.top().time <= limit) {
    const Key key = order_.top();
    order_.pop();
    const auto node = waiting_.extract(key.id);
    if (node.empty()) continue;
    const Event event = std::move(node.mapped());
    if (event.life) --event.life->events;
    if (event.life && !event.life->alive) continue;
    now_ = key.time;
    ++count_;
    event.call();
    return true;
  }
  now_ = limit;
  return false;
}

}  // namespace dagsync::sim
