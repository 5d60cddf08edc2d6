// What all connections, dials and listeners of one TlsTransport share. Loop thread only.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "dagsync/ports/clock.h"
#include "net/lookup.h"
#include "net/tls_context.h"
#include "net/uv_loop.h"

namespace dagsync {

// The bounds of a transport; tests shorten them.
struct TlsLimits {
  Duration handshake = std::chrono::seconds(10);  // from the dial or the accept to a proven peer
  Duration connect = std::chrono::seconds(3);     // for one of several addresses
  Duration refusal = std::chrono::milliseconds(500);  // for one turned away to hear why
  Duration goodbye = std::chrono::seconds(1);         // for a finish()
  std::size_t unfinished = 256;                       // handshakes that others began
  std::size_t unfinished_per_host = 16;
};

struct TlsRuntime {
  static constexpr std::size_t kBufferBytes = 64 << 10;

  TlsRuntime(UvLoop& on_loop, Clock& by_clock, TlsLimits with, Resolve resolve_by)
      : loop(on_loop), clock(by_clock), limits(with), resolve(std::move(resolve_by)) {}

  UvLoop& loop;
  Clock& clock;
  TlsLimits limits;
  Resolve resolve;
  std::shared_ptr<const TlsContext> context;  // for new connections; reload() replaces it
  // One pair serves all connections: each read is used up before the next one begins.
  std::vector<char> wire = std::vector<char>(kBufferBytes);
  std::vector<char> plain = std::vector<char>(kBufferBytes);
};

}  // namespace dagsync
