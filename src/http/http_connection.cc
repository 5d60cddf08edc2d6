#include "http/http_connection.h"

#include <utility>

#include "dagsync/base/log.h"

namespace dagsync {

HttpConnection::HttpConnection(std::shared_ptr<Shared> shared, TcpHandle tcp,
                               std::optional<TlsStream> tls, Hooks hooks)
    : shared_(std::move(shared)),
      socket_(std::move(tcp), shared_->wire, *this),
      tls_(std::move(tls)),
      hooks_(std::move(hooks)),
      state_(tls_ ? State::kHandshake : State::kReading) {}

HttpConnection::~HttpConnection() {
  shared_->clock.cancel(timer_);
}

void HttpConnection::begin() {
  wait_at_most(shared_->limits.request);
  if (!socket_.start_reading()) close();
}

void HttpConnection::wait_at_most(Duration limit) {
  shared_->clock.cancel(timer_);
  timer_ = shared_->clock.after(limit, [this] {
    timer_ = {};
    const auto self = shared_from_this();
    const bool half = state_ == State::kReading && !input_.empty();
    if (half) return refuse({408, "the request took too long"});
    close();
  });
}

// -- what comes ---------------------------------------------------------------------------------

void HttpConnection::on_bytes(std::string_view wire) {
  const auto self = shared_from_this();
  if (state_ == State::kStreaming || state_ == State::kEnding) return;  // nothing more is asked
  if (tls_) {
    tls_->feed(wire);
    if (state_ == State::kHandshake && !shake_hands()) return;
    return decrypt();
  }
  const bool was_idle = is_idle();
  input_ += wire;
  if (was_idle) wait_at_most(shared_->limits.request);
  take_requests();
}

bool HttpConnection::shake_hands() {
  const auto done = tls_->handshake();
  write("");
  if (!done) log::debug("http: {}", done.error().message);
  if (!done) close();
  if (!done || !*done) return false;
  if (state_ == State::kHandshake) state_ = State::kReading;
  return state_ == State::kReading;
}

void HttpConnection::decrypt() {
  const bool was_idle = is_idle();
  while (is_open()) {
    const auto count = tls_->read(shared_->plain);
    if (!count || tls_->is_finished()) return close();
    if (*count == 0) break;
    input_.append(shared_->plain.data(), *count);
    // All that was fed must be read; who sends more than that while we answer is none of ours.
    if (input_.size() > 16 * kMaxHttpRequestBytes) return close();
  }
  if (was_idle && !input_.empty()) wait_at_most(shared_->limits.request);
  take_requests();
}

// One at a time, and the next one when the answer has been taken. An answer that is given at once
// comes back into this loop, not into a call of it from within.
void HttpConnection::take_requests() {
  if (std::exchange(taking_, true)) return;
  while (state_ == State::kReading && !input_.empty() && flushed()) {
    std::string_view rest = input_;
    auto request = take_http_request(rest);
    if (!request) {
      refuse(request.error());
      break;
    }
    if (!*request) break;
    input_.erase(0, input_.size() - rest.size());
    state_ = State::kAnswering;
    keep_alive_ = (*request)->keep_alive;
    wait_at_most(shared_->limits.stall);
    hooks_.request(std::move(**request));
  }
  taking_ = false;
  const bool full = input_.size() >= kMaxHttpRequestBytes;
  if (is_open() && full && !std::exchange(paused_, true)) socket_.stop_reading();
}

void HttpConnection::refuse(const HttpRefusal& refusal) {
  state_ = State::kAnswering;
  keep_alive_ = false;
  respond({refusal.status, "text/plain; charset=utf-8", refusal.why + "\n"});
}

// -- what goes ----------------------------------------------------------------------------------

void HttpConnection::respond(const HttpResponse& response) {
  if (state_ != State::kAnswering) return;
  const auto self = shared_from_this();
  write(to_bytes(response, keep_alive_, true));
  if (!is_open()) return;
  if (!keep_alive_) return finish();
  state_ = State::kReading;
  if (flushed()) next();
}

void HttpConnection::begin_stream(const HttpResponse& head) {
  if (state_ != State::kAnswering) return;
  shared_->clock.cancel(timer_);
  state_ = State::kStreaming;
  input_.clear();
  write(to_bytes(head, false, false));
}

bool HttpConnection::offer(std::string_view piece) {
  if (state_ != State::kStreaming || socket_.queued_bytes() > kMaxQueuedBytes) return false;
  if (!flushed() && timer_ == TimerId{}) wait_at_most(shared_->limits.stall);
  write(std::string(piece));
  return true;
}

bool HttpConnection::flushed() const {
  return socket_.queued_bytes() == 0;
}

void HttpConnection::write(std::string bytes) {
  if (!is_open()) return;
  Status written;
  if (tls_) {
    written = tls_->write(bytes);
    if (written) written = socket_.write(tls_->output());
  } else {
    written = socket_.write(bytes);
  }
  if (!written) close();
}

// The queue became shorter.
void HttpConnection::on_written() {
  const auto self = shared_from_this();
  if (!flushed()) return;
  if (state_ == State::kStreaming) shared_->clock.cancel(std::exchange(timer_, {}));
  if (state_ == State::kReading) next();
}

// The last answer has been taken.
void HttpConnection::next() {
  wait_at_most(input_.empty() ? shared_->limits.idle : shared_->limits.request);
  if (std::exchange(paused_, false) && !socket_.start_reading()) return close();
  take_requests();
}

void HttpConnection::finish() {
  if (!is_open() || state_ == State::kEnding) return;
  state_ = State::kEnding;
  if (tls_) {
    tls_->write_goodbye();
    write("");
    if (!is_open()) return;
  }
  socket_.shut_down();
  wait_at_most(shared_->limits.stall);  // the end of the other side is read, or this runs out
}

void HttpConnection::on_end(Error) {
  close();
}

void HttpConnection::close() {
  if (!is_open()) return;
  const auto self = shared_from_this();
  state_ = State::kClosed;
  shared_->clock.cancel(std::exchange(timer_, {}));
  socket_.close();
  hooks_.closed();
}

}  // namespace dagsync
