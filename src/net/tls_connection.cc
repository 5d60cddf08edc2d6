#include "net/tls_connection.h"

#include <algorithm>
#include <utility>

#include "dagsync/base/assert.h"

namespace dagsync {
namespace {

// Encrypted and handed to the kernel at a time: small enough to stay in the processor's cache.
constexpr std::size_t kSendPiece = 128 << 10;

}  // namespace

TlsConnection::TlsConnection(std::shared_ptr<TlsRuntime> runtime, TcpHandle tcp, TlsStream stream,
                             std::string address, OnReady on_ready)
    : runtime_(std::move(runtime)),
      stream_(std::move(stream)),
      socket_(std::move(tcp), runtime_->wire, *this),
      on_ready_(std::move(on_ready)) {
  identity_.address = std::move(address);
}

TlsConnection::~TlsConnection() {
  runtime_->clock.cancel(ending_);
}

Status TlsConnection::begin() {
  if (const auto done = stream_.handshake(); !done) return Unexpected(done.error());
  if (const Status flushed = flush(); !flushed) return flushed;
  return socket_.start_reading();
}

void TlsConnection::start(Handlers handlers) {
  DAGSYNC_ASSERT(handlers_ == nullptr);
  handlers_ = std::make_shared<Handlers>(std::move(handlers));
  if (state_ != State::kReady) return;
  state_ = State::kOpen;
  // Not from here: what came early, and the faults that reading finds, are told later.
  runtime_->loop.post([this, alive = std::weak_ptr(alive_)] {
    if (alive.expired() || state_ != State::kOpen) return;
    if (const Status reading = socket_.start_reading(); !reading) return end(reading.error());
    deliver();
  });
}

void TlsConnection::send(std::span<const std::string_view> parts) {
  if (state_ != State::kReady && state_ != State::kOpen) return;
  Status sent;
  for (std::string_view part : parts) {
    while (sent && !part.empty()) {
      const std::string_view piece = part.substr(0, kSendPiece);
      part.remove_prefix(piece.size());
      sent = stream_.write(piece);
      if (sent && piece.size() == kSendPiece) sent = flush();
    }
  }
  if (sent) sent = flush();
  if (!sent) return end_later(sent.error());
  above_low_water_ = above_low_water_ || queued_bytes() >= kLowWater;
}

void TlsConnection::finish() {
  if (state_ != State::kReady && state_ != State::kOpen) return;
  stream_.write_goodbye();
  end_in_order({ErrorCode::kUnavailable, "closed by this node"}, runtime_->limits.goodbye);
}

std::size_t TlsConnection::queued_bytes() const {
  return socket_.queued_bytes();
}

void TlsConnection::on_bytes(std::string_view wire) {
  if (state_ == State::kEnding || state_ == State::kClosed) return;
  stream_.feed(wire);
  if (state_ == State::kHandshake) return shake_hands();
  const std::weak_ptr alive(alive_);
  deliver();
  if (!alive.expired() && state_ == State::kOpen && runtime_->loop.turn_is_long()) yield();
}

// libuv reads up to 32 buffers of one socket before it looks at the next, which takes seconds where
// a peer sends nothing but questions.
void TlsConnection::yield() {
  socket_.stop_reading();
  runtime_->loop.post([this, alive = std::weak_ptr(alive_)] {
    if (alive.expired() || state_ != State::kOpen) return;
    if (const Status reading = socket_.start_reading(); !reading) end(reading.error());
  });
}

void TlsConnection::shake_hands() {
  const auto done = stream_.handshake();
  if (!done) return end_in_order(done.error(), runtime_->limits.refusal);
  if (const Status flushed = flush(); !flushed) return end(flushed.error());
  if (!*done) return;
  std::string address = std::move(identity_.address);
  identity_ = stream_.identity();
  identity_.address = std::move(address);
  state_ = State::kReady;
  const std::weak_ptr alive(alive_);
  const OnReady tell = std::exchange(on_ready_, nullptr);
  tell({});
  if (!alive.expired()) after_handshake();
}

void TlsConnection::after_handshake() {
  if (state_ == State::kOpen) return deliver();
  if (state_ != State::kReady) return;
  // The input is only lent to us for the read under way.
  stream_.keep_input();
  socket_.stop_reading();
}

void TlsConnection::deliver() {
  while (state_ == State::kOpen) {
    auto& plain = runtime_->plain;
    std::size_t filled = 0;
    Status status;
    while (filled < plain.size()) {
      const auto count = stream_.read(std::span(plain).subspan(filled));
      if (!count) status = Unexpected(count.error());
      if (!count || *count == 0) break;
      filled += *count;
    }
    const std::weak_ptr alive(alive_);
    if (filled > 0) {
      const auto handlers = handlers_;
      if (handlers->on_data) handlers->on_data({plain.data(), filled});
      if (alive.expired()) return;
      if (state_ != State::kOpen) return;
      if (filled == plain.size()) continue;  // there may be more
    }
    if (status) status = flush();  // answers of TLS itself, such as new keys
    if (!status) return end(status.error());
    if (stream_.is_finished()) {
      return end({ErrorCode::kUnavailable, "the other end closed the connection"});
    }
    return;
  }
}

void TlsConnection::on_written() {
  if (!above_low_water_ || queued_bytes() >= kLowWater || state_ != State::kOpen) return;
  above_low_water_ = false;
  const auto handlers = handlers_;
  if (handlers->on_drained) handlers->on_drained();
}

void TlsConnection::on_end(Error why) {
  end(state_ == State::kEnding ? std::move(reason_) : std::move(why));
}

Status TlsConnection::flush() {
  return socket_.write(stream_.output());
}

// Closing at once could take back our last words: where unread bytes are left, the kernel resets
// the connection, and the other end drops what it has not read yet. So our direction is closed, and
// what comes is dropped until the other end closes too, or the time is up.
void TlsConnection::end_in_order(Error why, Duration limit) {
  state_ = State::kEnding;
  reason_ = std::move(why);
  Status status = flush();
  if (status) status = socket_.start_reading();
  if (!status) return end_later(reason_);
  socket_.shut_down();
  ending_ = runtime_->clock.after(limit, [this] { end(std::move(reason_)); });
}

void TlsConnection::end(Error why) {
  if (state_ == State::kClosed) return;
  state_ = State::kClosed;
  runtime_->clock.cancel(std::exchange(ending_, {}));
  socket_.close();
  if (const OnReady tell = std::exchange(on_ready_, nullptr)) {
    return tell(Unexpected(std::move(why)));
  }
  const auto handlers = handlers_;
  if (handlers && handlers->on_closed) {
    handlers->on_closed(why.with_context(identity_.address));
  }
}

void TlsConnection::end_later(Error why) {
  state_ = State::kEnding;
  reason_ = why;
  runtime_->loop.post([this, alive = std::weak_ptr(alive_), why = std::move(why)] {
    if (!alive.expired()) end(why);
  });
}

}  // namespace dagsync
