// What happens on a node, as people follow it: one source for whoever shows it. The newest are kept
// in a ring; a listener that wants to be sure of each reads on from where it was. Loop thread only.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>

#include "dagsync/base/rel_path.h"
#include "dagsync/base/time.h"
#include "dagsync/ports/clock.h"

namespace dagsync {

struct Event {
  enum class Kind {
    kSent,          // a change of this node went to peers
    kApplied,       // a change of another node stands here now
    kRefused,       // a change, a file or a peer was not taken
    kConflict,      // a content lost against a younger one, and is kept
    kHalted,        // a folder stopped for safety
    kPaused,        // it stopped because somebody wanted it
    kResumed,       // and goes on
    kConnected,     // a peer came
    kDisconnected,  // a peer went
    kError,         // something is wrong with a path
    kRepaired,      // a content that was wrong is right again
  };
  std::uint64_t number = 0;  // from 1 on, without gaps
  UnixNanos at;
  Kind kind = Kind::kError;
  std::string folder;  // "" of what concerns none
  RelPath path;        // the root of what concerns none
  std::string peer;    // the node, or several: "b, c"; "" of what concerns none
  std::string what;    // for people: "changed", why it was refused
};

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

  [[nodiscard]] std::uint64_t last() const { return last_; }  // the newest one's number
  // Null: it has not happened yet, or is not kept any more.
  [[nodiscard]] const Event* find(std::uint64_t number) const;

 private:
  using Source = std::pair<std::string, Event::Kind>;
  void keep(Event event);
  void end_window();

  Clock& clock_;
  std::function<void(const Event&)> each_;
  TimerId window_;
  std::map<Source, std::size_t> in_window_;
  std::deque<Event> ring_;  // the last of them is number last_
  std::uint64_t last_ = 0;
  std::map<std::uint64_t, std::function<void()>> listeners_;
  std::uint64_t next_listener_ = 1;
};

}  // namespace dagsync
