#include "dagsync/engine/peers/link.h"

#include <array>
#include <utility>

namespace dagsync {

std::string said_by_peer(const std::string& reason) {
  return "the peer said: " + reason;
}

Link::Link(std::unique_ptr<Connection> connection, Clock& clock, bool dialed, Handlers handlers)
    : connection_(std::move(connection)),
      clock_(clock),
      dialed_(dialed),
      handlers_(std::move(handlers)) {}

Link::~Link() {
  *alive_ = false;
  clock_.cancel(timer_);
  clock_.cancel(condemned_);
}

void Link::start() {
  started_ = last_heard_ = clock_.mono();
  last_heard_wall_ = clock_.now();
  timer_ = clock_.about(kKeepalive, [this] { keepalive(); });
  connection_->start({[this](std::string_view bytes) { on_data(bytes); },
                      [this] {
                        if (greeted_ && !closed_) handlers_.on_drained();
                      },
                      [this](const Error& error) { closed(error); }});
}

void Link::say_hello(Hello hello) {
  hello.clock = clock_.now();
  send(hello);
}

void Link::send(const Message& message) {
  send_frame(frame_message(message));
}

void Link::send_frame(std::string_view frame) {
  send_parts(std::array{frame});
}

void Link::send_chunk(const ChunkView& chunk) {
  const std::string head = frame_chunk_header(chunk.request, chunk.bytes.size(), chunk.compressed);
  send_parts(std::array<std::string_view, 2>{head, chunk.bytes});
}

void Link::send_parts(std::span<const std::string_view> parts) {
  if (!listens()) return;
  connection_->send(parts);
  if (queued_bytes() > kMostQueuedBytes) condemn("it does not read what it is sent");
}

void Link::close(std::string reason) {
  close_for({ErrorCode::kRefused, std::move(reason)});
}

void Link::close_for(const Error& error) {
  if (closed_) return;
  connection_->send(frame_message(Goodbye{error.message}));
  connection_->finish();
  closed(error);
}

void Link::condemn(std::string reason) {
  if (!listens()) return;
  condemned_ = clock_.after(Duration(0), [this, reason = std::move(reason)] {
    condemned_ = {};
    close_for({ErrorCode::kInvalid, reason});
  });
}

void Link::silence() {
  closed_ = true;
  clock_.cancel(std::exchange(timer_, {}));
  clock_.cancel(std::exchange(condemned_, {}));
}

void Link::abort(const Error& error) {
  if (closed_) return;
  connection_->finish();
  closed(error);
}

void Link::closed(const Error& error) {
  if (std::exchange(closed_, true)) return;
  clock_.cancel(std::exchange(timer_, {}));
  clock_.cancel(std::exchange(condemned_, {}));
  handlers_.on_closed(error);
}

void Link::on_data(std::string_view bytes) {
  if (!listens()) return;
  last_heard_ = clock_.mono();
  last_heard_wall_ = clock_.now();
  const std::shared_ptr<bool> alive = alive_;
  const Status fed = reader_.feed(bytes, {[this, alive](Message&& message) -> Status {
                                            if (!*alive || !listens())
                                              return fail(ErrorCode::kUnavailable, "closed");
                                            return on_message(std::move(message));
                                          },
                                          [this, alive](Chunk&& chunk) -> Status {
                                            if (!*alive || !listens())
                                              return fail(ErrorCode::kUnavailable, "closed");
                                            handlers_.on_chunk(std::move(chunk));
                                            return {};
                                          }});
  if (!fed && *alive && listens()) close_for(fed.error());
}

Status Link::on_message(Message&& message) {
  if (const auto* hello = std::get_if<Hello>(&message)) {
    if (greeted_ && !handlers_.on_hello_again) return {};
    if (greeted_) return handlers_.on_hello_again(*hello);
    if (const Status accepted = handlers_.on_hello(*hello); !accepted) {
      // Who is refused gets no byte of ours; a friend is told why.
      if (accepted.error().code == ErrorCode::kRefused) abort(accepted.error());
      return accepted;
    }
    greeted_ = true;
    reader_.trust();
    ping();
    return {};
  }
  if (const auto* goodbye = std::get_if<Goodbye>(&message)) {
    return fail(ErrorCode::kRefused, said_by_peer(goodbye->reason));
  }
  if (!greeted_) return fail(ErrorCode::kInvalid, "no hello");
  if (const auto* asked = std::get_if<Ping>(&message)) {
    send(Pong{asked->id, clock_.now()});
  } else if (const auto* pong = std::get_if<Pong>(&message)) {
    on_pong(*pong);
  } else {
    handlers_.on_message(std::move(message));
  }
  return {};
}

void Link::ping() {
  ++ping_id_;
  ping_sent_ = clock_.mono();
  ping_sent_wall_ = clock_.now();
  send(Ping{ping_id_});
}

// The peer's clock against the middle of the round trip, as NTP reckons (RFC 5905, section 8).
void Link::on_pong(const Pong& pong) {
  if (pong.id != ping_id_) return;
  round_trip_ = clock_.mono() - ping_sent_;
  clock_offset_ = (pong.clock - ping_sent_wall_) - *round_trip_ / 2;
}

void Link::keepalive() {
  timer_ = {};
  const MonoNanos now = clock_.mono();
  if (!greeted_ && now - started_ >= kSilence) {
    abort({ErrorCode::kUnavailable, kSaidNothing});
    return;
  }
  if (now - last_heard_ >= kSilence) {
    close("nothing was heard for 9 s");
    return;
  }
  timer_ = clock_.about(kKeepalive, [this] { keepalive(); });
  if (!greeted_) return;
  if (now - last_heard_ >= kHeardLately || now - ping_sent_ >= kMeasuredLately) ping();
}

}  // namespace dagsync
