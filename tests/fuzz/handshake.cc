// Who becomes a peer. An input plays out what may happen to a node's links: connections come in
// and are dialed, with this certificate or that; their ends say a hello, garbage, anything; time
// passes; connections break; the configuration changes. Whatever happens, only who bears the name
// that it claims, and is configured, is connected and heard, and nobody else gets our hello.
#include <array>
#include <map>

#include "dagsync/engine/peers/peers.h"
#include "dagsync/wire/framing.h"
#include "fuzz/fuzz.h"
#include "support/fake_clock.h"
#include "support/fake_transport.h"
#include "wire/samples.h"

namespace dagsync {
namespace {

constexpr std::array kNames = {"a", "b", "c", "self", "stranger"};
constexpr std::size_t kMostConnections = 24;

NodeName name_of(std::uint8_t choice) {
  return {kNames[choice % kNames.size()]};
}

PeerConfig peer(const char* name, bool dialed) {
  PeerConfig config;
  config.name = {name};
  if (dialed) config.addresses = {std::string(name) + ":1", std::string(name) + ":2"};
  return config;
}

Hello hello_of(FuzzInput& input) {
  Hello hello;
  hello.name = name_of(input.byte());
  hello.major = input.byte() % 4 == 1 ? 2 : kProtocolMajor;
  hello.program_version = "1";
  hello.folders.push_back({"dags", {hello.name, {7}}, 3});
  return hello;
}

class Mesh {
 public:
  Mesh() { peers_.configure({peer("a", true), peer("b", true), peer("c", false)}); }

  void step(FuzzInput& input) {
    switch (input.byte() % 9) {
      case 0:
        return come_in(input);
      case 1:
        return be_dialed(input);
      case 2:
        return say(input, frame_message(hello_of(input)));
      case 3:
        return say(input, input.piece());
      case 4:
        return say(input, frame_message(Ping{3}) + frame_message(List{"dags"}) +
                              frame_chunk_header(1, 4, false) + "data");
      case 5:
        if (FarEnd* far = choose(input)) far->hang_up();
        return;
      case 6:
        return clock_.advance(std::chrono::milliseconds(37) * input.byte());
      case 7:
        if (input.byte() % 2 == 0) {
          peers_.configure({peer("b", true), peer("c", false)});
        } else {
          peers_.configure({peer("a", true), peer("b", true), peer("c", false)});
        }
        return;
      default:
        return peers_.start_dialing();
    }
  }

  void check() {
    std::map<NodeName, int> open;
    for (const NodeName& name : peers_.connected()) {
      DAGSYNC_ASSERT(peers_.config_of(name) != nullptr);
      DAGSYNC_ASSERT(connected_[name] == 1);
      ++open[name];
    }
    for (const auto& [name, count] : connected_)
      if (peers_.config_of(name) != nullptr) DAGSYNC_ASSERT(count == open[name]);
    for (const auto& end : ends_)
      check_heard(*end);
  }

  void finish() {
    peers_.stop();
    for (const auto& end : ends_)
      end->far->hang_up();
    clock_.advance(std::chrono::seconds(30));
    DAGSYNC_ASSERT(peers_.connected().empty());
    for (const auto& end : ends_)
      DAGSYNC_ASSERT(end->far->gone);
  }

 private:
  struct End {
    std::shared_ptr<FarEnd> far;
    bool dialed = false;
    std::optional<NodeName> claimed;  // in the first hello that it said
  };

  std::unique_ptr<Connection> make_end(FuzzInput& input, bool dialed) {
    auto end = std::make_unique<End>();
    end->far = std::make_shared<FarEnd>();
    end->dialed = dialed;
    end->far->identity.address = "10.0.0.1:5";
    for (std::uint8_t i = 0, count = input.byte() % 3; i < count; ++i)
      end->far->identity.names.push_back(name_of(input.byte()));
    auto connection = std::make_unique<FakeConnection>(end->far);
    ends_.push_back(std::move(end));
    return connection;
  }
  void come_in(FuzzInput& input) {
    if (ends_.size() < kMostConnections) peers_.accept(make_end(input, false));
  }
  void be_dialed(FuzzInput& input) {
    if (transport_.dials.empty() || ends_.size() >= kMostConnections) return;
    if (input.byte() % 4 == 0) {
      transport_.answer(fail(ErrorCode::kUnavailable, "nobody answers"));
    } else {
      transport_.answer(make_end(input, true));
    }
  }
  FarEnd* choose(FuzzInput& input) {
    const std::uint8_t choice = input.byte();
    return ends_.empty() ? nullptr : ends_[choice % ends_.size()]->far.get();
  }
  void say(FuzzInput& input, std::string_view bytes) {
    const std::uint8_t choice = input.byte();
    if (ends_.empty()) return;
    End& end = *ends_[choice % ends_.size()];
    speaker_ = &end;
    in_pieces(bytes, choice, 300, [&](std::string_view piece) { end.far->say(piece); });
    speaker_ = nullptr;
  }

  void connected(const NodeName& name, const Hello& hello) {
    DAGSYNC_ASSERT(speaker_ != nullptr);
    const auto& names = speaker_->far->identity.names;
    DAGSYNC_ASSERT(hello.name == name && hello.major == kProtocolMajor);
    DAGSYNC_ASSERT(std::find(names.begin(), names.end(), name) != names.end());
    DAGSYNC_ASSERT(peers_.config_of(name) != nullptr);
    DAGSYNC_ASSERT(++connected_[name] == 1);
    speaker_->claimed = name;
    current_[name] = speaker_;
  }
  void lost(const NodeName& name) { DAGSYNC_ASSERT(--connected_[name] == 0); }
  void heard(const NodeName& name) {
    DAGSYNC_ASSERT(connected_[name] == 1);
    DAGSYNC_ASSERT(speaker_ != nullptr && speaker_ == current_[name]);
  }

  // What we said on it is well formed, and begins with our hello only where we dialed or know who
  // it is.
  static void check_heard(const End& end) {
    FrameReader reader;
    reader.trust();
    bool first = true;
    const FrameReader::Handlers handlers{
        [&](Message&& message) -> Status {
          const bool is_hello = std::holds_alternative<Hello>(message);
          DAGSYNC_ASSERT(!is_hello || first);
          DAGSYNC_ASSERT(!is_hello || end.dialed || end.claimed);
          const bool is_goodbye = std::holds_alternative<Goodbye>(message);
          DAGSYNC_ASSERT(is_hello || is_goodbye || !first);
          first = false;
          return {};
        },
        [](const Chunk&) -> Status {
          DAGSYNC_ASSERT(false);
          return {};
        }};
    DAGSYNC_ASSERT(reader.feed(end.far->heard, handlers).has_value());
  }

  FakeClock clock_;
  FakeRandom random_;
  FakeTransport transport_;
  std::map<NodeName, int> connected_;       // hellos that were taken, less losses
  std::map<NodeName, const End*> current_;  // on which a name was connected last
  std::vector<std::unique_ptr<End>> ends_;
  End* speaker_ = nullptr;
  Peers peers_{{"self"},
               clock_,
               random_,
               transport_,
               {[] {
                  Hello hello;
                  hello.name = {"self"};
                  return hello;
                },
                [this](const NodeName& name, const Hello& hello) { connected(name, hello); },
                [this](const NodeName& name) { lost(name); },
                [this](const NodeName& name, const Message&) { heard(name); },
                [this](const NodeName& name, const Chunk&) { heard(name); }}};
};

}  // namespace

std::vector<std::string> fuzz_seeds() {
  const std::string come_in_as_a("\0\1\0", 3);
  const std::string hello_of_a("\2\0\0\0", 4);  // name, major, which end
  const std::string talk("\4\0", 2);
  const std::string later("\6\xFF", 2);
  const std::string reconfigure("\7\0\7\1", 4);
  const std::string be_dialed_as_a("\1\1\1\0", 4);
  const std::string hang_up("\5\0", 2);
  std::string in_pieces = "\3";
  in_pieces += fuzz_piece(frame_message(test::one_of_each().front())) + '\0';
  return {
      come_in_as_a + hello_of_a + talk + later + later + hang_up,
      "\x8" + be_dialed_as_a + hello_of_a + talk + talk + later,
      "\x8" + be_dialed_as_a + come_in_as_a + hello_of_a + std::string("\2\0\0\1", 4) + talk,
      come_in_as_a + hello_of_a + reconfigure + talk + come_in_as_a + std::string("\2\0\0\1", 4),
      come_in_as_a + in_pieces + later,
      come_in_as_a + std::string("\2\1\0\0", 4) + come_in_as_a + std::string("\2\0\1\1", 4)};
}

}  // namespace dagsync

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace dagsync;
  FuzzInput input(data, size);
  Mesh mesh;
  for (int steps = 0; steps < 100 && !input.empty(); ++steps) {
    mesh.step(input);
    mesh.check();
  }
  mesh.finish();
  return 0;
}
