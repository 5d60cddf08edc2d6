#include "net/net_fixture.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "net/address.h"

namespace dagsync::test {
namespace {

SocketAddress socket_address(const HostPort& address) {
  const auto numeric = numeric_address(address);
  REQUIRE(numeric.has_value());
  return *numeric;
}

socklen_t size_of(const SocketAddress& address) {
  return is_ipv6(address) ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
}

}  // namespace

bool has(const Error& error, const std::string& words) {
  CAPTURE(error.message);
  CAPTURE(words);
  const bool found = error.message.find(words) != std::string::npos;
  CHECK(found);
  return found;
}

TlsFiles files_of(const CertFiles& files) {
  return {files.ca, files.cert, files.key};
}

std::string free_address(const std::string& host) {
  SocketAddress address = socket_address({host, 0});
  const int fd = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  REQUIRE(fd >= 0);
  REQUIRE(::bind(fd, address.raw(), size_of(address)) == 0);
  socklen_t size = sizeof address.storage;
  REQUIRE(::getsockname(fd, reinterpret_cast<sockaddr*>(&address.storage), &size) == 0);
  ::close(fd);
  return to_string(address);
}

bool Net::wait(const std::function<bool()>& done, Duration limit) {
  bool late = false;
  const TimerId timer = clock.after(limit, [&late] { late = true; });
  while (!done() && !late)
    loop.run_once();
  clock.cancel(timer);
  return done();
}

void Net::run_for(Duration time) {
  bool over = false;
  clock.after(time, [&over] { over = true; });
  while (!over)
    loop.run_once();
}

Node::Node(Net& on, const CertFiles& files, const TlsLimits& limits, Resolve resolve) : net(on) {
  auto opened =
      TlsTransport::open(net.loop, net.clock, files_of(files), limits, std::move(resolve));
  REQUIRE_MESSAGE(opened.has_value(), opened.error().message);
  transport = std::move(*opened);
}

std::string Node::listen(const std::string& host) {
  const std::string address = free_address(host);
  const Status status =
      transport->listen({address}, [this](std::unique_ptr<Connection> connection) {
        accepted.push_back(std::move(connection));
      });
  REQUIRE_MESSAGE(status.has_value(), status.error().message);
  return address;
}

Result<std::unique_ptr<Connection>> Node::dial(const std::string& address,
                                               const std::string& expected) {
  bool called = false;
  Result<std::unique_ptr<Connection>> outcome;
  const auto dialing = transport->dial(address, NodeName{expected}, [&](auto result) {
    CHECK_FALSE(called);
    called = true;
    outcome = std::move(result);
  });
  CHECK_FALSE(called);
  REQUIRE(net.wait([&] { return called; }));
  return outcome;
}

std::unique_ptr<Connection> Node::next_accepted() {
  REQUIRE(net.wait([this] { return !accepted.empty(); }));
  auto connection = std::move(accepted.front());
  accepted.erase(accepted.begin());
  return connection;
}

Pair::Pair(Net& net, const TlsLimits& limits)
    : node1(net, ca.issue({"node1"}), limits), node2(net, ca.issue({"node2"}), limits) {
  address = node2.listen();
  auto dialed = node1.dial(address, "node2");
  REQUIRE_MESSAGE(dialed.has_value(), dialed.error().message);
  near = std::move(*dialed);
  far = node2.next_accepted();
}

Connection::Handlers Seen::handlers() {
  return {[this](std::string_view bytes) {
            CHECK(closed == 0);
            data += bytes;
          },
          [this] { ++drained; },
          [this](Error error) {
            ++closed;
            why = std::move(error);
          }};
}

RawSocket::RawSocket(const std::string& address) {
  const auto parsed = parse_host_port(address);
  REQUIRE(parsed.has_value());
  const SocketAddress to = socket_address(*parsed);
  fd_ = ::socket(to.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  REQUIRE(fd_ >= 0);
  REQUIRE(::connect(fd_, to.raw(), size_of(to)) == 0);  // the kernel's backlog takes it
  REQUIRE(::fcntl(fd_, F_SETFL, O_NONBLOCK) == 0);
}

RawSocket::~RawSocket() {
  ::close(fd_);
}

void RawSocket::write(std::string_view bytes) const {
  REQUIRE(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
          static_cast<ssize_t>(bytes.size()));
}

bool RawSocket::is_closed() {
  std::array<char, 4096> buffer{};
  while (true) {
    const ssize_t count = ::recv(fd_, buffer.data(), buffer.size(), 0);
    if (count > 0) continue;
    return count == 0 || errno != EAGAIN;
  }
}

}  // namespace dagsync::test
