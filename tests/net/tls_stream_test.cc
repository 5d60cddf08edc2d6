#include "net/tls_stream.h"

#include <doctest/doctest.h>

#include <array>
#include <string>

#include "dagsync/base/digest.h"
#include "net/net_fixture.h"
#include "net/system_random.h"

namespace dagsync::test {
namespace {

UnixNanos wall_clock() {
  return UnixNanos{
      std::chrono::duration_cast<Duration>(std::chrono::system_clock::now().time_since_epoch())
          .count()};
}

TlsContext context_for(TestCa& ca, const std::string& name) {
  auto context = TlsContext::load(files_of(ca.issue({name})), wall_clock());
  REQUIRE_MESSAGE(context.has_value(), context.error().message);
  return std::move(*context);
}

// All that `from` has put out, to `to` in pieces of `size`, read to the end of each.
std::string carry(TlsStream& from, TlsStream& to, std::size_t size) {
  std::string plain;
  std::array<char, 1000> buffer{};
  const std::string wire = std::exchange(from.output(), {});
  for (std::size_t at = 0; at < wire.size(); at += size) {
    const std::string piece = wire.substr(at, size);
    to.feed(piece);
    while (true) {
      const auto count = to.read(buffer);
      REQUIRE(count.has_value());
      if (*count == 0) break;
      plain.append(buffer.data(), *count);
    }
  }
  return plain;
}

// Both ends through the handshake, in pieces of `size`.
void shake_hands(TlsStream& client, TlsStream& server, std::size_t size) {
  bool client_done = false;
  bool server_done = false;
  for (int round = 0; round < 10 && !(client_done && server_done); ++round) {
    client_done = *client.handshake();
    const std::string flight = std::exchange(client.output(), {});
    for (std::size_t at = 0; at < flight.size(); at += size) {
      const std::string piece = flight.substr(at, size);
      server.feed(piece);
      server_done = *server.handshake();
    }
    const std::string answer = std::exchange(server.output(), {});
    for (std::size_t at = 0; at < answer.size(); at += size) {
      const std::string piece = answer.substr(at, size);
      client.feed(piece);
      client_done = *client.handshake();
    }
  }
  REQUIRE(client_done);
  REQUIRE(server_done);
}

}  // namespace

TEST_CASE("bytes arrive whole, however the wire cuts them") {
  TestCa ca;
  const TlsContext context1 = context_for(ca, "node1");
  const TlsContext context2 = context_for(ca, "node2");
  const std::string text(100'000, 'x');
  for (const std::size_t size : {1UL, 7UL, 16'384UL, 1'000'000UL}) {
    CAPTURE(size);
    TlsStream client = TlsStream::dial(context1, NodeName{"node2"});
    TlsStream server = TlsStream::accept(context2);
    shake_hands(client, server, size);
    CHECK(server.identity().names == std::vector{NodeName{"node1"}});
    CHECK(client.identity().names == std::vector{NodeName{"node2"}});
    REQUIRE(client.write(text));
    CHECK(carry(client, server, size) == text);
    REQUIRE(server.write("back"));
    CHECK(carry(server, client, size) == "back");
    CHECK_FALSE(client.is_finished());
    server.write_goodbye();
    CHECK(carry(server, client, size).empty());
    CHECK(client.is_finished());
  }
}

TEST_CASE("input that is kept waits for its reader") {
  TestCa ca;
  const TlsContext context1 = context_for(ca, "node1");
  const TlsContext context2 = context_for(ca, "node2");
  TlsStream client = TlsStream::dial(context1, NodeName{"node2"});
  TlsStream server = TlsStream::accept(context2);
  shake_hands(client, server, 1'000'000);
  std::array<char, 100> buffer{};
  for (const std::string_view text : {"one", "two"}) {
    REQUIRE(client.write(text));
    std::string wire = std::exchange(client.output(), {});
    server.feed(wire);
    server.keep_input();
    wire.assign(wire.size(), '\0');
  }
  auto count = server.read(buffer);
  REQUIRE(count.has_value());
  CHECK(std::string_view(buffer.data(), *count) == "one");
  count = server.read(buffer);
  REQUIRE(count.has_value());
  CHECK(std::string_view(buffer.data(), *count) == "two");
  CHECK(server.read(buffer).value() == 0);
}

TEST_CASE("a byte changed on the wire ends the conversation") {
  TestCa ca;
  const TlsContext context1 = context_for(ca, "node1");
  const TlsContext context2 = context_for(ca, "node2");
  TlsStream client = TlsStream::dial(context1, NodeName{"node2"});
  TlsStream server = TlsStream::accept(context2);
  shake_hands(client, server, 1'000'000);
  REQUIRE(client.write("dags"));
  std::string wire = client.output();
  wire.back() = static_cast<char>(wire.back() ^ 1);
  server.feed(wire);
  std::array<char, 100> buffer{};
  CHECK_FALSE(server.read(buffer).has_value());
}

}  // namespace dagsync::test
