// dagsync-delay: TCP with a delay, for benchmarks on a machine that has no netem.
//
// Every connection to a LISTEN address is carried to its FORWARD address and back; each byte
// arrives MILLISECONDS after it came, in both directions, however many are under way (up to
// kMostHeld of a direction; then the sender waits, as on a wire that is full). Ends when its
// standard input does.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kBlock = 1 << 18;         // bytes of one read
constexpr std::size_t kMostHeld = 256u << 20;   // bytes of one direction: 5 GB/s at 50 ms
constexpr std::size_t kMostConnections = 4096;  // beyond, new ones are closed

[[noreturn]] void die(const std::string& what) {
  std::fprintf(stderr, "dagsync-delay: %s\n", what.c_str());
  std::exit(1);
}

sockaddr_in address_of(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  sockaddr_in address{};
  address.sin_family = AF_INET;
  std::uint16_t port = 0;
  const std::string host(text.substr(0, colon));
  if (colon == text.npos || inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1 ||
      std::from_chars(text.data() + colon + 1, text.data() + text.size(), port).ec != std::errc())
    die("not an IPv4 address and a port: " + std::string(text));
  address.sin_port = htons(port);
  return address;
}

int new_socket() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) die(std::string("socket: ") + std::strerror(errno));
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  return fd;
}

void send_at_once(int fd) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

struct Route {
  int listener;
  sockaddr_in forward;
};

// One direction of a connection.
struct Flow {
  struct Block {
    Clock::time_point due;
    std::string bytes;
    std::size_t sent = 0;
  };
  int from;
  int to;
  std::deque<Block> blocks{};
  std::size_t held = 0;
  std::optional<Clock::time_point> end_due{};  // when the other side may know of the end
  bool broken = false;
  bool done = false;

  [[nodiscard]] bool wants_to_read() const { return !end_due && held < kMostHeld; }
  [[nodiscard]] std::optional<Clock::time_point> next_due() const {
    if (!blocks.empty()) return blocks.front().due;
    return done ? std::nullopt : end_due;
  }

  void read(Clock::duration delay) {
    static std::array<char, kBlock> buffer;
    const ssize_t got = ::recv(from, buffer.data(), buffer.size(), 0);
    if (got > 0) {
      blocks.push_back(
          {Clock::now() + delay, std::string(buffer.data(), static_cast<std::size_t>(got))});
      held += static_cast<std::size_t>(got);
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
      end_due = Clock::now() + delay;
    }
  }

  // Whether the other side takes no more for now.
  bool write(Clock::time_point now) {
    while (!blocks.empty() && blocks.front().due <= now) {
      Block& block = blocks.front();
      const ssize_t put = ::send(to, block.bytes.data() + block.sent,
                                 block.bytes.size() - block.sent, MSG_NOSIGNAL);
      if (put < 0 && (errno == EAGAIN || errno == EINTR)) return true;
      if (put < 0) {
        broken = true;
        return false;
      }
      block.sent += static_cast<std::size_t>(put);
      held -= static_cast<std::size_t>(put);
      if (block.sent == block.bytes.size()) blocks.pop_front();
    }
    if (blocks.empty() && end_due && *end_due <= now && !done) {
      ::shutdown(to, SHUT_WR);
      done = true;
    }
    return false;
  }
};

struct Connection {
  Connection(int dialler, int target) : out{dialler, target}, back{target, dialler} {}
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() {
    ::close(out.from);
    ::close(back.from);
  }
  [[nodiscard]] bool is_over() const {
    return out.broken || back.broken || (out.done && back.done);
  }
  Flow out;
  Flow back;
};

using Connections = std::vector<std::unique_ptr<Connection>>;

void accept_from(const Route& route, Connections& connections) {
  const int dialler = ::accept4(route.listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (dialler < 0) return;
  if (connections.size() >= kMostConnections) {
    ::close(dialler);
    return;
  }
  const int target = new_socket();
  send_at_once(dialler);
  send_at_once(target);
  const auto* forward = reinterpret_cast<const sockaddr*>(&route.forward);
  if (::connect(target, forward, sizeof route.forward) != 0 && errno != EINPROGRESS) {
    ::close(dialler);
    ::close(target);
    return;
  }
  connections.push_back(std::make_unique<Connection>(dialler, target));
}

// Adds what `flow` waits for; true: it waits for its receiver, not for a moment.
void prepare(Flow& flow, Clock::time_point now, std::vector<pollfd>& polled,
             std::optional<Clock::time_point>& wake) {
  const bool full = flow.write(now);
  polled.push_back({flow.wants_to_read() ? flow.from : -1, POLLIN, 0});
  polled.push_back({full ? flow.to : -1, POLLOUT, 0});
  const auto due = flow.next_due();
  if (!full && due && (!wake || *due < *wake)) wake = due;
}

void carry(const std::vector<Route>& routes, Clock::duration delay) {
  Connections connections;
  std::vector<pollfd> polled;
  while (true) {
    polled.assign(1, {STDIN_FILENO, POLLIN, 0});
    for (const Route& route : routes)
      polled.push_back({route.listener, POLLIN, 0});
    std::optional<Clock::time_point> wake;
    const auto now = Clock::now();
    for (const auto& connection : connections) {
      prepare(connection->out, now, polled, wake);
      prepare(connection->back, now, polled, wake);
    }
    timespec pause{};
    if (wake && *wake > now) {
      const auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(*wake - now).count();
      pause = {static_cast<time_t>(left / 1'000'000'000), static_cast<long>(left % 1'000'000'000)};
    }
    if (::ppoll(polled.data(), polled.size(), wake ? &pause : nullptr, nullptr) < 0 &&
        errno != EINTR)
      die(std::string("poll: ") + std::strerror(errno));
    if (polled[0].revents != 0) return;
    std::size_t next = 1 + routes.size();
    for (const auto& connection : connections) {
      for (Flow* flow : {&connection->out, &connection->back}) {
        if (polled[next].revents != 0) flow->read(delay);
        next += 2;
      }
    }
    std::erase_if(connections, [](const auto& connection) { return connection->is_over(); });
    for (std::size_t i = 0; i < routes.size(); ++i) {
      if (polled[1 + i].revents != 0) accept_from(routes[i], connections);
    }
  }
}

Route listen_at(std::string_view text) {
  const std::size_t equal = text.find('=');
  if (equal == text.npos) die("not LISTEN=FORWARD: " + std::string(text));
  const sockaddr_in at = address_of(text.substr(0, equal));
  const Route route{new_socket(), address_of(text.substr(equal + 1))};
  if (::bind(route.listener, reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0 ||
      ::listen(route.listener, 64) != 0)
    die("listen at " + std::string(text) + ": " + std::strerror(errno));
  return route;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) die("usage: dagsync-delay MILLISECONDS LISTEN=FORWARD...");
  std::signal(SIGPIPE, SIG_IGN);
  std::vector<Route> routes;
  for (int i = 2; i < argc; ++i)
    routes.push_back(listen_at(argv[i]));
  std::puts("ready");
  std::fflush(stdout);
  carry(routes, std::chrono::milliseconds(std::atoi(argv[1])));
}
