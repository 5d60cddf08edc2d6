// What the tests of net share: a loop to wait on, nodes on loopback, connections between them.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "net/tls_transport.h"
#include "net/uv_clock.h"
#include "net/uv_loop.h"
#include "support/test_certs.h"

namespace dagsync::test {

// Whether the error says so; a check of the test at hand.
bool has(const Error& error, const std::string& words);
[[nodiscard]] TlsFiles files_of(const CertFiles& files);
// A port of loopback that nobody listens on.
[[nodiscard]] std::string free_address(const std::string& host = "127.0.0.1");

struct Net {
  UvLoop loop;
  UvClock clock{loop};

  // Runs the loop until `done`; false when that takes longer than `limit`.
  [[nodiscard]] bool wait(const std::function<bool()>& done,
                          Duration limit = std::chrono::seconds(20));
  // Runs the loop for a while, to see that something does not happen.
  void run_for(Duration time);
};

// A transport that keeps what it accepts.
struct Node {
  Node(Net& on, const CertFiles& files, const TlsLimits& limits = {},
       Resolve resolve = resolve_host);

  std::string listen(const std::string& host = "127.0.0.1");  // the address
  [[nodiscard]] Result<std::unique_ptr<Connection>> dial(const std::string& address,
                                                         const std::string& expected);
  // The next one accepted, as soon as there is one.
  [[nodiscard]] std::unique_ptr<Connection> next_accepted();

  Net& net;
  std::unique_ptr<TlsTransport> transport;
  std::vector<std::unique_ptr<Connection>> accepted;
};

// Two ends of one connection between node1, who dialed, and node2.
struct Pair {
  explicit Pair(Net& net, const TlsLimits& limits = {});

  TestCa ca;
  Node node1;
  Node node2;
  std::string address;
  std::unique_ptr<Connection> near;  // node1's
  std::unique_ptr<Connection> far;   // node2's
};

// What one end saw.
struct Seen {
  std::string data;
  int drained = 0;
  int closed = 0;
  Error why;
  [[nodiscard]] Connection::Handlers handlers();  // refer to this
};

// A connected plain TCP socket of an outsider; non-blocking.
class RawSocket {
 public:
  explicit RawSocket(const std::string& address);
  ~RawSocket();
  RawSocket(const RawSocket&) = delete;
  RawSocket& operator=(const RawSocket&) = delete;

  [[nodiscard]] int fd() const { return fd_; }
  void write(std::string_view bytes) const;
  [[nodiscard]] bool is_closed();  // by the other end; what it says before is dropped

 private:
  int fd_;
};

}  // namespace dagsync::test
