// Authenticated byte streams between nodes. Loop thread only.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dagsync/base/result.h"
#include "dagsync/base/time.h"
#include "dagsync/core/names.h"

namespace dagsync {

// Who is at the other end, as proven by its certificate.
struct PeerIdentity {
  std::vector<NodeName> names;  // the DNS names of the certificate, lower case
  UnixNanos certificate_expires;
  std::string address;  // "10.0.0.2:7411", "[::1]:7411"
};

// An open, mutually authenticated stream. The owner destroys it to close it at once; what was sent
// and not yet written is then lost. May be destroyed from within its own handlers.
class Connection {
 public:
  struct Handlers {
    std::function<void(std::string_view)> on_data;  // bytes in order; valid during the call
    std::function<void()> on_drained;               // queued_bytes() fell below kLowWater
    std::function<void(Error)> on_closed;           // by the peer or by a fault; nothing follows
  };
  static constexpr std::size_t kLowWater = 1 << 20;

  virtual ~Connection() = default;
  // Must be called at once by whoever is handed the connection; bytes that came earlier follow.
  virtual void start(Handlers handlers) = 0;
  // One after the other, as one; copied or encrypted before it returns.
  virtual void send(std::span<const std::string_view> parts) = 0;
  void send(std::string_view bytes) { send(std::span(&bytes, 1)); }
  // Writes what was sent, closes in order, then calls on_closed. For goodbyes.
  virtual void finish() = 0;
  [[nodiscard]] virtual std::size_t queued_bytes()
      const = 0;  // given to send, not yet to the kernel
  [[nodiscard]] virtual const PeerIdentity& identity() const = 0;
  [[nodiscard]] virtual std::uint64_t bytes_sent() const = 0;  // on the wire, TLS included
  [[nodiscard]] virtual std::uint64_t bytes_received() const = 0;
};

class Transport {
 public:
  using OnAccept = std::function<void(std::unique_ptr<Connection>)>;
  using OnDialed = std::function<void(Result<std::unique_ptr<Connection>>)>;

  virtual ~Transport() = default;
  // Accepts on each "HOST:PORT"; `on_accept` gets connections whose handshake is done and whose
  // certificate our CA signed. Whether that peer may talk to us is the caller's question.
  virtual Status listen(const std::vector<std::string>& addresses, OnAccept on_accept) = 0;
  // Connects to "HOST:PORT", trying each address that HOST resolves to. The peer's certificate must
  // bear `expected` (exactly, a DNS name). `on_dialed` is called once, never from within this
  // call, unless the returned handle is destroyed before.
  class Dialing {
   public:
    virtual ~Dialing() = default;
  };
  [[nodiscard]] virtual std::unique_ptr<Dialing> dial(const std::string& address,
                                                      const NodeName& expected,
                                                      OnDialed on_dialed) = 0;
};

}  // namespace dagsync
