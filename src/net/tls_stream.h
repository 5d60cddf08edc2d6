// One TLS 1.3 conversation without any I/O. Loop thread only.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dagsync/base/result.h"
#include "dagsync/ports/transport.h"
#include "net/tls_context.h"

namespace dagsync {

// Bytes from the wire go in by feed(); what must go to the wire piles up in output(). OpenSSL reads
// and writes both in place through a BIO of our own: its memory BIO would copy what comes in once
// more, and move the rest to the front at each partial read.
class TlsStream {
 public:
  [[nodiscard]] static TlsStream accept(const TlsContext& context);
  // The certificate of the other end must bear `expected` as a DNS name.
  [[nodiscard]] static TlsStream dial(const TlsContext& context, const NodeName& expected);

  TlsStream(TlsStream&&) noexcept;
  TlsStream& operator=(TlsStream&&) noexcept;
  ~TlsStream();

  // Lends the stream `wire`, which must stay until handshake() and read() have used it up, or
  // keep_input(). There must be no rest of an earlier call but one that was kept.
  void feed(std::string_view wire);
  void keep_input();  // copies what is not used yet

  // True once it is done. After an error output() may hold an alert that tells the other end.
  [[nodiscard]] Result<bool> handshake();
  // How much was written to `into`; 0: nothing more until the next feed(), or is_finished().
  [[nodiscard]] Result<std::size_t> read(std::span<char> into);
  [[nodiscard]] bool is_finished() const;              // the other end said goodbye
  [[nodiscard]] Status write(std::string_view bytes);  // encrypts all of it
  void write_goodbye();

  [[nodiscard]] std::string& output();  // to be taken out by the caller
  // Of the other end, a node, without its address; once the handshake is done.
  [[nodiscard]] PeerIdentity identity() const;

 private:
  struct State;
  explicit TlsStream(const TlsContext& context);
  [[nodiscard]] Status check_protocol() const;

  std::unique_ptr<State> state_;
};

}  // namespace dagsync
