// The links of one node, "m", to its peers: a and z, which it dials, and one that dials it.
#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "dagsync/engine/peers/peers.h"
#include "support/fake_clock.h"
#include "support/heard.h"

namespace dagsync {

inline PeerConfig peer_config(const std::string& name, std::vector<std::string> addresses = {}) {
  PeerConfig config;
  config.name = {name};
  config.addresses = std::move(addresses);
  return config;
}

struct PeersWorld {
  using Names = std::vector<std::string>;

  FakeClock clock;
  FakeRandom random;
  FakeTransport transport;
  Names events;
  Names refused;  // why, of those that dialed us
  Peers peers;

  explicit PeersWorld(const std::string& self = "m")
      : peers({self}, clock, random, transport,
              {[self] { return hello_from(self); },
               [this](const NodeName& name, const Hello&) { note("connected", name); },
               [this](const NodeName& name) { note("lost", name); },
               [this](const NodeName& name, const Message&) { note("message", name); },
               [this](const NodeName& name, const Chunk&) { note("chunk", name); },
               [this](const std::string&, const std::string& why) { refused.push_back(why); }}) {
    peers.configure(
        {peer_config("a", {"a:1", "a:2"}), peer_config("z", {"z:1"}), peer_config("dials-us")});
  }

  void note(const std::string& what, const NodeName& name) {
    events.push_back(what + " " + name.value);
  }
  [[nodiscard]] Names take_events() { return std::exchange(events, {}); }

  static std::pair<std::shared_ptr<FarEnd>, std::unique_ptr<Connection>> make_end(
      const Names& certificate) {
    auto far = std::make_shared<FarEnd>();
    far->identity.address = "10.0.0.9:7411";
    for (const std::string& name : certificate)
      far->identity.names.push_back({name});
    return {far, std::make_unique<FakeConnection>(far)};
  }
  std::shared_ptr<FarEnd> come_in(const Names& certificate) {
    auto [far, connection] = make_end(certificate);
    peers.accept(std::move(connection));
    return far;
  }
  // The oldest dialing meets somebody with this certificate.
  std::shared_ptr<FarEnd> be_dialed(const Names& certificate) {
    auto [far, connection] = make_end(certificate);
    REQUIRE(transport.answer(std::move(connection)));
    return far;
  }
  static void greet(FarEnd& far, const std::string& name) {
    far.say(frame_message(hello_from(name)));
  }
  // We dialed z, which has not said hello yet.
  std::shared_ptr<FarEnd> dial_z() {
    peers.start_dialing();
    REQUIRE(transport.answer(fail(ErrorCode::kUnavailable, "a is not there")));
    return be_dialed({"z"});
  }
  // a is connected: it dialed.
  std::shared_ptr<FarEnd> connect(const std::string& name) {
    auto far = come_in({name});
    greet(*far, name);
    REQUIRE(take_events() == Names{"connected " + name});
    return far;
  }
  [[nodiscard]] PeerStatus status_of(const std::string& name) const {
    for (const PeerStatus& status : peers.status())
      if (status.name.value == name) return status;
    FAIL("no peer " << name);
    return {};
  }
  [[nodiscard]] Names addresses_dialed() const {
    Names addresses;
    for (const auto& dial : transport.dials)
      if (!*dial.given_up) addresses.push_back(dial.address);
    return addresses;
  }
};

}  // namespace dagsync
