// Who is turned away, how fast, and what is said.
#include <doctest/doctest.h>

#include <openssl/tls1.h>

#include <deque>

#include "net/foreign_client.h"
#include "net/net_fixture.h"

namespace dagsync::test {
namespace {

using std::chrono::milliseconds;

// A clock that is off, so that a node uses a certificate that has expired.
class ShiftedClock final : public Clock {
 public:
  ShiftedClock(Clock& clock, Duration shift) : clock_(clock), shift_(shift) {}
  UnixNanos now() override { return clock_.now() + shift_; }
  MonoNanos mono() override { return clock_.mono(); }
  TimerId after(Duration delay, std::function<void()> call) override {
    return clock_.after(delay, std::move(call));
  }
  void cancel(TimerId timer) override { clock_.cancel(timer); }

 private:
  Clock& clock_;
  Duration shift_;
};

// Dials, and returns why the connection ended: at once, or by the first that the server said, which
// in TLS 1.3 is where a client learns what the server thinks of its certificate.
Error dial_error(Node& from, const std::string& address, const std::string& expected) {
  auto dialed = from.dial(address, expected);
  if (!dialed) return dialed.error();
  Seen seen;
  (*dialed)->start(seen.handlers());
  (*dialed)->send("never to be read");
  REQUIRE(from.net.wait([&] { return seen.closed == 1; }));
  CHECK(seen.data.empty());
  return seen.why;
}

}  // namespace

TEST_CASE("a node of another CA is refused by the one that dials, and by the one that is dialed") {
  Net net;
  TestCa ours;
  TestCa theirs;
  Node node1(net, ours.issue({"node1"}));
  Node stranger(net, theirs.issue({"node2"}));
  const Error error = dial_error(node1, stranger.listen(), "node2");
  CHECK(error.code == ErrorCode::kRefused);
  has(error, "not signed by our CA");

  // The stranger trusts our CA, but we do not trust its own.
  CertFiles mixed = theirs.issue({"node3"});
  Node node2(net, ours.issue({"node2"}));
  const std::string address = node2.listen();
  ForeignOptions options;
  options.certificate = mixed;
  ForeignClient client(address, options);
  CHECK(net.wait([&] { return client.is_done(); }));
  CHECK(client.was_refused());
  CHECK(client.took() < std::chrono::seconds(1));
  CHECK(node2.accepted.empty());
  CHECK(net.wait([&] { return node2.transport->unfinished() == 0; }));
}

TEST_CASE("a client that keeps to none of our rules is refused within a second") {
  Net net;
  TestCa ca;
  Node node(net, ca.issue({"node1"}));
  const std::string address = node.listen();
  ForeignOptions options;
  options.certificate = ca.issue({"node2"});
  bool let_in = false;
  SUBCASE("all in order: the test itself works") {
    let_in = true;
  }
  SUBCASE("no certificate") {
    options.certificate.reset();
  }
  SUBCASE("TLS 1.2") {
    options.tls_version = TLS1_2_VERSION;
  }
  SUBCASE("another protocol") {
    options.protocol = "h2";
  }
  SUBCASE("a protocol that begins alike") {
    options.protocol = "dagsync/11";
  }
  SUBCASE("no protocol") {
    options.protocol.clear();
  }
  ForeignClient client(address, options);
  if (let_in) {
    const auto connection = node.next_accepted();
    connection->send("welcome");
    connection->finish();
    CHECK(net.wait([&] { return client.is_done(); }));
    CHECK(client.bytes_read() == 7);
    CHECK_FALSE(client.was_refused());
    return;
  }
  CHECK(net.wait([&] { return client.is_done(); }));
  CHECK(client.was_refused());
  CHECK(client.took() < std::chrono::seconds(1));
  CHECK(node.accepted.empty());
}

TEST_CASE("an expired certificate is told with its date and its mend, on both sides") {
  Net net;
  TestCa ca({.valid_from = -std::chrono::hours(48)});
  ShiftedClock yesterday(net.clock, -std::chrono::hours(12));
  const auto expired = ca.issue(
      {"old"}, {.valid_from = -std::chrono::hours(24), .valid_until = -std::chrono::hours(2)});
  auto old = TlsTransport::open(net.loop, yesterday, files_of(expired));
  REQUIRE_MESSAGE(old.has_value(), old.error().message);
  Node node(net, ca.issue({"node"}));
  const std::string address = free_address();
  REQUIRE((*old)->listen({address}, [](auto) { FAIL("accepted"); }));
  Error error = dial_error(node, address, "old");
  CHECK(error.code == ErrorCode::kRefused);
  has(error, address + ": its certificate expired on 20");
  has(error, "dagsync certs renew");

  Node second(net, ca.issue({"second"}));
  const std::string to = second.listen();
  Seen seen;
  std::unique_ptr<Connection> connection;
  const auto dialing = (*old)->dial(to, NodeName{"second"}, [&](auto dialed) {
    REQUIRE(dialed.has_value());
    connection = std::move(*dialed);
    connection->start(seen.handlers());
  });
  CHECK(net.wait([&] { return seen.closed == 1; }));
  CHECK(seen.why.code == ErrorCode::kRefused);
  has(seen.why, "our certificate has expired");
  CHECK(second.accepted.empty());
}

TEST_CASE("a certificate for another name is refused, and the error tells its names") {
  Net net;
  TestCa ca;
  Node node1(net, ca.issue({"node1"}));
  Node server(net,
              ca.issue({"node2", "node2.example.test", "*.wild.test"}, {.common_name = "cn.test"}));
  const std::string address = server.listen();
  for (const char* accepted : {"node2", "NODE2.example.TEST"}) {
    CAPTURE(accepted);
    CHECK(node1.dial(address, accepted).has_value());
  }
  for (const char* refused : {"node", "node22", "example.test", "a.node2.example.test",
                              "a.wild.test", "*.wild.test", "wild.test", "cn.test", "127.0.0.1"}) {
    CAPTURE(refused);
    const auto dialed = node1.dial(address, refused);
    REQUIRE_FALSE(dialed.has_value());
    CHECK(dialed.error().code == ErrorCode::kRefused);
    has(dialed.error(), address + ": its certificate is for node2, node2.example.test, not for");
    has(dialed.error(), "[[peer]] name");
  }
}

TEST_CASE("a certificate without a DNS name is nobody's") {
  Net net;
  TestCa ca;
  Node node1(net, ca.issue({"node1"}));
  Node server(net, ca.issue({}, {.common_name = "node2"}));
  const Error error = dial_error(node1, server.listen(), "node2");
  CHECK(error.code == ErrorCode::kRefused);
  has(error, "its certificate is for no DNS name, not for node2");
}

TEST_CASE("what is no TLS hears the end at once, and is closed even if it never closes itself") {
  Net net;
  TestCa ca;
  TlsLimits limits;
  bool at_once = false;
  SUBCASE("the end of our direction") {
    limits.refusal = std::chrono::seconds(60);
    at_once = true;
  }
  SUBCASE("the end of the connection") {
    limits.refusal = milliseconds(50);
  }
  Node node(net, ca.issue({"node1"}), limits);
  RawSocket garbage(node.listen());
  garbage.write("GET / HTTP/1.1\r\nHost: dags\r\n\r\n");
  CHECK(net.wait([&] { return garbage.is_closed(); }));
  if (at_once) {
    CHECK(node.transport->unfinished() == 1);
  } else {
    CHECK(net.wait([&] { return node.transport->unfinished() == 0; }));
  }
}

TEST_CASE("a client that says nothing is closed when its time is up") {
  Net net;
  TestCa ca;
  TlsLimits limits;
  limits.handshake = milliseconds(100);
  Node node(net, ca.issue({"node1"}), limits);
  const MonoNanos start = net.clock.mono();
  RawSocket silent(node.listen());
  CHECK(net.wait([&] { return silent.is_closed(); }));
  CHECK(net.clock.mono() - start >= milliseconds(100));
  CHECK(node.transport->unfinished() == 0);
}

TEST_CASE("one address holds no more than its part of the unfinished handshakes") {
  Net net;
  TestCa ca;
  TlsLimits limits;
  REQUIRE(limits.unfinished_per_host == 16);
  REQUIRE(limits.unfinished == 256);
  SUBCASE("of one address") {}
  SUBCASE("of all") {
    limits.unfinished = 16;
    limits.unfinished_per_host = 100;
  }
  Node node(net, ca.issue({"node1"}), limits);
  const std::string address = node.listen();
  std::deque<RawSocket> sockets;
  for (int i = 0; i < 16; ++i)
    sockets.emplace_back(address);
  CHECK(net.wait([&] { return node.transport->unfinished() == 16; }));
  RawSocket one_more(address);
  CHECK(net.wait([&] { return one_more.is_closed(); }));
  CHECK(node.transport->unfinished() == 16);
  for (auto& socket : sockets)
    CHECK_FALSE(socket.is_closed());

  // One that goes makes room for one that means it.
  sockets.pop_front();
  CHECK(net.wait([&] { return node.transport->unfinished() == 15; }));
  Node node2(net, ca.issue({"node2"}));
  CHECK(node2.dial(address, "node1").has_value());
}

TEST_CASE("a transport may go while others shake hands with it") {
  Net net;
  TestCa ca;
  Node node(net, ca.issue({"node1"}));
  RawSocket socket(node.listen());
  CHECK(net.wait([&] { return node.transport->unfinished() == 1; }));
  node.transport.reset();
  CHECK(net.wait([&] { return socket.is_closed(); }));
}

}  // namespace dagsync::test
