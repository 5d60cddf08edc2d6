#include "net/tls_listener.h"

#include <utility>

#include "dagsync/base/log.h"

namespace dagsync {
namespace {

constexpr Duration kTellPeriod = std::chrono::minutes(1);

}  // namespace

TlsListener::TlsListener(std::shared_ptr<TlsRuntime> runtime, Transport::OnAccept on_accept)
    : runtime_(std::move(runtime)),
      on_accept_(std::move(on_accept)),
      listener_(
          runtime_->loop, "[node] listen",
          {[this](TcpHandle tcp, const SocketAddress& from) { welcome(std::move(tcp), from); },
           [this](const std::string& why) { tell("", why); }}),
      told_(kTellPeriod) {}

TlsListener::~TlsListener() {
  for (auto& [id, guest] : guests_)
    runtime_->clock.cancel(guest.limit);
}

Status TlsListener::listen(const SocketAddress& address) {
  return listener_.listen(address);
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
