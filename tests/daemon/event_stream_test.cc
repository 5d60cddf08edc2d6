#include "daemon/event_stream.h"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <nlohmann/json.hpp>

#include "poll_loop.h"
#include "support/fake_clock.h"
#include "temp_dir.h"

namespace dagsync {
namespace {

using nlohmann::json;

struct EventStreamFixture : ControlHandler {
  TempDir dir;
  std::string path = dir / "control.sock";
  PollLoop loop;
  FakeClock clock;
  Events events{clock};
  std::unique_ptr<ControlServer> server;
  std::string input;

  EventStreamFixture() {
    auto made = ControlServer::listen(path, loop.watch_readable(), *this);
    REQUIRE_MESSAGE(made, made.error().message);
    server = std::move(*made);
  }
  void handle(const json&, std::shared_ptr<ControlReply> reply) override {
    reply->progress({{"following", "a"}});
    EventStream::begin(events, clock, std::move(reply), events.last() + 1);
  }

  OwnedFd follow() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    OwnedFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    REQUIRE(connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    constexpr std::string_view kRequest = "{\"command\":\"events\"}\n";
    REQUIRE(send(fd.get(), kRequest.data(), kRequest.size(), MSG_NOSIGNAL) > 0);
    const json first = next(fd.get());
    CHECK(first["progress"]["following"] == "a");
    return fd;
  }
  // The next line, while the loop turns and time passes.
  json next(int fd) {
    for (int i = 0; i < 1000; ++i) {
      const std::size_t end = input.find('\n');
      if (end != std::string::npos) {
        const json line = json::parse(input.substr(0, end));
        input.erase(0, end + 1);
        return line;
      }
      loop.turn(1);
      clock.advance(std::chrono::milliseconds(20));
      std::array<char, 64 * 1024> chunk;
      const ssize_t got = recv(fd, chunk.data(), chunk.size(), MSG_DONTWAIT);
      if (got > 0) input.append(chunk.data(), static_cast<std::size_t>(got));
      if (got == 0) return nullptr;
    }
    FAIL("no line came");
    return nullptr;
  }
  void add(std::string what) {
    Event event;
    event.kind = Event::Kind::kApplied;
    event.folder = "dags";
    event.path = *RelPath::parse("etl/load.py");
    event.peer = "b";
    event.what = std::move(what);
    events.add(std::move(event));
  }
};

TEST_CASE_FIXTURE(EventStreamFixture, "a follower gets what happens from now on, line by line") {
  add("before");
  const OwnedFd client = follow();
  for (const std::string what : {"one", "two"}) {
    add(what);
    const json event = next(client.get())["progress"];
    CHECK(event["what"] == what);
    CHECK(event["kind"] == "applied");
    CHECK(event["folder"] == "dags");
    CHECK(event["path"] == "etl/load.py");
    CHECK(event["node"] == "b");
    CHECK(event["time"].get<std::string>().ends_with("Z"));
  }
}

TEST_CASE_FIXTURE(EventStreamFixture,
                  "who does not read is cut off, and told so, and holds up nobody") {
  const OwnedFd client = follow();
  const auto began = std::chrono::steady_clock::now();
  const std::string long_text(200, 'x');
  for (std::size_t i = 0; i < 3 * Events::kKept; ++i) {
    add(long_text);
    if (i % Events::kBurst == 0) clock.advance(Events::kWindow);
  }
  // Who waited for the reader would wait for ever; a busy machine took over 10 s under a sanitizer.
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(60));
  json last;
  std::uint64_t lines = 0;
  for (json line = next(client.get()); !line.is_null(); line = next(client.get()), ++lines)
    last = line;
  CHECK(last["done"] == true);
  CHECK(last["exit"] == 1);
  CHECK(last["error"].get<std::string>().find("faster than they were read") != std::string::npos);
  CHECK(lines < Events::kKept);
}

TEST_CASE_FIXTURE(EventStreamFixture, "one that never reads its last line is let go in the end") {
  const OwnedFd client = follow();
  for (std::size_t i = 0; i < 3 * Events::kKept; ++i) {
    add(std::string(200, 'x'));
    if (i % Events::kBurst == 0) clock.advance(Events::kWindow);
  }
  CHECK(server->clients() == 1);
  clock.advance(EventStream::kLastWords + std::chrono::seconds(1));
  for (int i = 0; i < 100 && server->clients() > 0; ++i)
    loop.turn(10);
  CHECK(server->clients() == 0);
  CHECK(clock.timers() == 0);
}

TEST_CASE_FIXTURE(EventStreamFixture, "nothing is left of one that went away") {
  OwnedFd client = follow();
  client.reset();
  for (int i = 0; i < 100 && server->clients() > 0; ++i)
    loop.turn(10);
  clock.advance(std::chrono::seconds(2));
  CHECK(clock.timers() == 0);
  add("to nobody");
}

}  // namespace
}  // namespace dagsync
