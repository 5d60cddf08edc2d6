#include "http/http_server.h"

#include <doctest/doctest.h>
#include <sys/socket.h>

#include <array>
#include <utility>

#include "net/foreign_client.h"
#include "net/net_fixture.h"

namespace dagsync::test {
namespace {

const std::string kGet = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

// Answers with the path, or keeps what it is to answer.
struct Handler final : HttpHandler {
  void handle(const HttpRequest& request, std::shared_ptr<HttpReply> reply) override {
    ++asked;
    if (request.path == "/later" || request.path == "/events") {
      kept.push_back(std::move(reply));
    } else if (request.path != "/never") {
      reply->respond({200, "text/plain", "path " + request.path + body});
    }
  }

  int asked = 0;
  std::string body;
  std::vector<std::shared_ptr<HttpReply>> kept;
};

struct World {
  explicit World(HttpLimits limits = {}, std::vector<std::string> hosts = {}) {
    HttpOptions options;
    options.address = address = free_address();
    options.limits = limits;
    options.hosts = std::move(hosts);
    auto listening = HttpServer::listen(net.loop, net.clock, std::move(options), handler);
    REQUIRE(listening.has_value());
    server = std::move(*listening);
  }

  Net net;
  std::string address;
  Handler handler;
  std::unique_ptr<HttpServer> server;
};

class Client {
 public:
  explicit Client(World& world) : world_(world), socket_(world.address) {}

  void send(std::string_view bytes) const { socket_.write(bytes); }
  bool gets(const std::string& words) {
    const bool found = world_.net.wait([&] {
      read();
      return all.find(words) != std::string::npos;
    });
    CAPTURE(all);
    CHECK(found);
    return found;
  }
  bool is_ended() {
    return world_.net.wait([&] {
      read();
      return ended_;
    });
  }
  void read() {
    std::array<char, 16384> chunk;
    for (;;) {
      const ssize_t got = ::recv(socket_.fd(), chunk.data(), chunk.size(), MSG_DONTWAIT);
      if (got == 0 || (got < 0 && errno != EAGAIN)) ended_ = true;
      if (got <= 0) return;
      all.append(chunk.data(), static_cast<std::size_t>(got));
    }
  }

  std::string all;

 private:
  World& world_;
  RawSocket socket_;
  bool ended_ = false;
};

}  // namespace

TEST_CASE("one connection serves many requests, also when they come at once") {
  World world;
  Client client(world);
  client.send(kGet);
  client.gets("path /");
  std::string many;
  for (int i = 0; i < 3000; ++i)
    many += "GET /" + std::to_string(i) + " HTTP/1.1\r\n\r\n";
  for (std::string_view rest = many; !rest.empty();) {
    client.send(rest.substr(0, 8000));
    rest.remove_prefix(std::min<std::size_t>(8000, rest.size()));
    world.net.run_for(std::chrono::milliseconds(1));
    client.read();
  }
  client.gets("path /2999");
  CHECK(world.handler.asked == 3001);
  CHECK(world.server->connections() == 1);
}

TEST_CASE("an answer may come later, and the next request waits for it") {
  World world;
  Client client(world);
  client.send("GET /later HTTP/1.1\r\n\r\n" + kGet);
  REQUIRE(world.net.wait([&] { return world.handler.kept.size() == 1; }));
  world.net.run_for(std::chrono::milliseconds(20));
  CHECK(world.handler.asked == 1);
  world.handler.kept[0]->respond({200, "text/plain", "at last"});
  client.gets("path /");
  CHECK(client.all.find("at last") < client.all.find("path /"));
}

TEST_CASE("a reply that is dropped says so; one whose client is gone does nothing") {
  World world;
  Client client(world);
  client.send("GET /never HTTP/1.1\r\n\r\n");
  client.gets("500 Internal");
  {
    Client gone(world);
    gone.send("GET /later HTTP/1.1\r\n\r\n");
    REQUIRE(world.net.wait([&] { return world.handler.kept.size() == 1; }));
  }
  REQUIRE(world.net.wait([&] { return world.server->connections() == 1; }));
  CHECK(world.handler.kept[0]->closed());
  world.handler.kept[0]->respond({});
}

TEST_CASE("anything but GET, bad requests and foreign names are refused") {
  World world({}, {"node1"});
  for (const auto& [text, words] : std::vector<std::pair<std::string, std::string>>{
           {"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n", "405 Method Not Allowed"},
           {"nonsense\r\n\r\n", "400 Bad Request"},
           {"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", "421 Misdirected"},
           {"GET / HTTP/1.1\r\nHost: node1:80\r\n\r\n", "200 OK"},
           {"GET / HTTP/1.1\r\nHost: [::1]\r\n\r\n", "200 OK"}}) {
    Client client(world);
    client.send(text);
    client.gets(words);
  }
}

TEST_CASE("who is slow is let go") {
  HttpLimits limits;
  limits.request = std::chrono::milliseconds(50);
  limits.idle = std::chrono::milliseconds(50);
  limits.stall = std::chrono::milliseconds(100);
  World world(limits);
  Client silent(world);
  Client half(world);
  half.send("GET / HT");
  Client idle(world);
  idle.send(kGet);
  CHECK(silent.is_ended());
  CHECK(half.is_ended());
  half.gets("408 Request Timeout");
  idle.gets("path /");
  CHECK(idle.is_ended());
  CHECK(world.net.wait([&] { return world.server->connections() == 0; }));
}

TEST_CASE("an answer that is not taken is given up") {
  HttpLimits limits;
  limits.stall = std::chrono::milliseconds(100);
  World world(limits);
  world.handler.body.assign(32 << 20, 'x');
  Client client(world);
  client.send(kGet + kGet + kGet);
  CHECK(world.net.wait([&] { return world.handler.asked == 1; }));
  CHECK(world.net.wait([&] { return world.server->connections() == 0; }));
  CHECK(world.handler.asked == 1);
}

TEST_CASE("connections are few, and an idle one gives way") {
  HttpLimits limits;
  limits.connections = 2;
  World world(limits);
  Client busy(world);
  busy.send("GET /later HTTP/1.1\r\n\r\n");
  REQUIRE(world.net.wait([&] { return world.handler.kept.size() == 1; }));
  Client idle(world);
  idle.send(kGet);
  idle.gets("path /");
  Client third(world);
  third.send("GET /later HTTP/1.1\r\n\r\n");
  REQUIRE(world.net.wait([&] { return world.handler.kept.size() == 2; }));
  CHECK(idle.is_ended());
  Client fourth(world);
  CHECK(fourth.is_ended());
  CHECK(world.server->connections() == 2);
}

TEST_CASE("a stream goes on until somebody ends it, and queues no more than so much") {
  HttpLimits limits;
  limits.streams = 1;
  World world(limits);
  Client client(world);
  client.send("GET /events HTTP/1.1\r\n\r\n");
  REQUIRE(world.net.wait([&] { return world.handler.kept.size() == 1; }));
  HttpReply& reply = *world.handler.kept[0];
  reply.begin_stream({200, "text/event-stream", ": begin\n\n"});
  client.gets(": begin");
  CHECK(reply.offer("data: 1\n\n"));
  client.gets("data: 1");
  Client another(world);
  another.send("GET /events HTTP/1.1\r\n\r\n");
  another.gets("503 Service Unavailable");
  const std::string piece(64 << 10, 'x');
  int taken = 0;
  while (taken < 1000 && reply.offer(piece))
    ++taken;
  CHECK(taken < 1000);
  CHECK_FALSE(reply.flushed());
  REQUIRE(world.net.wait([&] {
    client.read();
    return reply.flushed();
  }));
  CHECK(reply.offer("data: last\n\n"));
  reply.close();
  client.gets("data: last");
  CHECK(client.is_ended());
}

}  // namespace dagsync::test
