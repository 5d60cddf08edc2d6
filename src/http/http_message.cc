// The parser is Boost.Beast's, which wants bytes and no socket.
#include "http/http_message.h"

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>

namespace dagsync {
namespace {

namespace beast = boost::beast;
using beast::http::field;

HttpRefusal refusal_of(const beast::error_code& error) {
  if (error == beast::http::error::header_limit) {
    return {431, "the request is larger than " + std::to_string(kMaxHttpRequestBytes) + " bytes"};
  }
  if (error == beast::http::error::unexpected_body) {
    return {413, "the request has a body: here is nothing that takes one"};
  }
  return {400, "this is no HTTP request: " + error.message()};
}

std::map<std::string, std::string> query_of(std::string_view text) {
  std::map<std::string, std::string> query;
  while (!text.empty()) {
    const std::string_view one = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), one.size() + 1));
    const std::size_t equals = one.find('=');
    const std::string_view value =
        equals == std::string_view::npos ? std::string_view() : one.substr(equals + 1);
    query.emplace(one.substr(0, equals), value);
  }
  return query;
}

std::string text_of(beast::string_view text) {
  return {text.data(), text.size()};
}

// "node1:7412" -> "node1", "[::1]:7412" -> "::1".
std::string without_port(std::string host) {
  if (host.starts_with('[')) return host.substr(1, host.find(']') - 1);
  return host.substr(0, host.find(':'));
}

const char* reason_of(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 413:
      return "Content Too Large";
    case 421:
      return "Misdirected Request";
    case 431:
      return "Request Header Fields Too Large";
    case 503:
      return "Service Unavailable";
    default:
      return "Internal Server Error";
  }
}

}  // namespace

tl::expected<std::optional<HttpRequest>, HttpRefusal> take_http_request(std::string_view& bytes) {
  beast::http::request_parser<beast::http::empty_body> parser;
  parser.header_limit(kMaxHttpRequestBytes);
  beast::error_code error;
  const std::size_t used = parser.put(boost::asio::buffer(bytes.data(), bytes.size()), error);
  const bool whole = !error && parser.is_done();
  if (!error && parser.is_header_done() && !whole) error = beast::http::error::unexpected_body;
  if (error && error != beast::http::error::need_more) return tl::unexpected(refusal_of(error));
  if (!whole && bytes.size() >= kMaxHttpRequestBytes) {
    return tl::unexpected(refusal_of(beast::http::error::header_limit));
  }
  if (!whole) return std::nullopt;
  bytes.remove_prefix(used);
  const auto& message = parser.get();
  const std::string target = text_of(message.target());
  if (!target.starts_with('/')) {
    return tl::unexpected(HttpRefusal{400, "the request is for no path of this server"});
  }
  HttpRequest request;
  request.method = text_of(message.method_string());
  const std::size_t mark = target.find('?');
  request.path = target.substr(0, mark);
  if (mark != std::string::npos)
    request.query = query_of(std::string_view(target).substr(mark + 1));
  request.host = without_port(text_of(message[field::host]));
  request.last_event_id = text_of(message["Last-Event-ID"]);
  request.keep_alive = message.keep_alive();
  return request;
}

std::string to_bytes(const HttpResponse& response, bool keep_alive, bool length) {
  std::string text = "HTTP/1.1 " + std::to_string(response.status) + " ";
  text.append(reason_of(response.status)).append("\r\nContent-Type: ").append(response.type);
  if (length) text += "\r\nContent-Length: " + std::to_string(response.body.size());
  text.append(keep_alive ? "\r\nConnection: keep-alive\r\n" : "\r\nConnection: close\r\n");
  text.append(http_safety_headers()).append(response.extra).append("\r\n").append(response.body);
  return text;
}

std::string_view http_safety_headers() {
  return "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "
         "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
         "frame-ancestors 'none'\r\n"
         "X-Content-Type-Options: nosniff\r\n"
         "Cross-Origin-Resource-Policy: same-origin\r\n"
         "Cross-Origin-Opener-Policy: same-origin\r\n"
         "Referrer-Policy: no-referrer\r\n"
         "Cache-Control: no-store\r\n";
}

}  // namespace dagsync
