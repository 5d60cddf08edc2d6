// The Transport port of a real node: TLS 1.3 over TCP. Loop thread only; must go before its loop
// and clock. Connections and dials may outlive it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "dagsync/ports/transport.h"
#include "net/tls_context.h"
#include "net/tls_listener.h"
#include "net/tls_runtime.h"

namespace dagsync {

class TlsTransport final : public Transport {
 public:
  // The errors of TlsContext::load.
  [[nodiscard]] static Result<std::unique_ptr<TlsTransport>> open(UvLoop& loop, Clock& clock,
                                                                  const TlsFiles& files,
                                                                  const TlsLimits& limits = {},
                                                                  Resolve resolve = resolve_host);

  // For new connections; those that are open go on with what they have. After an error everything
  // stays as it was.
  [[nodiscard]] Status reload(const TlsFiles& files);

  // Once. Looks up names, and blocks for as long as that takes. After an error nothing listens.
  // kExists: the address is in use.
  [[nodiscard]] Status listen(const std::vector<std::string>& addresses,
                              OnAccept on_accept) override;
  [[nodiscard]] std::unique_ptr<Dialing> dial(const std::string& address, const NodeName& expected,
                                              OnDialed on_dialed) override;

  // Of our own certificate.
  [[nodiscard]] const std::vector<NodeName>& names() const { return runtime_->context->names(); }
  [[nodiscard]] UnixNanos certificate_expires() const { return runtime_->context->expires(); }
  // Handshakes that others began and that are not done.
  [[nodiscard]] std::size_t unfinished() const { return listener_ ? listener_->unfinished() : 0; }

 private:
  explicit TlsTransport(std::shared_ptr<TlsRuntime> runtime) : runtime_(std::move(runtime)) {}

  std::shared_ptr<TlsRuntime> runtime_;
  std::unique_ptr<TlsListener> listener_;
};

}  // namespace dagsync
