// What comes and what goes: a request and its answer, as plain values.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "dagsync/base/result.h"

namespace dagsync {

struct HttpRequest {
  std::string method;                        // "GET"
  std::string path;                          // "/metrics", as it was sent
  std::map<std::string, std::string> query;  // of "?a=1&b"; nothing in it is decoded
  std::string host;                          // without a port; "" where none was sent
  std::string last_event_id;                 // where a browser that lost an event stream goes on
  bool keep_alive = true;
};

struct HttpResponse {
  int status = 200;
  std::string type = "text/plain; charset=utf-8";
  std::string body;
  std::string extra = {};  // header lines, each with its CRLF
};

inline constexpr std::size_t kMaxHttpRequestBytes = 8 << 10;

// What to tell who sent something that is no request for us, and why, in one line.
struct HttpRefusal {
  int status = 400;
  std::string why;
};

// Takes the first request out of `bytes`. Nothing: more must come first; none of it was taken then.
// A request has no body here.
[[nodiscard]] tl::expected<std::optional<HttpRequest>, HttpRefusal> take_http_request(
    std::string_view& bytes);

// The whole answer. With `length` its end is told by a length, else by the end of the connection.
[[nodiscard]] std::string to_bytes(const HttpResponse& response, bool keep_alive, bool length);

// The headers of every answer of ours that are about safety in a browser: nothing of another host,
// no frame around us, no guess at types.
[[nodiscard]] std::string_view http_safety_headers();

}  // namespace dagsync
