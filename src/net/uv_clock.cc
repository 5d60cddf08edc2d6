#include "net/uv_clock.h"

#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <limits>

#include "dagsync/base/assert.h"

namespace dagsync {
namespace {

constexpr std::int64_t kNanosPerSecond = 1'000'000'000;
constexpr MonoNanos kNotArmed{std::numeric_limits<std::int64_t>::max()};
constexpr Duration kBeat = std::chrono::seconds(1);
constexpr Duration kLongestDelay = std::chrono::hours(24 * 365 * 10);

std::int64_t read_clock(clockid_t clock) {
  timespec time{};
  DAGSYNC_ASSERT(clock_gettime(clock, &time) == 0);
  return std::int64_t{time.tv_sec} * kNanosPerSecond + time.tv_nsec;
}

}  // namespace

UvClock::UvClock(UvLoop& loop)
    : timer_fd_(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)), armed_(kNotArmed) {
  // Fails only where a process that starts is out of descriptors or memory.
  DAGSYNC_ASSERT(timer_fd_ >= 0);
  auto watch = loop.on_readable(timer_fd_, [this] { fire(); });
  DAGSYNC_ASSERT(watch.has_value());
  watch_ = std::move(*watch);
  born_ = mono();
}

UvClock::~UvClock() {
  watch_.close();
  ::close(timer_fd_);
}

UnixNanos UvClock::now() {
  return {read_clock(CLOCK_REALTIME)};
}

MonoNanos UvClock::mono() {
  return {read_clock(CLOCK_MONOTONIC)};
}

TimerId UvClock::after(Duration delay, std::function<void()> call) {
  return at(mono() + std::clamp(delay, Duration(0), kLongestDelay), std::move(call));
}

// At the nearest whole second of this clock's life, where that is not now.
TimerId UvClock::about(Duration delay, std::function<void()> call) {
  if (delay < kBeat) return after(delay, std::move(call));
  const Duration life = mono() - born_ + std::min(delay, kLongestDelay);
  return at(born_ + (life + kBeat / 2) / kBeat * kBeat, std::move(call));
}

TimerId UvClock::at(MonoNanos when, std::function<void()> call) {
  const TimerId timer{next_id_++};
  timers_.emplace(Key{when, timer.value}, std::move(call));
  moments_.emplace(timer.value, when);
  arm();
  return timer;
}

// The timerfd stays armed: a timer that is put off again and again costs no system call, at the
// price of one empty wake-up.
void UvClock::cancel(TimerId timer) {
  const auto found = moments_.find(timer.value);
  if (found == moments_.end()) return;
  // What the call holds may cancel timers as it goes, so it goes last.
  auto node = timers_.extract(Key{found->second, timer.value});
  moments_.erase(found);
}

void UvClock::fire() {
  std::uint64_t expirations;
  if (::read(timer_fd_, &expirations, sizeof expirations) < 0) return;  // armed anew meanwhile
  armed_ = kNotArmed;
  // Taken once: timers made by these calls lie after it and wait for the next round, so that the
  // loop gets to its sockets.
  const MonoNanos due = mono();
  while (!timers_.empty() && timers_.begin()->first.first <= due) {
    const auto node = timers_.extract(timers_.begin());
    moments_.erase(node.key().second);
    node.mapped()();
  }
  arm();
}

void UvClock::arm() {
  if (timers_.empty()) return;
  const MonoNanos when = timers_.begin()->first.first;
  if (when >= armed_) return;
  itimerspec spec{};
  spec.it_value.tv_sec = when.value / kNanosPerSecond;
  spec.it_value.tv_nsec = when.value % kNanosPerSecond;
  DAGSYNC_ASSERT(timerfd_settime(timer_fd_, TFD_TIMER_ABSTIME, &spec, nullptr) == 0);
  armed_ = when;
}

}  // namespace dagsync
