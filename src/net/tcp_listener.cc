#include "net/tcp_listener.h"

#include <utility>

namespace dagsync {
namespace {

constexpr int kBacklog = 128;  // connections that the kernel holds until we look

}  // namespace

TcpListener::TcpListener(UvLoop& loop, std::string key, Hooks hooks)
    : loop_(loop), key_(std::move(key)), hooks_(std::move(hooks)) {}

Status TcpListener::listen(const SocketAddress& address) {
  TcpHandle tcp;
  int code = tcp.open([&](uv_tcp_t* handle) {
    return uv_tcp_init(loop_.raw(), handle);  // bind sets SO_REUSEADDR
  });
  if (code == 0) {
    code = uv_tcp_bind(tcp.get(), address.raw(), is_ipv6(address) ? UV_TCP_IPV6ONLY : 0);
  }
  if (code == 0) {
    tcp.get()->data = this;
    code = uv_listen(tcp.stream(), kBacklog, [](uv_stream_t* listening, int status) {
      auto* self = static_cast<TcpListener*>(listening->data);
      if (self != nullptr) self->on_connection(listening, status);
    });
  }
  if (code != 0) return listen_failed(code, address);
  listening_.push_back(std::move(tcp));
  return {};
}

Unexpected TcpListener::listen_failed(int code, const SocketAddress& address) const {
  const std::string shown = to_string(address);
  const std::string port = shown.substr(shown.rfind(':') + 1);
  std::string mend;
  if (code == UV_EADDRINUSE) {
    mend = ": see who has it with `ss -ltnp 'sport = :" + port + "'`, or choose another " + key_;
  } else if (code == UV_EADDRNOTAVAIL) {
    mend = ": " + key_ + " must be an address of this host (`ip addr`), 0.0.0.0 or [::]";
  } else if (code == UV_EACCES) {
    mend = ": choose a port above 1023";
  }
  const ErrorCode kind = code == UV_EADDRINUSE ? ErrorCode::kExists : error_code_of(-code);
  return fail(kind, "listen on " + shown + ": " + uv_strerror(code) + mend);
}

void TcpListener::on_connection(uv_stream_t* listening, int code) {
  if (code != 0) {
    return hooks_.failed(std::string("a connection could not be taken: ") + uv_strerror(code));
  }
  auto tcp = take(listening);
  if (!tcp) return hooks_.failed(tcp.error().message);
  SocketAddress from;
  int size = sizeof from.storage;
  // Fails where the other end has gone already.
  if (uv_tcp_getpeername(tcp->get(), reinterpret_cast<sockaddr*>(&from.storage), &size) != 0)
    return;
  hooks_.accepted(std::move(*tcp), from);
}

Result<TcpHandle> TcpListener::take(uv_stream_t* listening) {
  TcpHandle tcp;
  int code = tcp.open([&](uv_tcp_t* handle) { return uv_tcp_init(loop_.raw(), handle); });
  if (code == 0) code = uv_accept(listening, tcp.stream());
  if (code != 0) return fail_errno(-code, "take a connection");
  uv_tcp_nodelay(tcp.get(), 1);
  return tcp;
}

}  // namespace dagsync
