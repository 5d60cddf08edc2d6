// One connection of a hostile peer: the TLS and the framing are right, what is said need not be.
// Blocking, one thread. A fault of the test itself ends the program.
#pragma once

#include <openssl/ssl.h>

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dagsync/core/messages.h"
#include "dagsync/wire/framing.h"

namespace dagsync::hostile {

struct Target {
  std::string host;
  std::string port;
  std::string from;  // the address that we come from; "": the kernel's choice
  std::string ca;
  std::string cert;
  std::string key;
};

class Session {
 public:
  // What the daemon said, in all.
  struct Heard {
    bool closed = false;
    bool greeted = false;
    std::string goodbye;
    std::map<std::string, std::uint64_t> messages;  // count of each kind
    std::uint64_t chunk_bytes = 0;
    std::vector<std::string> paths;     // of its announcements
    std::map<std::string, Tell> tells;  // the last of each folder
    std::deque<Fetch> fetches;          // not answered yet
    std::vector<std::string> fetch_errors;
    std::uint64_t verify_rows = 0;
    std::vector<std::string> verify_errors;
  };

  // Connects and shakes hands.
  explicit Session(const Target& target);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Says hello as `name`, and waits for the answer.
  void greet(const NodeName& name, const std::string& folder);
  void send(const Message& message);
  void send_chunk(std::uint64_t request, std::string_view bytes, bool compressed = false);
  void send_raw(std::string_view bytes);
  // Reads for so long, or until the end; answers pings.
  void listen(std::chrono::milliseconds time);
  // Reads until `condition()` or the end; false after `limit`.
  template <typename Condition>
  bool listen_until(Condition condition, std::chrono::milliseconds limit = kPatience) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!condition() && !heard_.closed && std::chrono::steady_clock::now() < end)
      listen(std::chrono::milliseconds(10));
    return condition();
  }
  // Says that nothing follows, and reads until the daemon closes: it has taken then all that was
  // sent. Closed at once, with bytes unread, the rest on its way would be lost to a reset. Ends the
  // program where it takes longer than kTakesAll.
  void finish();
  // From now on nothing is read while something is sent.
  void stop_reading() { deaf_ = true; }

  [[nodiscard]] bool open() const { return !heard_.closed; }
  [[nodiscard]] const Heard& heard() const { return heard_; }
  [[nodiscard]] std::optional<Fetch> next_fetch();
  [[nodiscard]] std::uint64_t bytes_sent() const { return bytes_sent_; }

  static constexpr std::chrono::seconds kPatience{20};
  static constexpr std::chrono::seconds kTakesAll{200};

 private:
  void wait(short events, std::chrono::milliseconds time);
  bool read_some();
  void take(Message&& message);

  SSL_CTX* context_ = nullptr;
  SSL* ssl_ = nullptr;
  int socket_ = -1;
  FrameReader reader_;
  Heard heard_;
  bool deaf_ = false;
  std::vector<std::uint64_t> pings_;  // not answered yet
  std::uint64_t bytes_sent_ = 0;
};

}  // namespace dagsync::hostile
