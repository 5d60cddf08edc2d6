// The Connection port over TCP and TLS. Loop thread only; must go before its loop and clock.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "dagsync/ports/transport.h"
#include "net/tcp_socket.h"
#include "net/tls_runtime.h"
#include "net/tls_stream.h"

namespace dagsync {

// Begins with the handshake, of which `on_ready` tells the end, once: the identity is known then,
// or the connection is closed and of no use. Whoever owns it may move or destroy it in that call,
// as in any other. Bytes that come before start() stay where they are, most of them in the kernel.
class TlsConnection final : public Connection, private TcpSocket::User {
 public:
  using OnReady = std::function<void(Status)>;

  // `tcp` is connected to `address`.
  TlsConnection(std::shared_ptr<TlsRuntime> runtime, TcpHandle tcp, TlsStream stream,
                std::string address, OnReady on_ready);
  ~TlsConnection() override;
  // Where we dialed, it is for us to speak first. Not in the constructor, because it may fail.
  [[nodiscard]] Status begin();

  void start(Handlers handlers) override;
  using Connection::send;
  void send(std::span<const std::string_view> parts) override;
  void finish() override;
  [[nodiscard]] std::size_t queued_bytes() const override;
  [[nodiscard]] const PeerIdentity& identity() const override { return identity_; }
  [[nodiscard]] std::uint64_t bytes_sent() const override { return socket_.bytes_sent(); }
  [[nodiscard]] std::uint64_t bytes_received() const override { return socket_.bytes_received(); }

 private:
  enum class State {
    kHandshake,
    kReady,   // proven, and not started
    kOpen,    // started
    kEnding,  // we have said our last word; what still comes is dropped
    kClosed,
  };

  void on_bytes(std::string_view wire) override;
  void on_written() override;
  void on_end(Error why) override;

  void shake_hands();
  void deliver();                // what has come, to the handlers
  void yield();                  // reads on when the others have had a turn
  void after_handshake();        // takes or keeps what came along with its end
  [[nodiscard]] Status flush();  // what TLS has put out, to the socket
  void end_in_order(Error why, Duration limit);
  void end(Error why);        // closes and tells; this may be gone afterwards
  void end_later(Error why);  // the same, not from within a call of the owner

  std::shared_ptr<TlsRuntime> runtime_;
  TlsStream stream_;
  TcpSocket socket_;
  PeerIdentity identity_;
  State state_ = State::kHandshake;
  OnReady on_ready_;
  std::shared_ptr<Handlers> handlers_;  // shared with the call under way, which may destroy this
  bool above_low_water_ = false;
  Error reason_;  // of kEnding
  TimerId ending_;
  std::shared_ptr<char> alive_ = std::make_shared<char>();  // who holds it weakly learns our end
};

}  // namespace dagsync
