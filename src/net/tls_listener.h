// The listening sockets, and the handshakes that others have begun. Loop thread only.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "dagsync/base/rate_limit.h"
#include "dagsync/ports/transport.h"
#include "net/tcp_listener.h"
#include "net/tls_connection.h"

namespace dagsync {

// Whoever can reach the port can connect, so this is where strangers are kept few, short and quiet:
// see TlsLimits. One log line a minute tells of each kind of refusal of each host.
class TlsListener {
 public:
  TlsListener(std::shared_ptr<TlsRuntime> runtime, Transport::OnAccept on_accept);
  ~TlsListener();
  TlsListener(const TlsListener&) = delete;
  TlsListener& operator=(const TlsListener&) = delete;

  // IPv4 and IPv6 may listen on the same port: an IPv6 socket takes IPv6 alone.
  [[nodiscard]] Status listen(const SocketAddress& address);
  [[nodiscard]] std::size_t unfinished() const { return guests_.size(); }

 private:
  struct Guest {
    std::unique_ptr<TlsConnection> connection;
    std::string host;
    TimerId limit;
  };

  void welcome(TcpHandle tcp, const SocketAddress& from);
  [[nodiscard]] bool has_room(const std::string& host);
  void on_ready(std::uint64_t guest, const Status& status);
  void on_limit(std::uint64_t guest);
  void remove(std::uint64_t guest);
  void tell(const std::string& host, const std::string& what);  // rate-limited warning

  std::shared_ptr<TlsRuntime> runtime_;
  Transport::OnAccept on_accept_;
  TcpListener listener_;
  std::uint64_t next_guest_ = 1;
  std::map<std::uint64_t, Guest> guests_;
  std::map<std::string, std::size_t> guests_of_host_;
  RateLimit told_;
};

}  // namespace dagsync
