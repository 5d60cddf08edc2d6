// Requests of HTTP: any bytes are requests, the beginning of one, or refused; and however they come
// in pieces, they mean the same.
#include "http/http_message.h"

#include "fuzz/fuzz.h"

namespace dagsync {
namespace {

// What a connection would make of the bytes, of which `first` come first.
std::vector<std::string> understood(std::string_view bytes, std::size_t first) {
  std::vector<std::string> all;
  std::string input(bytes.substr(0, first));
  for (int part = 0; part < 2; ++part) {
    if (part == 1) input += bytes.substr(first);
    for (;;) {
      std::string_view rest = input;
      const auto request = take_http_request(rest);
      if (!request) {
        DAGSYNC_ASSERT(request.error().status >= 400 && !request.error().why.empty());
        all.push_back("refused");
        return all;
      }
      if (!*request) break;
      DAGSYNC_ASSERT(rest.size() < input.size());
      DAGSYNC_ASSERT((*request)->path.starts_with('/'));
      all.push_back((*request)->method + " " + (*request)->path + " " + (*request)->host);
      input.erase(0, input.size() - rest.size());
    }
    DAGSYNC_ASSERT(input.size() < kMaxHttpRequestBytes);
  }
  return all;
}

}  // namespace

std::vector<std::string> fuzz_seeds() {
  return {"GET / HTTP/1.1\r\nHost: node1:7412\r\n\r\n",
          "GET /events?recent=5&a HTTP/1.1\r\nHost: [::1]\r\nLast-Event-ID: 1.2\r\n\r\nGET /",
          "GET /a HTTP/1.0\r\n\r\nPOST /b HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc",
          "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
          "GET / HTTP/1.1\r\nHost: [\r\n\r\n",
          "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"};
}

}  // namespace dagsync

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace dagsync;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  // A request that is too long as a whole may be refused sooner when it comes at once.
  if (bytes.size() >= kMaxHttpRequestBytes) {
    (void)understood(bytes, bytes.size());
    return 0;
  }
  const auto at_once = understood(bytes, bytes.size());
  for (const std::size_t first : {size / 4, size / 2, size - size / 4})
    DAGSYNC_ASSERT(understood(bytes, first) == at_once);
  return 0;
}
