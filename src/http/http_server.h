// A small HTTP/1.1 server on the loop of the process, in plain text or over TLS: GET alone, and
// few, small and quick clients, since whoever reaches the port may be one. Loop thread only.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "dagsync/base/rate_limit.h"
#include "http/http_connection.h"
#include "net/lookup.h"
#include "net/tcp_listener.h"
#include "net/tls_context.h"

namespace dagsync {

// How one request is answered, once; may be kept and used later. One that is destroyed before says
// that something went wrong. Does nothing when the client has gone away.
class HttpReply {
 public:
  explicit HttpReply(std::weak_ptr<HttpConnection> connection);
  ~HttpReply();
  HttpReply(const HttpReply&) = delete;
  HttpReply& operator=(const HttpReply&) = delete;

  void respond(const HttpResponse& response);
  // An answer without end, piece by piece. Never waits.
  void begin_stream(const HttpResponse& head);
  [[nodiscard]] bool offer(std::string_view piece);  // false: later; nothing was done
  [[nodiscard]] bool flushed() const;
  void close();
  [[nodiscard]] bool closed() const;

 private:
  std::weak_ptr<HttpConnection> connection_;
  bool answered_ = false;
};

class HttpHandler {
 public:
  virtual ~HttpHandler() = default;
  // A GET request. Answers now or later.
  virtual void handle(const HttpRequest& request, std::shared_ptr<HttpReply> reply) = 0;
};

struct HttpOptions {
  std::string address;             // "HOST:PORT"
  std::vector<std::string> hosts;  // names in the Host header that are ours, beside "localhost" and
                                   // addresses; none: any. A page of another name that resolves to
                                   // us cannot read from us then
  std::shared_ptr<const TlsContext> tls;  // of TlsUse::kBrowsers; null: in plain text
  HttpLimits limits;
};

class HttpServer {
 public:
  // `handler` must outlive the server. Blocks while it asks for a name.
  [[nodiscard]] static Result<std::unique_ptr<HttpServer>> listen(UvLoop& loop, Clock& clock,
                                                                  HttpOptions options,
                                                                  HttpHandler& handler);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  void use(std::shared_ptr<const TlsContext> tls);  // for new connections
  [[nodiscard]] std::size_t connections() const { return connections_.size(); }

 private:
  HttpServer(UvLoop& loop, Clock& clock, HttpOptions options, HttpHandler& handler);
  void welcome(TcpHandle tcp);
  [[nodiscard]] bool make_room();
  void dispatch(std::uint64_t id, const HttpRequest& request);
  [[nodiscard]] bool is_ours(const std::string& host) const;

  HttpOptions options_;
  HttpHandler& handler_;
  std::shared_ptr<HttpConnection::Shared> shared_;
  RateLimit told_;
  std::map<std::uint64_t, std::shared_ptr<HttpConnection>> connections_;
  std::uint64_t next_id_ = 1;
  TcpListener listener_;
};

}  // namespace dagsync
