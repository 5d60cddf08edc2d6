#include "dagsync/engine/events.h"

#include <utility>
#include <vector>

#include "dagsync/base/log.h"

namespace dagsync {

Events::~Events() {
  clock_.cancel(window_);
}

void Events::add(Event event) {
  if (each_) each_(event);
  if (window_ == TimerId{}) window_ = clock_.after(kWindow, [this] { end_window(); });
  if (++in_window_[{event.folder, event.kind}] <= kBurst) keep(std::move(event));
}

// A folder of 100,000 files that comes at once is no 100,000 lines.
void Events::end_window() {
  window_ = {};
  for (const auto& [source, count] : std::exchange(in_window_, {})) {
    if (count <= kBurst) continue;
    Event rest;
    rest.folder = source.first;
    rest.kind = source.second;
    rest.what = fmt::format("and {} more", count - kBurst);
    keep(std::move(rest));
  }
}

void Events::keep(Event event) {
  event.at = clock_.now();
  ring_.add(event);
  std::vector<std::uint64_t> now;
  for (const auto& [listener, call] : listeners_)
    now.push_back(listener);
  for (const std::uint64_t listener : now) {
    const auto it = listeners_.find(listener);
    if (it == listeners_.end()) continue;
    const auto call = it->second;  // it may take itself back
    call();
  }
}

std::uint64_t Events::listen(std::function<void()> call) {
  listeners_.emplace(next_listener_, std::move(call));
  return next_listener_++;
}

void Events::unlisten(std::uint64_t listener) {
  listeners_.erase(listener);
}

}  // namespace dagsync
