#include "net/tls_dialing.h"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <optional>

#include "net/net_fixture.h"

namespace dagsync::test {
namespace {

using std::chrono::milliseconds;

Resolve answering(std::vector<std::string> addresses) {
  return [addresses =
              std::move(addresses)](const HostPort& asked) -> Result<std::vector<SocketAddress>> {
    if (asked.host != "many") return resolve_host(asked);
    std::vector<SocketAddress> found;
    for (const auto& one : addresses)
      found.push_back(*numeric_address(*parse_host_port(one)));
    return found;
  };
}

// A listening port of loopback whose queue is full, so that the kernel drops what comes.
struct BlackHole {
  std::string address = free_address();
  int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  std::optional<RawSocket> first;

  BlackHole() {
    const auto at = *numeric_address(*parse_host_port(address));
    REQUIRE(::bind(fd, at.raw(), sizeof(sockaddr_in)) == 0);
    REQUIRE(::listen(fd, 0) == 0);
    first.emplace(address);
  }
  ~BlackHole() { ::close(fd); }
};

}  // namespace

TEST_CASE("a name is looked up, and its addresses are tried until one answers") {
  Net net;
  TestCa ca;
  Node node2(net, ca.issue({"node2"}));
  const std::string address = node2.listen();
  SUBCASE("localhost") {
    Node node1(net, ca.issue({"node1"}));
    const auto dialed = node1.dial("localhost" + address.substr(address.rfind(':')), "node2");
    REQUIRE_MESSAGE(dialed.has_value(), dialed.error().message);
    CHECK((*dialed)->identity().address == address);
  }
  SUBCASE("the first two refuse") {
    Node node1(net, ca.issue({"node1"}), {},
               answering({free_address("::1"), free_address(), address}));
    const auto dialed = node1.dial("many:7411", "node2");
    REQUIRE_MESSAGE(dialed.has_value(), dialed.error().message);
    CHECK((*dialed)->identity().address == address);
  }
  SUBCASE("the first is somebody else") {
    Node other(net, ca.issue({"other"}));
    Node node1(net, ca.issue({"node1"}), {}, answering({other.listen(), address}));
    const auto dialed = node1.dial("many:7411", "node2");
    REQUIRE_MESSAGE(dialed.has_value(), dialed.error().message);
    CHECK((*dialed)->identity().names == std::vector{NodeName{"node2"}});
  }
  SUBCASE("the first never answers") {
    BlackHole hole;
    TlsLimits limits;
    limits.connect = milliseconds(100);
    Node node1(net, ca.issue({"node1"}), limits, answering({hole.address, address}));
    const auto dialed = node1.dial("many:7411", "node2");
    REQUIRE_MESSAGE(dialed.has_value(), dialed.error().message);
    CHECK((*dialed)->identity().address == address);
  }
}

TEST_CASE("where nobody answers, the error names each address and why") {
  Net net;
  TestCa ca;
  BlackHole hole;
  const std::string closed = free_address();
  TlsLimits limits;
  limits.connect = milliseconds(50);
  Node node(net, ca.issue({"node1"}), limits, answering({closed, hole.address}));
  const auto dialed = node.dial("many:7411", "node2");
  REQUIRE_FALSE(dialed.has_value());
  CHECK(dialed.error().code == ErrorCode::kUnavailable);
  has(dialed.error(), closed + ": connection refused: is dagsync running there");
  has(dialed.error(), hole.address + ": no answer within 50 ms");
}

TEST_CASE("a server that is silent, or speaks something else, is given up") {
  Net net;
  TestCa ca;
  TlsLimits limits;
  limits.handshake = milliseconds(150);
  Node node(net, ca.issue({"node1"}), limits);
  const auto at = *numeric_address(*parse_host_port(free_address()));
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  REQUIRE(::bind(fd, at.raw(), sizeof(sockaddr_in)) == 0);
  REQUIRE(::listen(fd, 5) == 0);
  const auto silent = node.dial(to_string(at), "node2");
  REQUIRE_FALSE(silent.has_value());
  CHECK(silent.error().code == ErrorCode::kUnavailable);
  has(silent.error(), to_string(at) + ": no handshake within 150 ms");

  bool called = false;
  const auto dialing = node.transport->dial(to_string(at), NodeName{"node2"}, [&](auto dialed) {
    called = true;
    REQUIRE_FALSE(dialed.has_value());
    has(dialed.error(), "does not speak TLS");
  });
  net.run_for(milliseconds(20));
  ::accept4(fd, nullptr, nullptr, SOCK_CLOEXEC);  // the first dial's
  const int peer = ::accept4(fd, nullptr, nullptr, SOCK_CLOEXEC);
  REQUIRE(::send(peer, "HTTP/1.1 400 Bad Request\r\n\r\n", 28, MSG_NOSIGNAL) == 28);
  ::shutdown(peer, SHUT_WR);
  CHECK(net.wait([&] { return called; }));
  ::close(peer);
  ::close(fd);
}

TEST_CASE("a name nobody knows, and what is no address, are told later") {
  Net net;
  TestCa ca;
  Node node(net, ca.issue({"node1"}), {},
            [](const HostPort& asked) -> Result<std::vector<SocketAddress>> {
              return fail(ErrorCode::kUnavailable, "look up \"" + asked.host + "\": unknown");
            });
  auto dialed = node.dial("nowhere.invalid:7411", "node2");
  REQUIRE_FALSE(dialed.has_value());
  CHECK(dialed.error().code == ErrorCode::kUnavailable);
  has(dialed.error(), "nowhere.invalid");
  dialed = node.dial("node2", "node2");
  REQUIRE_FALSE(dialed.has_value());
  CHECK(dialed.error().code == ErrorCode::kInvalid);
}

TEST_CASE("a dial that is dropped calls nobody, at whatever point") {
  Net net;
  TestCa ca;
  Node node1(net, ca.issue({"node1"}));
  Node node2(net, ca.issue({"node2"}));
  const std::string address = node2.listen();
  const std::string by_name = "localhost" + address.substr(address.rfind(':'));
  for (int rounds = 0; rounds < 8; ++rounds) {
    for (const std::string& to : {address, by_name, std::string("bad")}) {
      CAPTURE(rounds);
      auto dialing = node1.transport->dial(to, NodeName{"node2"}, [](auto) {});
      for (int i = 0; i < rounds; ++i) {
        net.loop.post([] {});
        net.loop.run_once();
      }
      dialing.reset();
    }
  }
  bool called = false;
  auto dialing = node1.transport->dial(address, NodeName{"node2"}, [&](auto) { called = true; });
  dialing.reset();
  net.run_for(milliseconds(50));
  CHECK_FALSE(called);
}

TEST_CASE("a dial may be dropped in its own call") {
  Net net;
  TestCa ca;
  Node node1(net, ca.issue({"node1"}));
  Node node2(net, ca.issue({"node2"}));
  for (const std::string& address : {node2.listen(), free_address(), std::string("bad")}) {
    const auto held = std::make_shared<int>(1);
    std::unique_ptr<Transport::Dialing> dialing;
    bool called = false;
    dialing = node1.transport->dial(address, NodeName{"node2"}, [&, held](auto) {
      dialing.reset();
      CHECK(*held == 1);
      called = true;
    });
    CHECK(net.wait([&] { return called; }));
  }
}

TEST_CASE("a lookup that hangs is left behind, and may end after the loop") {
  TestCa ca;
  std::atomic<bool> go_on = false;
  std::atomic<int> ended = 0;
  {
    Net net;
    TlsLimits limits;
    limits.handshake = milliseconds(50);
    Node node(net, ca.issue({"node1"}), limits,
              [&](const HostPort&) -> Result<std::vector<SocketAddress>> {
                go_on.wait(false);
                ++ended;
                ended.notify_all();
                return fail(ErrorCode::kUnavailable, "too late");
              });
    const auto dialed = node.dial("slow.example:7411", "node2");
    REQUIRE_FALSE(dialed.has_value());
    has(dialed.error(), "slow.example:7411: its name could not be looked up within 50 ms");
  }
  CHECK(ended == 0);
  go_on = true;
  go_on.notify_all();
  ended.wait(0);
}

}  // namespace dagsync::test
