// The Clock port of a real node. Loop thread only; must go before its loop.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <unordered_map>
#include <utility>

#include "dagsync/ports/clock.h"
#include "net/uv_loop.h"

namespace dagsync {

// All timers share one timerfd, because libuv's own count whole milliseconds and a folder settles
// in five. The timerfd is armed for the earliest timer alone: an idle node is not woken. Timers
// that are due together fire in the order of their moments, then of their making; those pending at
// destruction never fire.
class UvClock final : public Clock {
 public:
  explicit UvClock(UvLoop& loop);
  ~UvClock() override;
  UvClock(const UvClock&) = delete;
  UvClock& operator=(const UvClock&) = delete;

  [[nodiscard]] UnixNanos now() override;
  [[nodiscard]] MonoNanos mono() override;
  TimerId after(Duration delay, std::function<void()> call) override;
  TimerId about(Duration delay, std::function<void()> call) override;
  void cancel(TimerId timer) override;

 private:
  using Key = std::pair<MonoNanos, std::uint64_t>;  // when, TimerId

  void fire();
  TimerId at(MonoNanos when, std::function<void()> call);
  void arm();  // for the earliest timer, where that is earlier than what is armed

  int timer_fd_;
  ReadableWatch watch_;
  MonoNanos born_;
  std::uint64_t next_id_ = 1;
  std::map<Key, std::function<void()>> timers_;
  std::unordered_map<std::uint64_t, MonoNanos> moments_;  // of each timer, to find its key
  MonoNanos armed_;
};

}  // namespace dagsync
