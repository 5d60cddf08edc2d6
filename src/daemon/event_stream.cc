#include "daemon/event_stream.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "dagsync/base/log.h"

namespace dagsync {
namespace {

using nlohmann::json;

constexpr Duration kIdle = std::chrono::seconds(1);           // between looks for a lost client
constexpr Duration kBacklog = std::chrono::milliseconds(20);  // while it does not take all

json text_or_null(const std::string& text) {
  return text.empty() ? json() : json(to_utf8(text));
}

}  // namespace

const char* name_of(Event::Kind kind) {
  switch (kind) {
    case Event::Kind::kSent:
      return "sent";
    case Event::Kind::kApplied:
      return "applied";
    case Event::Kind::kRefused:
      return "refused";
    case Event::Kind::kConflict:
      return "conflict";
    case Event::Kind::kHalted:
      return "halted";
    case Event::Kind::kPaused:
      return "paused";
    case Event::Kind::kResumed:
      return "resumed";
    case Event::Kind::kConnected:
      return "connected";
    case Event::Kind::kDisconnected:
      return "disconnected";
    case Event::Kind::kError:
      return "error";
    case Event::Kind::kRepaired:
      return "repaired";
  }
  return "";
}

json to_json(const Event& event) {
  return {{"number", event.number},
          {"time", to_rfc3339(event.at)},
          {"kind", name_of(event.kind)},
          {"folder", text_or_null(event.folder)},
          {"path", text_or_null(event.path.bytes())},
          {"node", text_or_null(event.peer)},
          {"what", to_utf8(event.what)}};
}

void EventStream::begin(Events& events, Clock& clock, std::shared_ptr<EventSink> sink,
                        std::uint64_t next) {
  const std::shared_ptr<EventStream> stream(new EventStream(events, clock, std::move(sink), next));
  stream->listener_ = events.listen([stream] { stream->pump(); });
  stream->pump();
}

EventStream::EventStream(Events& events, Clock& clock, std::shared_ptr<EventSink> sink,
                         std::uint64_t next)
    : events_(events), clock_(clock), sink_(std::move(sink)), next_(next) {}

EventStream::~EventStream() {
  clock_.cancel(timer_);
}

void EventStream::arm(Duration pause) {
  clock_.cancel(timer_);
  timer_ = clock_.after(pause, [weak = weak_from_this()] {
    if (const auto stream = weak.lock()) {
      stream->timer_ = {};
      stream->pump();
    }
  });
}

void EventStream::pump() {
  if (sink_->closed()) return end();
  if (give_up_at_) return say_last_words();
  while (next_ <= events_.last()) {
    const auto event = events_.find(next_);
    if (!event) {
      log::warning("somebody follows the events, but does not read them: cut off");
      give_up_at_ = clock_.mono() + kLastWords;
      return say_last_words();
    }
    if (!sink_->offer({{"progress", to_json(*event)}})) return arm(kBacklog);
    ++next_;
  }
  arm(sink_->flush() ? kIdle : kBacklog);
}

void EventStream::say_last_words() {
  if (!said_) {
    said_ = sink_->offer({{"done", true},
                          {"exit", 1},
                          {"error",
                           "events came faster than they were read, and some are not kept "
                           "any more: read faster, and start anew"}});
  }
  if ((said_ && sink_->flush()) || clock_.mono() >= *give_up_at_) {
    sink_->close();
    return end();
  }
  arm(kBacklog);
}

// Destroys itself, with the listener's copy.
void EventStream::end() {
  const auto self = shared_from_this();
  clock_.cancel(std::exchange(timer_, {}));
  events_.unlisten(std::exchange(listener_, 0));
}

}  // namespace dagsync
