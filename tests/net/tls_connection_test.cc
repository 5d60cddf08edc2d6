#include "net/tls_connection.h"

#include <doctest/doctest.h>

#include "net/net_fixture.h"

namespace dagsync::test {
namespace {

using std::chrono::milliseconds;

}  // namespace

TEST_CASE("bytes that come before the start are kept for it") {
  Net net;
  TestCa ca;
  Node node1(net, ca.issue({"node1"}));
  Node node2(net, ca.issue({"node2"}));
  const std::string address = node2.listen();
  std::unique_ptr<Connection> near;
  const std::string text(3 << 20, 'x');
  // Sent in the very call that hands the connection over: it comes along with the handshake's end.
  const auto dialing = node1.transport->dial(address, NodeName{"node2"}, [&](auto dialed) {
    REQUIRE(dialed.has_value());
    near = std::move(*dialed);
    near->send("first, ");
    near->send(text);
  });
  const auto far = node2.next_accepted();
  // Meanwhile others come and are read, into the same buffer.
  auto other = node1.dial(address, "node2");
  REQUIRE(other.has_value());
  (*other)->send(std::string(1 << 20, 'o'));
  const auto other_far = node2.next_accepted();
  Seen other_seen;
  other_far->start(other_seen.handlers());
  CHECK(net.wait([&] { return other_seen.data.size() == 1 << 20; }));
  Seen seen;
  far->start(seen.handlers());
  CHECK(seen.data.empty());  // not from within the call
  CHECK(net.wait([&] { return seen.data.size() == text.size() + 7; }));
  CHECK(seen.data == "first, " + text);
}

TEST_CASE("a start in the call that hands it over loses nothing") {
  Net net;
  TestCa ca;
  Node node1(net, ca.issue({"node1"}));
  Node node2(net, ca.issue({"node2"}));
  Seen near;
  Seen far;
  std::unique_ptr<Connection> ends[2];
  const std::string address = free_address();
  REQUIRE(node2.transport->listen({address}, [&](auto accepted) {
    ends[1] = std::move(accepted);
    ends[1]->start(far.handlers());
    ends[1]->send("welcome");
  }));
  const auto dialing = node1.transport->dial(address, NodeName{"node2"}, [&](auto dialed) {
    ends[0] = std::move(*dialed);
    ends[0]->send("hello");
    ends[0]->start(near.handlers());
  });
  CHECK(net.wait([&] { return near.data == "welcome" && far.data == "hello"; }));
}

TEST_CASE("finish writes what was sent, and both ends are told once") {
  Net net;
  Pair pair(net);
  Seen near;
  Seen far;
  pair.near->start(near.handlers());
  pair.far->start(far.handlers());
  pair.far->send("what comes after a goodbye is dropped");
  const std::string text(8 << 20, 'x');
  pair.near->send(text);
  pair.near->finish();
  pair.near->send("nothing follows a goodbye");
  CHECK(near.closed == 0);
  CHECK(net.wait([&] { return near.closed > 0 && far.closed > 0; }));
  CHECK(far.data == text);
  CHECK(near.closed == 1);
  CHECK(far.closed == 1);
  CHECK(far.why.code == ErrorCode::kUnavailable);
  pair.near->finish();
  pair.near->send("nor this");
  net.run_for(milliseconds(20));
  CHECK(near.closed == 1);
}

TEST_CASE("one that brings more than is handled in time lets the loop have its turns") {
  Net net;
  Pair pair(net);
  Seen near;
  pair.near->start(near.handlers());
  std::size_t seen = 0;
  int calls = 0;
  int turns = 0;
  std::function<void()> count_turns = [&] {
    ++turns;
    if (seen < 4 << 20) net.loop.post(count_turns);
  };
  pair.far->start({[&](std::string_view bytes) {
                     seen += bytes.size();
                     ++calls;
                     const auto until = std::chrono::steady_clock::now() + milliseconds(15);
                     while (std::chrono::steady_clock::now() < until) {
                     }
                   },
                   [] {}, [](const Error&) {}});
  pair.near->send(std::string(4 << 20, 'x'));
  net.loop.post(count_turns);
  CHECK(net.wait([&] { return seen == 4 << 20; }));
  CHECK(turns >= calls - 1);
}

TEST_CASE("both ends may finish at once") {
  Net net;
  Pair pair(net);
  Seen near;
  Seen far;
  pair.near->start(near.handlers());
  pair.far->start(far.handlers());
  pair.near->finish();
  pair.far->finish();
  CHECK(net.wait([&] { return near.closed > 0 && far.closed > 0; }));
  CHECK(near.closed == 1);
  CHECK(far.closed == 1);
}

TEST_CASE("a finish does not wait for ever for an end that does not read") {
  Net net;
  TlsLimits limits;
  limits.goodbye = milliseconds(100);
  Pair pair(net, limits);
  Seen near;
  pair.near->start(near.handlers());
  pair.near->send(std::string(64 << 20, 'x'));  // far is not started
  CHECK(pair.near->queued_bytes() > Connection::kLowWater);
  pair.near->finish();
  CHECK(net.wait([&] { return near.closed == 1; }));
  CHECK(pair.near->queued_bytes() == 0);
}

TEST_CASE("an end that vanishes is told to the other, once") {
  Net net;
  Pair pair(net);
  Seen far;
  pair.far->start(far.handlers());
  pair.near.reset();
  CHECK(net.wait([&] { return far.closed == 1; }));
  CHECK(far.why.code == ErrorCode::kUnavailable);
  CHECK(far.why.message.find("127.0.0.1:") == 0);
  pair.far->send("to nobody");
  net.run_for(milliseconds(20));
  CHECK(far.closed == 1);
}

TEST_CASE("sending to an end that vanished is told, never from within the call") {
  Net net;
  Pair pair(net);
  Seen far;
  pair.far->start(far.handlers());
  pair.near.reset();
  const std::string text(1 << 20, 'x');
  bool told_within = false;
  CHECK(net.wait([&] {
    const int before = far.closed;
    pair.far->send(text);
    told_within = told_within || far.closed != before;
    return far.closed > 0;
  }));
  CHECK_FALSE(told_within);
  net.run_for(milliseconds(20));
  CHECK(far.closed == 1);
}

TEST_CASE("a connection may be destroyed in each of its handlers") {
  Net net;
  Pair pair(net);
  const auto held = std::make_shared<int>(1);  // by the handlers, and looked at after the end
  int calls = 0;
  const auto end_it = [&, held] {
    pair.far.reset();
    CHECK(*held == 1);
    ++calls;
  };
  Connection::Handlers handlers;
  SUBCASE("on_data") {
    handlers.on_data = [end_it](std::string_view) { end_it(); };
    pair.far->start(handlers);
    pair.near->send(std::string(1 << 20, 'x'));
  }
  SUBCASE("on_closed by the other end's goodbye") {
    handlers.on_closed = [end_it](const Error&) { end_it(); };
    pair.far->start(handlers);
    pair.near->finish();
  }
  SUBCASE("on_closed by the other end's death") {
    handlers.on_closed = [end_it](const Error&) { end_it(); };
    pair.far->start(handlers);
    pair.near.reset();
  }
  SUBCASE("on_closed by its own finish") {
    handlers.on_closed = [end_it](const Error&) { end_it(); };
    pair.far->start(handlers);
    pair.far->finish();
    pair.near->finish();
  }
  SUBCASE("on_drained") {
    handlers.on_drained = end_it;
    pair.far->start(handlers);
    Seen near;
    pair.far->send(std::string(32 << 20, 'x'));
    REQUIRE(pair.far->queued_bytes() > Connection::kLowWater);
    pair.near->start(near.handlers());
    CHECK(net.wait([&] { return calls == 1; }));
    pair.near.reset();
  }
  handlers = {};
  CHECK(net.wait([&] { return calls == 1; }));
  net.run_for(milliseconds(20));
  CHECK(calls == 1);
  CHECK(pair.far == nullptr);
}

TEST_CASE("nothing is told after the destruction, not even what was posted before") {
  Net net;
  Pair pair(net);
  Seen far;
  pair.near->send("hello");
  net.run_for(milliseconds(20));
  pair.far->start(far.handlers());
  pair.far.reset();
  net.run_for(milliseconds(20));
  CHECK(far.data.empty());
  CHECK(far.closed == 0);
}

TEST_CASE("a finish in on_data ends the reading") {
  Net net;
  Pair pair(net);
  Seen near;
  int calls = 0;
  int closed = 0;
  pair.near->start(near.handlers());
  pair.far->start({[&](std::string_view) {
                     ++calls;
                     pair.far->finish();
                   },
                   nullptr, [&](const Error&) { ++closed; }});
  pair.near->send(std::string(1 << 20, 'x'));
  CHECK(net.wait([&] { return closed == 1 && near.closed == 1; }));
  CHECK(calls == 1);
}

}  // namespace dagsync::test
