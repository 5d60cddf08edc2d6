#include "net/tls_transport.h"

#include <utility>

#include "dagsync/base/assert.h"
#include "net/tls_dialing.h"

namespace dagsync {

Result<std::unique_ptr<TlsTransport>> TlsTransport::open(UvLoop& loop, Clock& clock,
                                                         const TlsFiles& files,
                                                         const TlsLimits& limits, Resolve resolve) {
  auto runtime = std::make_shared<TlsRuntime>(loop, clock, limits, std::move(resolve));
  std::unique_ptr<TlsTransport> transport(new TlsTransport(std::move(runtime)));
  if (const Status loaded = transport->reload(files); !loaded) return Unexpected(loaded.error());
  return transport;
}

Status TlsTransport::reload(const TlsFiles& files) {
  auto context = TlsContext::load(files, runtime_->clock.now());
  if (!context) return Unexpected(context.error());
  runtime_->context = std::make_shared<const TlsContext>(std::move(*context));
  return {};
}

Status TlsTransport::listen(const std::vector<std::string>& addresses, OnAccept on_accept) {
  DAGSYNC_ASSERT(listener_ == nullptr);
  auto listener = std::make_unique<TlsListener>(runtime_, std::move(on_accept));
  for (const std::string& address : addresses) {
    const auto parsed = parse_host_port(address);
    if (!parsed) return Unexpected(parsed.error().with_context("[node] listen"));
    const auto resolved = runtime_->resolve(*parsed);
    if (!resolved) return Unexpected(resolved.error().with_context("[node] listen"));
    for (const SocketAddress& one : *resolved) {
      if (const Status listening = listener->listen(one); !listening) return listening;
    }
  }
  listener_ = std::move(listener);
  return {};
}

std::unique_ptr<Transport::Dialing> TlsTransport::dial(const std::string& address,
                                                       const NodeName& expected,
                                                       OnDialed on_dialed) {
  return std::make_unique<TlsDialing>(runtime_, address, expected, std::move(on_dialed));
}

}  // namespace dagsync
