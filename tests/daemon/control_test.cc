#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <future>
#include <nlohmann/json.hpp>

#include "cli/control_client.h"
#include "daemon/control_server.h"
#include "poll_loop.h"
#include "temp_dir.h"

namespace dagsync {
namespace {

using nlohmann::json;
using Reply = std::shared_ptr<ControlReply>;

struct FakeHandler : ControlHandler {
  void handle(const json& request, Reply reply) override {
    requests.push_back(request);
    answer(request, std::move(reply));
  }
  std::function<void(const json&, Reply)> answer = [](const json& request, const Reply& reply) {
    reply->done({{"echo", request}});
  };
  std::vector<json> requests;
};

struct ControlFixture {
  TempDir dir;
  std::string path = dir / "run/control.sock";
  PollLoop loop;
  FakeHandler handler;
  std::unique_ptr<ControlServer> server;

  ControlFixture() {
    auto made = ControlServer::listen(path, loop.watch_readable(), handler);
    REQUIRE_MESSAGE(made, made.error().message);
    server = std::move(*made);
  }

  Result<json> call(const json& request, CallOptions options = {}) {
    auto answer =
        std::async(std::launch::async, [&] { return call_daemon(path, request, options); });
    while (answer.wait_for(std::chrono::seconds(0)) != std::future_status::ready)
      loop.turn();
    return answer.get();
  }

  // A client that says what it likes.
  OwnedFd connect_raw() const {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    OwnedFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    REQUIRE(connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    return fd;
  }

  std::string read_all(int fd) {
    std::string all;
    char buffer[4096];
    while (true) {
      loop.turn(1);
      const ssize_t got = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
      if (got > 0) all.append(buffer, static_cast<std::size_t>(got));
      if (got == 0 || (got < 0 && errno != EAGAIN)) return all;
    }
  }

  void turn_until(const std::function<bool()>& done) {
    for (int i = 0; i < 500 && !done(); ++i)
      loop.turn();
    REQUIRE(done());
  }
};

TEST_CASE_FIXTURE(ControlFixture, "a request is answered, and its connection closed") {
  const auto answer = call({{"command", "status"}, {"name", "a\xC3\xA9"}});
  REQUIRE_MESSAGE(answer, answer.error().message);
  CHECK((*answer)["done"] == true);
  CHECK((*answer)["exit"] == 0);
  CHECK((*answer)["echo"]["name"] == "a\xC3\xA9");
  turn_until([&] { return server->clients() == 0; });
}

TEST_CASE_FIXTURE(ControlFixture, "progress comes line by line before the end") {
  handler.answer = [](const json&, const Reply& reply) {
    for (int i = 0; i < 3; ++i)
      reply->progress({{"step", i}});
    reply->done({{"exit", 7}});
  };
  std::vector<int> steps;
  CallOptions options;
  options.on_progress = [&](const json& progress) { steps.push_back(progress["step"]); };
  const auto answer = call({{"command", "push"}}, options);
  REQUIRE(answer);
  CHECK(steps == std::vector<int>{0, 1, 2});
  CHECK((*answer)["exit"] == 7);
}

TEST_CASE_FIXTURE(ControlFixture, "an answer may come later") {
  Reply kept;
  handler.answer = [&](const json&, Reply reply) { kept = std::move(reply); };
  auto answer = std::async(std::launch::async, [&] {
    return call_daemon(path, {{"command", "push"}});
  });
  turn_until([&] { return kept != nullptr; });
  CHECK_FALSE(kept->closed());
  kept->done({{"late", true}});
  CHECK(kept->closed());
  const auto got = answer.get();
  REQUIRE(got);
  CHECK((*got)["late"] == true);
}

TEST_CASE_FIXTURE(ControlFixture, "a reply that is dropped tells the client so") {
  handler.answer = [](const json&, const Reply&) {};
  const auto answer = call({{"command", "push"}});
  REQUIRE(answer);
  CHECK((*answer)["exit"] == 1);
  CHECK((*answer)["error"].get<std::string>().find("stopped before") != std::string::npos);
}

TEST_CASE_FIXTURE(ControlFixture, "a client that goes away is noticed") {
  Reply kept;
  handler.answer = [&](const json&, Reply reply) { kept = std::move(reply); };
  OwnedFd client = connect_raw();
  REQUIRE(send(client.get(), "{\"command\":\"push\"}\n", 19, MSG_NOSIGNAL) == 19);
  turn_until([&] { return kept != nullptr; });
  CHECK_FALSE(kept->closed());
  client.reset();
  turn_until([&] { return kept->closed(); });
  kept->progress({{"to", "nobody"}});
  kept->done({});
  CHECK(server->clients() == 0);
}

TEST_CASE_FIXTURE(ControlFixture, "a request may come in pieces, and what follows it is not read") {
  const OwnedFd client = connect_raw();
  for (const std::string piece : {"{\"comm", "and\":\"status\"}\n{\"command\":\"more\"}\n"}) {
    REQUIRE(send(client.get(), piece.data(), piece.size(), MSG_NOSIGNAL) > 0);
    loop.turn(1);  // the connection
    loop.turn(1);  // what was sent on it
  }
  const json answer = json::parse(read_all(client.get()));
  CHECK(answer["echo"]["command"] == "status");
  CHECK(handler.requests.size() == 1);
}

TEST_CASE_FIXTURE(ControlFixture, "what is no request is refused with exit status 2") {
  for (const char* line : {"nonsense\n", "[]\n", "{}\n", "{\"command\":1}\n", "\n", "\xff\xfe\n"}) {
    CAPTURE(line);
    const OwnedFd client = connect_raw();
    REQUIRE(send(client.get(), line, strlen(line), MSG_NOSIGNAL) > 0);
    const json answer = json::parse(read_all(client.get()));
    CHECK(answer["done"] == true);
    CHECK(answer["exit"] == 2);
  }
  CHECK(handler.requests.empty());
}

TEST_CASE_FIXTURE(ControlFixture, "a request without end is refused at the limit") {
  const OwnedFd client = connect_raw();
  const std::string chunk(64 * 1024, 'x');
  for (std::size_t sent = 0; sent <= ControlServer::kMaxRequestBytes;) {
    const ssize_t now = send(client.get(), chunk.data(), chunk.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (now > 0) sent += static_cast<std::size_t>(now);
    loop.turn(1);
    if (now < 0 && errno != EAGAIN) break;
  }
  const json answer = json::parse(read_all(client.get()));
  CHECK(answer["exit"] == 2);
  CHECK(handler.requests.empty());
}

TEST_CASE_FIXTURE(ControlFixture, "an argument of the wrong type is the client's mistake") {
  handler.answer = [](const json& request, const Reply&) { (void)request.at("folder").get<int>(); };
  const auto answer = call({{"command", "push"}, {"folder", "dags"}});
  REQUIRE(answer);
  CHECK((*answer)["exit"] == 2);
}

TEST_CASE_FIXTURE(ControlFixture, "the client after the last one that fits is told to come again") {
  std::vector<OwnedFd> clients;
  for (std::size_t i = 0; i < ControlServer::kMaxClients; ++i) {
    clients.push_back(connect_raw());
    loop.turn(1);
  }
  turn_until([&] { return server->clients() == ControlServer::kMaxClients; });
  const OwnedFd one_more = connect_raw();
  CHECK(read_all(one_more.get()).find("too many commands") != std::string::npos);
  clients.clear();
  turn_until([&] { return server->clients() == 0; });
  CHECK(call({{"command", "status"}}));
}

TEST_CASE_FIXTURE(ControlFixture, "a large answer arrives whole") {
  const std::string large(4 << 20, 'x');
  handler.answer = [&](const json&, const Reply& reply) { reply->done({{"large", large}}); };
  const auto answer = call({{"command", "versions"}});
  REQUIRE(answer);
  CHECK((*answer)["large"].get_ref<const std::string&>().size() == large.size());
}

TEST_CASE_FIXTURE(ControlFixture, "a client that does not read is dropped after a moment") {
  const std::string large(4 << 20, 'x');
  handler.answer = [&](const json&, const Reply& reply) { reply->done({{"large", large}}); };
  const OwnedFd client = connect_raw();
  REQUIRE(send(client.get(), "{\"command\":\"push\"}\n", 19, MSG_NOSIGNAL) == 19);
  const auto began = std::chrono::steady_clock::now();
  turn_until([&] { return handler.requests.size() == 1; });
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(5));
  turn_until([&] { return server->clients() == 0; });
}

TEST_CASE_FIXTURE(ControlFixture, "a text that is not UTF-8 does not keep an answer from coming") {
  handler.answer = [](const json&, const Reply& reply) { reply->done({{"odd", "a\xff"}}); };
  const auto answer = call({{"command", "status"}});
  REQUIRE(answer);
  CHECK((*answer)["odd"] == "a\xEF\xBF\xBD");
}

TEST_CASE_FIXTURE(ControlFixture, "the socket is for its owner and group, and goes with the server") {
  struct stat info {};
  REQUIRE(stat(path.c_str(), &info) == 0);
  CHECK(S_ISSOCK(info.st_mode));
  CHECK((info.st_mode & 07777) == 0660);
  server.reset();
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE_FIXTURE(ControlFixture, "a socket on which somebody answers is left to them") {
  const auto second = ControlServer::listen(path, loop.watch_readable(), handler);
  REQUIRE_FALSE(second);
  CHECK(second.error().code == ErrorCode::kUnavailable);
  CHECK(second.error().message.find(path) != std::string::npos);
  CHECK(call({{"command", "status"}}));
}

TEST_CASE_FIXTURE(ControlFixture, "a client that waits is told when the server ends") {
  Reply kept;
  handler.answer = [&](const json&, Reply reply) { kept = std::move(reply); };
  auto answer = std::async(std::launch::async, [&] {
    return call_daemon(path, {{"command", "push"}});
  });
  turn_until([&] { return kept != nullptr; });
  kept.reset();
  server.reset();
  const auto got = answer.get();
  REQUIRE(got);
  CHECK((*got)["exit"] == 1);
}

TEST_CASE("a socket file that nobody answers on is replaced, and nothing else is") {
  const TempDir dir;
  const std::string path = dir / "control.sock";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  {
    const OwnedFd dead(socket(AF_UNIX, SOCK_STREAM, 0));
    REQUIRE(bind(dead.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  }
  PollLoop loop;
  FakeHandler handler;
  {
    const auto server = ControlServer::listen(path, loop.watch_readable(), handler);
    CHECK(server);
  }
  write_file(path, "mine");
  const auto refused = ControlServer::listen(path, loop.watch_readable(), handler);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kExists);
  CHECK(read_file(path) == "mine");
}

TEST_CASE("no daemon, a deaf one and a stranger are told apart") {
  const TempDir dir;
  const std::string path = dir / "control.sock";
  auto answer = call_daemon(path, {{"command", "status"}});
  REQUIRE_FALSE(answer);
  CHECK(answer.error().message.find("no daemon answers on " + path + ": start it") == 0);

  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  const OwnedFd deaf(socket(AF_UNIX, SOCK_STREAM, 0));
  REQUIRE(bind(deaf.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(listen(deaf.get(), 1) == 0);
  CallOptions options;
  options.patience = std::chrono::milliseconds(20);
  answer = call_daemon(path, {{"command", "status"}}, options);
  REQUIRE_FALSE(answer);
  CHECK(answer.error().message.find("gave no answer") != std::string::npos);

  auto asking = std::async(std::launch::async, [&] {
    return call_daemon(path, {{"command", "status"}});
  });
  const OwnedFd first(accept(deaf.get(), nullptr, nullptr));
  const OwnedFd second(accept(deaf.get(), nullptr, nullptr));
  for (const int fd : {first.get(), second.get()}) {
    (void)send(fd, "220 mail ready\n", 15, MSG_NOSIGNAL);
  }
  answer = asking.get();
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace dagsync
