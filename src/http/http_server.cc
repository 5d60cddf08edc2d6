#include "http/http_server.h"

#include <algorithm>
#include <utility>

#include "dagsync/base/log.h"

namespace dagsync {
namespace {

constexpr std::size_t kHttpBufferBytes = 64 << 10;
constexpr Duration kHttpTellPeriod = std::chrono::minutes(1);

HttpResponse plain(int status, const std::string& text, std::string extra = "") {
  return {status, "text/plain; charset=utf-8", text + "\n", std::move(extra)};
}

}  // namespace

// -- a reply ------------------------------------------------------------------------------------

HttpReply::HttpReply(std::weak_ptr<HttpConnection> connection)
    : connection_(std::move(connection)) {}

HttpReply::~HttpReply() {
  if (!answered_) respond(plain(500, "this was not answered"));
}

void HttpReply::respond(const HttpResponse& response) {
  if (std::exchange(answered_, true)) return;
  if (const auto connection = connection_.lock()) connection->respond(response);
}

void HttpReply::begin_stream(const HttpResponse& head) {
  if (std::exchange(answered_, true)) return;
  if (const auto connection = connection_.lock()) connection->begin_stream(head);
}

bool HttpReply::offer(std::string_view piece) {
  const auto connection = connection_.lock();
  return connection != nullptr && connection->offer(piece);
}

bool HttpReply::flushed() const {
  const auto connection = connection_.lock();
  return connection == nullptr || connection->flushed();
}

void HttpReply::close() {
  if (const auto connection = connection_.lock()) connection->finish();
}

bool HttpReply::closed() const {
  const auto connection = connection_.lock();
  return connection == nullptr || !connection->is_open();
}

// -- the server ---------------------------------------------------------------------------------

Result<std::unique_ptr<HttpServer>> HttpServer::listen(UvLoop& loop, Clock& clock,
                                                       HttpOptions options, HttpHandler& handler) {
  const auto parsed = parse_host_port(options.address);
  if (!parsed) return Unexpected(parsed.error().with_context("[node] http"));
  const auto resolved = resolve_host(*parsed);
  if (!resolved) return Unexpected(resolved.error().with_context("[node] http"));
  std::unique_ptr<HttpServer> server(new HttpServer(loop, clock, std::move(options), handler));
  for (const SocketAddress& address : *resolved) {
    const Status listening = server->listener_.listen(address);
    if (!listening) return Unexpected(listening.error());
  }
  return server;
}

HttpServer::HttpServer(UvLoop& loop, Clock& clock, HttpOptions options, HttpHandler& handler)
    : options_(std::move(options)),
      handler_(handler),
      shared_(std::make_shared<HttpConnection::Shared>(
          HttpConnection::Shared{clock, options_.limits, std::vector<char>(kHttpBufferBytes),
                                 std::vector<char>(kHttpBufferBytes)})),
      told_(kHttpTellPeriod),
      listener_(loop, "[node] http",
                {[this](TcpHandle tcp, const SocketAddress&) { welcome(std::move(tcp)); },
                 [this](const std::string& why) {
                   if (told_.allows(why, shared_->clock.mono())) log::warning("http: {}", why);
                 }}) {}

HttpServer::~HttpServer() {
  const auto connections = std::exchange(connections_, {});
  for (const auto& [id, connection] : connections)
    connection->close();
}

void HttpServer::use(std::shared_ptr<const TlsContext> tls) {
  options_.tls = std::move(tls);
}

void HttpServer::welcome(TcpHandle tcp) {
  if (!make_room()) return;  // and the handle closes
  const std::uint64_t id = next_id_++;
  std::optional<TlsStream> tls;
  if (options_.tls) tls = TlsStream::accept(*options_.tls);
  const auto connection = std::make_shared<HttpConnection>(
      shared_, std::move(tcp), std::move(tls),
      HttpConnection::Hooks{[this, id](const HttpRequest& request) { dispatch(id, request); },
                            [this, id] { connections_.erase(id); }});
  connections_.emplace(id, connection);
  connection->begin();
}

// Who only keeps a connection open for later gives way.
bool HttpServer::make_room() {
  if (connections_.size() < options_.limits.connections) return true;
  const auto idle = std::find_if(connections_.begin(), connections_.end(),
                                 [](const auto& entry) { return entry.second->is_idle(); });
  if (idle != connections_.end()) {
    const auto connection = idle->second;
    connection->close();
    return true;
  }
  if (told_.allows("full", shared_->clock.mono())) {
    log::warning(
        "http: {} connections are open, further ones are closed: see who has them with "
        "`ss -tnp`",
        connections_.size());
  }
  return false;
}

bool HttpServer::is_ours(const std::string& host) const {
  if (options_.hosts.empty() || host.empty() || host == "localhost") return true;
  if (numeric_address({host, 1})) return true;
  return std::find(options_.hosts.begin(), options_.hosts.end(), host) != options_.hosts.end();
}

void HttpServer::dispatch(std::uint64_t id, const HttpRequest& request) {
  const auto connection = connections_.at(id);
  if (request.method != "GET") {
    return connection->respond(plain(405, "only GET is answered here", "Allow: GET\r\n"));
  }
  if (!is_ours(request.host)) {
    return connection->respond(
        plain(421, "this is not " + options_.hosts.front() +
                       " to you: ask for localhost, an address or that name"));
  }
  const auto streams = std::count_if(connections_.begin(), connections_.end(),
                                     [](const auto& entry) { return entry.second->is_stream(); });
  if (request.path == "/events" && static_cast<std::size_t>(streams) >= options_.limits.streams) {
    return connection->respond(plain(503, "too many follow the events already"));
  }
  handler_.handle(request, std::make_shared<HttpReply>(connection));
}

}  // namespace dagsync
