#include "net/tls_transport.h"

#include <doctest/doctest.h>

#include "net/net_fixture.h"

namespace dagsync::test {

TEST_CASE("two nodes talk, each knowing who the other is") {
  Net net;
  Pair pair(net);
  CHECK(pair.near->identity().names == std::vector{NodeName{"node2"}});
  CHECK(pair.far->identity().names == std::vector{NodeName{"node1"}});
  CHECK(pair.near->identity().address == pair.address);
  CHECK(pair.far->identity().address.starts_with("127.0.0.1:"));
  CHECK(pair.near->identity().certificate_expires == pair.node2.transport->certificate_expires());
  Seen near;
  Seen far;
  pair.near->start(near.handlers());
  pair.far->start(far.handlers());
  pair.near->send("hello ");
  pair.near->send("node2");
  pair.far->send("hello node1");
  CHECK(net.wait([&] { return near.data == "hello node1" && far.data == "hello node2"; }));
  CHECK(pair.near->queued_bytes() == 0);
  CHECK(pair.near->bytes_sent() > 11);
  CHECK(net.wait([&] { return pair.near->bytes_sent() == pair.far->bytes_received(); }));
  CHECK(pair.far->bytes_sent() == pair.near->bytes_received());
  CHECK(pair.node2.transport->unfinished() == 0);
}

TEST_CASE("IPv6 serves as IPv4 does, and both listen on one port") {
  Net net;
  TestCa ca;
  Node node1(net, ca.issue({"node1"}));
  Node node2(net, ca.issue({"node2"}));
  const std::string ipv6 = free_address("::1");
  const std::string port = ipv6.substr(ipv6.rfind(':'));
  const Status listening = node2.transport->listen(
      {"0.0.0.0" + port, "[::]" + port},
      [&](auto connection) { node2.accepted.push_back(std::move(connection)); });
  REQUIRE_MESSAGE(listening.has_value(), listening.error().message);
  for (const std::string& address : {ipv6, "127.0.0.1" + port}) {
    CAPTURE(address);
    const auto dialed = node1.dial(address, "node2");
    REQUIRE_MESSAGE(dialed.has_value(), dialed.error().message);
    CHECK((*dialed)->identity().address == address);
    const auto accepted = node2.next_accepted();
    CHECK(accepted->identity().names == std::vector{NodeName{"node1"}});
  }
}

TEST_CASE("a port in use is an error that names it and how to see who has it") {
  Net net;
  TestCa ca;
  Node node1(net, ca.issue({"node1"}));
  Node node2(net, ca.issue({"node2"}));
  const std::string address = node1.listen();
  const std::string free = free_address();
  const Status status = node2.transport->listen({free, address}, [](auto) {});
  REQUIRE_FALSE(status.has_value());
  CHECK(status.error().code == ErrorCode::kExists);
  CHECK(status.error().message.find(address) != std::string::npos);
  CHECK(status.error().message.find("ss -ltnp") != std::string::npos);
  // And what did listen no longer does.
  const auto dialed = node1.dial(free, "node2");
  CHECK_FALSE(dialed.has_value());
}

TEST_CASE("what cannot be listened on says so") {
  Net net;
  TestCa ca;
  Node node(net, ca.issue({"node1"}));
  for (const char* address : {"127.0.0.1:0", "127.0.0.1", "192.0.2.1:7411"}) {
    CAPTURE(address);
    const Status status = node.transport->listen({address}, [](auto) {});
    REQUIRE_FALSE(status.has_value());
    CHECK(status.error().message.find("listen") != std::string::npos);
  }
}

TEST_CASE("a reload serves new connections, and leaves the open ones alone") {
  Net net;
  Pair pair(net);
  Seen far;
  pair.far->start(far.handlers());
  TestCa stranger;
  TlsFiles broken = files_of(pair.ca.issue({"node2"}));
  broken.ca = stranger.ca_file();
  CHECK_FALSE(pair.node2.transport->reload(broken));
  CHECK(pair.node2.transport->names() == std::vector{NodeName{"node2"}});
  CHECK(pair.node1.dial(pair.address, "node2").has_value());

  REQUIRE(pair.node2.transport->reload(files_of(pair.ca.issue({"node2b"}))));
  CHECK(pair.node2.transport->names() == std::vector{NodeName{"node2b"}});
  CHECK_FALSE(pair.node1.dial(pair.address, "node2").has_value());
  CHECK(pair.node1.dial(pair.address, "node2b").has_value());
  pair.near->send("still here");
  CHECK(net.wait([&] { return far.data == "still here"; }));
  CHECK(far.closed == 0);
}

TEST_CASE("connections outlive their transport") {
  Net net;
  Pair pair(net);
  pair.node1.transport.reset();
  pair.node2.transport.reset();
  Seen far;
  pair.far->start(far.handlers());
  pair.near->send("still here");
  CHECK(net.wait([&] { return far.data == "still here"; }));
}

TEST_CASE("what is accepted may be dropped at once") {
  Net net;
  TestCa ca;
  Node node1(net, ca.issue({"node1"}));
  Node node2(net, ca.issue({"node2"}));
  const std::string address = free_address();
  int accepted = 0;
  REQUIRE(node2.transport->listen({address}, [&](auto) { ++accepted; }));
  const auto dialed = node1.dial(address, "node2");
  REQUIRE(dialed.has_value());
  Seen near;
  (*dialed)->start(near.handlers());
  CHECK(net.wait([&] { return near.closed == 1; }));
  CHECK(accepted == 1);
}

}  // namespace dagsync::test
