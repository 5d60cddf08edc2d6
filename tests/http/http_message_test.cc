#include "http/http_message.h"

#include <doctest/doctest.h>

namespace dagsync::test {
namespace {

HttpRequest whole(std::string_view text) {
  auto request = take_http_request(text);
  REQUIRE(request.has_value());
  REQUIRE(request->has_value());
  CHECK(text.empty());
  return **request;
}

int refused(std::string_view text) {
  const auto request = take_http_request(text);
  REQUIRE_FALSE(request.has_value());
  CHECK_FALSE(request.error().why.empty());
  return request.error().status;
}

}  // namespace

TEST_CASE("a request is taken apart") {
  const HttpRequest request =
      whole("GET /events?recent=50&x HTTP/1.1\r\nHost: node1:7412\r\nLast-Event-ID: 7.12\r\n\r\n");
  CHECK(request.method == "GET");
  CHECK(request.path == "/events");
  CHECK(request.query == std::map<std::string, std::string>{{"recent", "50"}, {"x", ""}});
  CHECK(request.host == "node1");
  CHECK(request.last_event_id == "7.12");
  CHECK(request.keep_alive);
}

TEST_CASE("an address in the host header loses its port and its brackets") {
  CHECK(whole("GET / HTTP/1.1\r\nHost: [::1]:7412\r\n\r\n").host == "::1");
  CHECK(whole("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").host == "127.0.0.1");
  CHECK(whole("GET / HTTP/1.1\r\n\r\n").host.empty());
}

TEST_CASE("whether the connection goes on") {
  CHECK_FALSE(whole("GET / HTTP/1.1\r\nConnection: close\r\n\r\n").keep_alive);
  CHECK_FALSE(whole("GET / HTTP/1.0\r\n\r\n").keep_alive);
}

TEST_CASE("what is not whole yet is left alone, and what follows too") {
  const std::string text = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  for (std::size_t size = 0; size < text.size(); ++size) {
    CAPTURE(size);
    std::string_view part(text.data(), size);
    const auto request = take_http_request(part);
    REQUIRE(request.has_value());
    CHECK_FALSE(request->has_value());
    CHECK(part.size() == size);
  }
  const std::string two = text + "GET /next";
  std::string_view rest = two;
  CHECK((*take_http_request(rest))->path == "/");
  CHECK(rest == "GET /next");
}

TEST_CASE("what is no request for us is refused") {
  CHECK(refused("\x16\x03\x01\x02\x00 this is TLS\r\n\r\n") == 400);
  CHECK(refused("GET http://node1/ HTTP/1.1\r\n\r\n") == 400);
  CHECK(refused("GET / HTTP/1.1\r\nHost : a\r\n\r\n") == 400);
  CHECK(refused("GET / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello") == 413);
  CHECK(refused("GET / HTTP/1.1\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n") == 400);
  CHECK(refused("GET /" + std::string(kMaxHttpRequestBytes, 'a')) == 431);
  CHECK(refused("GET / HTTP/1.1\r\nA: " + std::string(kMaxHttpRequestBytes, 'a')) == 431);
}

TEST_CASE("an answer has its length, and what keeps a browser safe") {
  const std::string text = to_bytes({200, "text/html", "<p>"}, true, true);
  CHECK(text.starts_with("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 3\r\n"));
  CHECK(text.find("\r\nContent-Security-Policy: default-src 'none';") != std::string::npos);
  CHECK(text.ends_with("\r\n\r\n<p>"));
  CHECK(to_bytes({}, false, false).find("Content-Length") == std::string::npos);
}

}  // namespace dagsync::test
