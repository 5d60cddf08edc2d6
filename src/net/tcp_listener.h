// Listening TCP sockets: for those who speak TLS with us, and for those who do not. Loop thread
// only.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "net/address.h"
#include "net/tcp_socket.h"
#include "net/uv_loop.h"

namespace dagsync {

class TcpListener {
 public:
  struct Hooks {
    std::function<void(TcpHandle, const SocketAddress& from)> accepted;
    std::function<void(const std::string& why)> failed;  // a connection could not be taken
  };

  // `key` names the addresses in errors, as people write it: "[node] listen".
  TcpListener(UvLoop& loop, std::string key, Hooks hooks);

  // IPv4 and IPv6 may listen on the same port: an IPv6 socket takes IPv6 alone.
  [[nodiscard]] Status listen(const SocketAddress& address);

 private:
  void on_connection(uv_stream_t* listening, int code);
  [[nodiscard]] Result<TcpHandle> take(uv_stream_t* listening);
  [[nodiscard]] Unexpected listen_failed(int code, const SocketAddress& address) const;

  UvLoop& loop_;
  std::string key_;
  Hooks hooks_;
  std::vector<TcpHandle> listening_;
};

}  // namespace dagsync
