#include "net/tls_listener.h"

#include <cerrno>
#include <utility>

#include "dagsync/base/log.h"

namespace dagsync {
namespace {

constexpr int kBacklog = 128;  // connections that the kernel holds until we look
constexpr Duration kTellPeriod = std::chrono::minutes(1);

Unexpected listen_failed(int code, const SocketAddress& address) {
  const std::string shown = to_string(address);
  const std::string port = shown.substr(shown.rfind(':') + 1);
  std::string mend;
  if (code == UV_EADDRINUSE) {
    mend =
        ": see who has it with `ss -ltnp 'sport = :" + port + "'`, or choose another [node] listen";
  } else if (code == UV_EADDRNOTAVAIL) {
    mend = ": [node] listen must be an address of this host (`ip addr`), 0.0.0.0 or [::]";
  } else if (code == UV_EACCES) {
    mend = ": choose a port above 1023";
  }
  const ErrorCode kind = code == UV_EADDRINUSE ? ErrorCode::kExists : error_code_of(-code);
  return fail(kind, "listen on " + shown + ": " + uv_strerror(code) + mend);
}

}  // namespace

TlsListener::TlsListener(std::shared_ptr<TlsRuntime> runtime, Transport::OnAccept on_accept)
    : runtime_(std::move(runtime)), on_accept_(std::move(on_accept)), told_(kTellPeriod) {}

TlsListener::~TlsListener() {
  for (auto& [id, guest] : guests_)
    runtime_->clock.cancel(guest.limit);
}

Status TlsListener::listen(const SocketAddress& address) {
  TcpHandle tcp;
  int code = tcp.open([&](uv_tcp_t* handle) {
    return uv_tcp_init(runtime_->loop.raw(), handle);  // bind sets SO_REUSEADDR
  });
  if (code == 0) {
    code = uv_tcp_bind(tcp.get(), address.raw(), is_ipv6(address) ? UV_TCP_IPV6ONLY : 0);
  }
  if (code == 0) {
    tcp.get()->data = this;
    code = uv_listen(tcp.stream(), kBacklog, [](uv_stream_t* listening, int status) {
      auto* self = static_cast<TlsListener*>(listening->data);
      if (self != nullptr) self->on_connection(listening, status);
    });
  }
  if (code != 0) return listen_failed(code, address);
  listening_.push_back(std::move(tcp));
  return {};
}

void TlsListener::on_connection(uv_stream_t* listening, int code) {
  if (code != 0) {
    return tell("", std::string("a connection could not be taken: ") + uv_strerror(code));
  }
  auto tcp = take(listening);
  if (!tcp) return tell("", tcp.error().message);
  SocketAddress from;
  int size = sizeof from.storage;
  // Fails where the other end has gone already.
  if (uv_tcp_getpeername(tcp->get(), reinterpret_cast<sockaddr*>(&from.storage), &size) != 0)
    return;
  welcome(std::move(*tcp), from);
}

Result<TcpHandle> TlsListener::take(uv_stream_t* listening) {
  TcpHandle tcp;
  int code = tcp.open([&](uv_tcp_t* handle) { return uv_tcp_init(runtime_->loop.raw(), handle); });
  if (code == 0) code = uv_accept(listening, tcp.stream());
  if (code != 0) return fail_errno(-code, "take a connection");
  uv_tcp_nodelay(tcp.get(), 1);
  return tcp;
}

void TlsListener::welcome(TcpHandle tcp, const SocketAddress& from) {
  const std::string host = host_of(from);
  if (!has_room(host)) return;  // and the handle closes
  const std::uint64_t id = next_guest_++;
  auto connection = std::make_unique<TlsConnection>(
      runtime_, std::move(tcp), TlsStream::accept(*runtime_->context), to_string(from),
      [this, id](const Status& status) { on_ready(id, status); });
  if (!connection->begin()) return;
  const TimerId limit =
      runtime_->clock.after(runtime_->limits.handshake, [this, id] { on_limit(id); });
  guests_.emplace(id, Guest{std::move(connection), host, limit});
  ++guests_of_host_[host];
}

bool TlsListener::has_room(const std::string& host) {
  if (guests_.size() >= runtime_->limits.unfinished) {
    tell("",
         "too many connections whose handshake is not done: further ones are closed: let a "
         "firewall keep strangers from this port");
    return false;
  }
  const auto of_host = guests_of_host_.find(host);
  if (of_host != guests_of_host_.end() && of_host->second >= runtime_->limits.unfinished_per_host) {
    tell(host, "too many connections whose handshake is not done: further ones are closed");
    return false;
  }
  return true;
}

void TlsListener::on_ready(std::uint64_t guest, const Status& status) {
  const auto found = guests_.find(guest);
  const std::string host = found->second.host;
  // Not destroyed before the end of this call, which the connection makes.
  std::unique_ptr<TlsConnection> connection = std::move(found->second.connection);
  remove(guest);
  if (!status) {
    // A port check connects and goes: no reason to wake anybody.
    if (status.error().code == ErrorCode::kRefused) return tell(host, status.error().message);
    return log::debug("{}: {} during the handshake", host, status.error().message);
  }
  on_accept_(std::move(connection));
}

void TlsListener::on_limit(std::uint64_t guest) {
  const std::string host = guests_.find(guest)->second.host;
  remove(guest);
  tell(host, "the handshake was not done in time: is it a dagsync node?");
}

void TlsListener::remove(std::uint64_t guest) {
  const auto found = guests_.find(guest);
  runtime_->clock.cancel(found->second.limit);
  const auto of_host = guests_of_host_.find(found->second.host);
  if (--of_host->second == 0) guests_of_host_.erase(of_host);
  guests_.erase(found);
}

void TlsListener::tell(const std::string& host, const std::string& what) {
  if (!told_.allows(host + " " + what, runtime_->clock.mono())) return;
  if (host.empty()) {
    log::warning("{}", what);
  } else {
    log::warning("connection from {} refused: {}", host, what);
  }
}

}  // namespace dagsync
