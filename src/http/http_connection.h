// One client of the HTTP server: reads its requests one after the other, writes the answers, and is
// given up where it is too slow. Loop thread only.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "dagsync/ports/clock.h"
#include "http/http_message.h"
#include "net/tcp_socket.h"
#include "net/tls_stream.h"

namespace dagsync {

// The bounds of a server; tests shorten them.
struct HttpLimits {
  Duration request =
      std::chrono::seconds(10);               // from its first byte, or the connection, to its end
  Duration idle = std::chrono::seconds(75);   // between two requests
  Duration stall = std::chrono::seconds(30);  // for an answer to be taken
  std::size_t connections = 128;
  std::size_t streams = 32;  // of them: answers without end
};

class HttpConnection final : public std::enable_shared_from_this<HttpConnection>,
                             private TcpSocket::User {
 public:
  static constexpr std::size_t kMaxQueuedBytes = 256 << 10;  // of a stream; then it is not offered

  struct Shared {  // by all connections of a server
    Clock& clock;
    HttpLimits limits;
    std::vector<char> wire;  // each read is used up before the next one begins
    std::vector<char> plain;
  };
  struct Hooks {
    std::function<void(HttpRequest)> request;  // to be answered by respond() or begin_stream()
    std::function<void()> closed;              // once; may let go of the connection
  };

  // Without `tls` in plain text.
  HttpConnection(std::shared_ptr<Shared> shared, TcpHandle tcp, std::optional<TlsStream> tls,
                 Hooks hooks);
  ~HttpConnection();
  void begin();

  void respond(const HttpResponse& response);
  void begin_stream(const HttpResponse& head);  // its body is the first piece
  // False: what went before is not taken yet, and nothing was done.
  [[nodiscard]] bool offer(std::string_view piece);
  [[nodiscard]] bool flushed() const;  // all that was offered is taken
  void finish();                       // after what is still to be written
  void close();                        // at once

  [[nodiscard]] bool is_open() const { return state_ != State::kClosed; }
  [[nodiscard]] bool is_idle() const { return state_ == State::kReading && input_.empty(); }
  [[nodiscard]] bool is_stream() const { return state_ == State::kStreaming; }

 private:
  enum class State { kHandshake, kReading, kAnswering, kStreaming, kEnding, kClosed };

  void on_bytes(std::string_view wire) override;
  void on_written() override;
  void on_end(Error why) override;
  [[nodiscard]] bool shake_hands();  // whether it is done
  void decrypt();
  void take_requests();
  void next();
  void refuse(const HttpRefusal& refusal);
  void write(std::string bytes);
  void wait_at_most(Duration limit);

  std::shared_ptr<Shared> shared_;
  TcpSocket socket_;
  std::optional<TlsStream> tls_;
  Hooks hooks_;
  State state_ = State::kReading;
  std::string input_;  // of requests that are not answered yet
  bool keep_alive_ = true;
  bool taking_ = false;
  bool paused_ = false;  // nothing is read until the answer under way is out
  TimerId timer_;
};

}  // namespace dagsync
