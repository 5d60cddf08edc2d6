// One connection to a peer, from the hello on: frames, keepalive, round trip and clock offset.
// Loop thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "dagsync/core/messages.h"
#include "dagsync/ports/clock.h"
#include "dagsync/ports/transport.h"
#include "dagsync/wire/framing.h"

namespace dagsync {

// The error with which a link ends after a goodbye.
[[nodiscard]] std::string said_by_peer(const std::string& reason);

class Link {
 public:
  // A dead link is found after kSilence: three keepalives without an answer.
  static constexpr Duration kKeepalive = std::chrono::seconds(3);
  // Of two ends that rest one asks, and both hear of each other. The other asks now and then, for
  // its clock's sake.
  static constexpr Duration kHeardLately = kKeepalive / 2;
  static constexpr Duration kMeasuredLately = std::chrono::seconds(10);
  static constexpr Duration kSilence = std::chrono::seconds(9);
  static constexpr const char* kSaidNothing = "no hello within 9 s";  // why it was closed
  // Said and not taken by the peer: beyond, it is taken for one that does not read.
  static constexpr std::size_t kMostQueuedBytes = 64 << 20;

  struct Handlers {
    // The peer's hello. kRefused closes without a word to it; another error is the goodbye.
    std::function<Status(const Hello&)> on_hello;
    std::function<void(Message)> on_message;  // all others but Ping, Pong and Goodbye
    std::function<void(Chunk&&)> on_chunk;
    std::function<void()> on_drained;  // what was queued for it has become little
    // Once; no handler may destroy the link. kInvalid: the peer broke the protocol.
    std::function<void(const Error&)> on_closed;
    // A later hello: its folders are others now. None: that is not heard.
    std::function<Status(const Hello&)> on_hello_again = {};
  };

  // `dialed`: whether we did. Who dialed says hello first.
  Link(std::unique_ptr<Connection> connection, Clock& clock, bool dialed, Handlers handlers);
  ~Link();
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  void start();
  void say_hello(Hello hello);
  void send(const Message& message);
  void send_frame(std::string_view frame);
  void send_chunk(const ChunkView& chunk);
  void close(std::string reason);  // with a goodbye; on_closed follows
  void silence();  // no handler is called any more, on_closed included, and nothing is sent
  // For a breach of the protocol: nothing more is said or heard, and close() follows from the loop,
  // so that whoever is in the midst of sending goes on undisturbed.
  void condemn(std::string reason);

  [[nodiscard]] bool greeted() const { return greeted_; }
  [[nodiscard]] bool dialed() const { return dialed_; }
  [[nodiscard]] std::size_t queued_bytes() const { return connection_->queued_bytes(); }
  [[nodiscard]] const Connection& connection() const { return *connection_; }
  [[nodiscard]] std::optional<Duration> round_trip() const { return round_trip_; }
  [[nodiscard]] std::optional<Duration> clock_offset() const { return clock_offset_; }
  [[nodiscard]] UnixNanos last_heard() const { return last_heard_wall_; }

 private:
  void send_parts(std::span<const std::string_view> parts);
  [[nodiscard]] bool listens() const { return !closed_ && condemned_ == TimerId{}; }
  void on_data(std::string_view bytes);
  Status on_message(Message&& message);
  void on_pong(const Pong& pong);
  void keepalive();
  void ping();
  void close_for(const Error& error);  // with a goodbye
  void abort(const Error& error);      // without
  void closed(const Error& error);

  std::unique_ptr<Connection> connection_;
  Clock& clock_;
  bool dialed_;
  Handlers handlers_;
  FrameReader reader_;
  TimerId timer_;
  TimerId condemned_;
  bool greeted_ = false;  // the peer's hello was accepted
  bool closed_ = false;
  MonoNanos started_;
  MonoNanos last_heard_;
  UnixNanos last_heard_wall_;
  std::uint64_t ping_id_ = 0;
  MonoNanos ping_sent_;
  UnixNanos ping_sent_wall_;
  std::optional<Duration> round_trip_;
  std::optional<Duration> clock_offset_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace dagsync
