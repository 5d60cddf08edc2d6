// A network without bytes on a wire: the test is the other end of every connection.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dagsync/ports/transport.h"

namespace dagsync {

// The other end of one connection; outlives it.
struct FarEnd {
  PeerIdentity identity;
  Connection::Handlers handlers;   // of the near end, from its start() on
  std::string heard;               // what was sent to us, and nobody has taken out
  std::uint64_t heard_in_all = 0;  // bytes
  std::size_t queued = 0;          // what the near end believes to be on its way
  bool finished = false;           // the near end wants to close in order
  bool gone = false;               // the near end was destroyed

  void say(std::string_view bytes) {
    if (gone || !handlers.on_data) return;
    const auto call = handlers.on_data;  // the connection may be destroyed from within
    call(bytes);
  }
  void hang_up(Error error = {ErrorCode::kUnavailable, "the connection was reset"}) {
    if (gone || !handlers.on_closed) return;
    const auto call = handlers.on_closed;
    call(std::move(error));
  }
};

class FakeConnection final : public Connection {
 public:
  explicit FakeConnection(std::shared_ptr<FarEnd> far) : far_(std::move(far)) {}
  ~FakeConnection() override { far_->gone = true; }

  void start(Handlers handlers) override { far_->handlers = std::move(handlers); }
  void send(std::span<const std::string_view> parts) override {
    for (const std::string_view part : parts) {
      far_->heard += part;
      far_->heard_in_all += part.size();
    }
  }
  void finish() override { far_->finished = true; }
  std::size_t queued_bytes() const override { return far_->queued; }
  const PeerIdentity& identity() const override { return far_->identity; }
  std::uint64_t bytes_sent() const override { return far_->heard_in_all; }
  std::uint64_t bytes_received() const override { return 0; }

 private:
  std::shared_ptr<FarEnd> far_;
};

class FakeTransport final : public Transport {
 public:
  struct Dial {
    std::string address;
    NodeName expected;
    OnDialed on_dialed;
    std::shared_ptr<bool> given_up;
  };

  Status listen(const std::vector<std::string>&, OnAccept on_accept) override {
    accept = std::move(on_accept);
    return {};
  }
  std::unique_ptr<Dialing> dial(const std::string& address, const NodeName& expected,
                                OnDialed on_dialed) override {
    auto given_up = std::make_shared<bool>(false);
    dials.push_back({address, expected, std::move(on_dialed), given_up});
    return std::make_unique<Handle>(given_up);
  }

  // Ends the oldest dialing that nobody gave up; false: there is none.
  bool answer(Result<std::unique_ptr<Connection>> connection) {
    while (!dials.empty()) {
      const Dial dial = std::move(dials.front());
      dials.erase(dials.begin());
      if (*dial.given_up) continue;
      dial.on_dialed(std::move(connection));
      return true;
    }
    return false;
  }

  std::vector<Dial> dials;  // under way, oldest first; given up ones too
  OnAccept accept;

 private:
  struct Handle final : Dialing {
    explicit Handle(std::shared_ptr<bool> flag) : given_up(std::move(flag)) {}
    ~Handle() override { *given_up = true; }
    std::shared_ptr<bool> given_up;
  };
};

}  // namespace dagsync
