// What happens on a node, as people follow it: one source for whoever shows it. The newest are kept
// in a ring; a listener that wants to be sure of each reads on from where it was. Loop thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "dagsync/engine/event.h"
#include "dagsync/engine/event_ring.h"
#include "dagsync/ports/clock.h"

namespace dagsync {

class Events {
 public:
  static constexpr std::size_t kKept = 8192;
  // Of one folder and kind within kWindow; of more only their number is told, in one event.
  static constexpr std::size_t kBurst = 2000;
  static constexpr Duration kWindow = std::chrono::milliseconds(100);

  explicit Events(Clock& clock) : clock_(clock) {}
  ~Events();
  Events(const Events&) = delete;
  Events& operator=(const Events&) = delete;

  void add(Event event);  // its number and time are set here
  // Called with each event before it is added, also with those of a burst that only their number
  // is told of. Must not add any.
  void on_each(std::function<void(const Event&)> call) { each_ = std::move(call); }

  // Called after each event, until taken back; from within a call too.
  std::uint64_t listen(std::function<void()> call);
  void unlisten(std::uint64_t listener);

  [[nodiscard]] std::uint64_t last() const { return ring_.last(); }  // the newest one's number
  // None: it has not happened yet, or is not kept any more.
  [[nodiscard]] std::optional<Event> find(std::uint64_t number) const { return ring_.find(number); }

 private:
  using Source = std::pair<std::string, Event::Kind>;
  void keep(Event event);
  void end_window();

  Clock& clock_;
  std::function<void(const Event&)> each_;
  TimerId window_;
  std::map<Source, std::size_t> in_window_;
  EventRing ring_{kKept};
  std::map<std::uint64_t, std::function<void()>> listeners_;
  std::uint64_t next_listener_ = 1;
};

}  // namespace dagsync
