// `dagsync events`: hands what happens on to one client, line by line, for as long as it reads.
// Nothing is queued for it but the one line under way: it reads on in the ring of events, and when
// that has moved past it, it is told so in its last line. Loop thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "dagsync/engine/events.h"

namespace dagsync {

// Where the lines go: JSON objects as the control socket has them, {"progress": {...}}, and in the
// end, where it was not the client that left, {"done": true, ...}.
class EventSink {
 public:
  virtual ~EventSink() = default;
  // Never waits. False: the line before it is not taken yet, and nothing was done.
  [[nodiscard]] virtual bool offer(const nlohmann::json& line) = 0;
  virtual bool flush() = 0;  // goes on; whether nothing is left
  virtual void close() = 0;
  [[nodiscard]] virtual bool closed() const = 0;
};

class EventStream : public std::enable_shared_from_this<EventStream> {
 public:
  // How long a client that was cut off may take to read why; until then it costs one line.
  static constexpr Duration kLastWords = std::chrono::minutes(5);

  // Follows `events` from number `next` on (those that are kept) until the client goes away; owns
  // itself as long as that.
  static void begin(Events& events, Clock& clock, std::shared_ptr<EventSink> sink,
                    std::uint64_t next);
  ~EventStream();
  EventStream(const EventStream&) = delete;
  EventStream& operator=(const EventStream&) = delete;

 private:
  EventStream(Events& events, Clock& clock, std::shared_ptr<EventSink> sink, std::uint64_t next);
  void pump();
  void say_last_words();
  void arm(Duration pause);
  void end();

  Events& events_;
  Clock& clock_;
  std::shared_ptr<EventSink> sink_;
  std::uint64_t listener_ = 0;
  std::uint64_t next_;  // the event that comes next
  TimerId timer_;
  std::optional<MonoNanos> give_up_at_;  // it was cut off
  bool said_ = false;                    // its last line is under way
};

// As in `dagsync events --json`, and in [[hook]] on.
[[nodiscard]] const char* name_of(Event::Kind kind);
[[nodiscard]] nlohmann::json to_json(const Event& event);

}  // namespace dagsync
