// The control socket: whatever a client writes, it gets lines of JSON, the last of which says that
// it is done and with which exit status, and nothing of it stays. The real server, on a real
// socket, and the real commands, on a node whose folders are empty. An input is a byte that seeds
// how it is cut, and what the client sends.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "daemon/commands.h"
#include "daemon/poll_loop.h"
#include "fuzz/fuzz.h"
#include "support/bare_folder.h"
#include "support/fake_clock.h"
#include "support/fake_transport.h"
#include "support/memory_store.h"

namespace dagsync {
namespace {

using nlohmann::json;

// A node of its own for each input, so that an input does the same each time.
class FuzzNode {
 public:
  FuzzNode() {
    for (const char* name : {"dags", "more"}) {
      FolderConfig config;
      config.name = name;
      config.path = std::string("/srv/") + name;
      node_.add_folder(config, {std::make_unique<BareDisk>(), std::make_unique<MemoryStore>(),
                                std::make_unique<BareWatcher>()});
    }
    PeerConfig peer;
    peer.name = {"node2"};
    peer.addresses = {"node2:1"};
    node_.configure_peers({peer});
    node_.start({}, [](const Status& started) { DAGSYNC_ASSERT(started.has_value()); });
    worker_.run_all();
  }

  Commands& commands() { return commands_; }
  void work() { worker_.run_all(); }
  bool pass_time() { return clock_.advance_to_next(std::chrono::hours(1)); }

 private:
  FakeClock clock_;
  FakeRandom random_;
  QueueWorker worker_;
  FakeTransport transport_;
  Node node_{{"node1"}, "1.0", {clock_, random_, worker_, transport_}};
  Commands commands_{node_, clock_};
};

// The server lives as long as the process.
class Socket final : public ControlHandler {
 public:
  static Socket& instance() {
    static Socket socket;
    return socket;
  }

  void handle(const json& request, std::shared_ptr<ControlReply> reply) override {
    DAGSYNC_ASSERT(request.is_object() && request["command"].is_string());
    ++requests;
    commands->handle(request, std::move(reply));
  }
  OwnedFd connect_client() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof address.sun_path - 1);
    OwnedFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    DAGSYNC_ASSERT(connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    return fd;
  }

  PollLoop loop;
  std::unique_ptr<ControlServer> server;
  Commands* commands = nullptr;
  int requests = 0;

 private:
  Socket() {
    directory_ = (std::filesystem::temp_directory_path() / "dagsync-fuzz-XXXXXX").string();
    DAGSYNC_ASSERT(mkdtemp(directory_.data()) != nullptr);
    path_ = directory_ + "/control.sock";
    auto made = ControlServer::listen(path_, loop.watch_readable(), *this);
    DAGSYNC_ASSERT(made.has_value());
    server = std::move(*made);
  }
  ~Socket() override {
    server.reset();
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  std::string directory_;
  std::string path_;
};

struct Client {
  OwnedFd fd = Socket::instance().connect_client();
  std::string answer;
  bool over = false;

  void send(std::string_view bytes) {
    // A server that has its answer ready may have closed: then nobody takes the rest.
    static_cast<void>(::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
    Socket::instance().loop.turn(0);
  }
  void listen() {
    char buffer[4096];
    ssize_t got = 0;
    while ((got = recv(fd.get(), buffer, sizeof buffer, MSG_DONTWAIT)) > 0)
      answer.append(buffer, static_cast<std::size_t>(got));
    over = over || got == 0 || (errno != EAGAIN && errno != EINTR);
  }
};

// Lines of JSON; only the last one is the end.
void check(std::string_view answer) {
  DAGSYNC_ASSERT(answer.ends_with('\n'));
  while (!answer.empty()) {
    const std::size_t end = answer.find('\n');
    const json line = json::parse(answer.substr(0, end), nullptr, false);
    answer.remove_prefix(end + 1);
    DAGSYNC_ASSERT(line.is_object());
    DAGSYNC_ASSERT(line.contains("done") == answer.empty());
    if (!answer.empty()) DAGSYNC_ASSERT(line.contains("progress"));
    if (answer.empty()) DAGSYNC_ASSERT(line["exit"].is_number_integer());
  }
}

std::string seed(const json& request) {
  return "\x80" + request.dump() + "\n";
}

}  // namespace

std::vector<std::string> fuzz_seeds() {
  return {seed({{"command", "status"}}),
          seed({{"command", "status"}, {"wait", 5.5}}),
          seed({{"command", "push"}, {"folder", "dags"}, {"timeout", 3}, {"min_acks", 1}}),
          seed({{"command", "push"}, {"paths", {"/srv/dags/a.py", "/srv/dags/b"}}}),
          seed({{"command", "push"}, {"paths", {"a", "b"}}, {"folder", "more"}, {"min_acks", 0}}),
          seed({{"command", "conflicts"}}),
          seed({{"command", "conflicts"}, {"folder", "dags"}}),
          seed({{"command", "versions"}, {"path", "a.py"}, {"folder", "dags"}}),
          seed({{"command", "restore"}, {"path", "/srv/more/a"}, {"version", "1-2"}}),
          seed({{"command", "resume"}, {"folder", "dags"}, {"accept_deletes", true}}),
          seed({{"command", "pause"}, {"folder", "dags"}}),
          seed({{"command", "verify"}, {"folder", "dags"}, {"repair", true}}),
          seed({{"command", "verify"}}),
          seed({{"command", "events"}}),
          "\x3{\"command\":\"status\"}\nmore\n",
          "\x80[]\n",
          "\x80{\"command\":1}\n",
          "\x80\xff\n"};
}

}  // namespace dagsync

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace dagsync;
  FuzzInput input(data, size);
  const std::uint8_t cuts = input.byte();
  const std::string_view sent = input.rest();
  Socket& socket = Socket::instance();
  FuzzNode node;
  socket.commands = &node.commands();
  socket.requests = 0;
  {
    Client client;
    socket.loop.turn(0);
    in_pieces(sent, cuts, cuts < 128 ? 9 : 60'000,
              [&](std::string_view piece) { client.send(piece); });
    socket.loop.turn(0);
    const bool asked = sent.find('\n') != std::string_view::npos;
    constexpr int kTurns = 60;  // of a minute and more; who wants to wait longer goes away
    for (int turn = 0; turn < kTurns && asked && !client.over; ++turn) {
      node.work();
      client.listen();
      if (!client.over) node.pass_time();
    }
    if (client.over) check(client.answer);
    DAGSYNC_ASSERT(socket.requests <= (asked ? 1 : 0));
  }
  for (int turn = 0; turn < 10 && socket.server->clients() > 0; ++turn)
    socket.loop.turn(0);
  DAGSYNC_ASSERT(socket.server->clients() == 0);
  return 0;
}
