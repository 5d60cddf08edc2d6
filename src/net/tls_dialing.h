// One dial: look up the name, try each address, shake hands. Loop thread only.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "dagsync/ports/transport.h"
#include "net/address.h"
#include "net/lookup.h"
#include "net/tcp_socket.h"
#include "net/tls_connection.h"

namespace dagsync {

// Errors: kInvalid for an address that is none; kRefused where an address answered and was not who
// it should be, or turned us away; else kUnavailable. The message names each address tried.
// `on_dialed` may destroy it.
class TlsDialing final : public Transport::Dialing {
 public:
  TlsDialing(std::shared_ptr<TlsRuntime> runtime, const std::string& address, NodeName expected,
             Transport::OnDialed on_dialed);
  ~TlsDialing() override;
  TlsDialing(const TlsDialing&) = delete;
  TlsDialing& operator=(const TlsDialing&) = delete;

 private:
  void try_next();
  [[nodiscard]] int connect();  // a code of libuv
  void on_connected(int code);
  void shake_hands();
  void on_ready(const Status& status);
  void on_connect_limit();
  void on_limit();
  void failed(Error why);  // of the address in turn
  void done(Result<std::unique_ptr<Connection>> outcome);

  std::shared_ptr<TlsRuntime> runtime_;
  std::string wanted_;  // as it was given
  NodeName expected_;
  Transport::OnDialed on_dialed_;
  TimerId limit_;          // of the whole
  TimerId connect_limit_;  // of the address in turn
  std::unique_ptr<Lookup> lookup_;
  std::vector<SocketAddress> addresses_;
  std::size_t next_ = 0;
  std::string trying_;                         // the address in turn, "" before
  TcpHandle tcp_;                              // while it connects
  std::unique_ptr<TlsConnection> connection_;  // while it shakes hands
  std::vector<Error> errors_;                  // one of each address that failed
};

}  // namespace dagsync
