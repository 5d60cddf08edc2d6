// Much at once, in both directions.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "dagsync/base/digest.h"
#include "net/net_fixture.h"

namespace dagsync::test {
namespace {

constexpr std::size_t kTotal = 64 << 20;
constexpr std::size_t kHighWater = 4 << 20;

// Sends kTotal bytes, never more than a piece over kHighWater in the queue, and digests what comes.
class Pump {
 public:
  Pump(Connection& connection, std::uint64_t seed) : connection_(connection), state_(seed) {
    connection_.start({[this](std::string_view bytes) {
                         received_ += bytes.size();
                         came_.update(bytes);
                       },
                       [this] {
                         ++drained_;
                         push();
                       },
                       [](const Error& why) { FAIL(why.message); }});
  }

  void push() {
    while (sent_ < kTotal && connection_.queued_bytes() < kHighWater) {
      const std::string piece = next_piece();
      connection_.send(piece);
      went_.update(piece);
      sent_ += piece.size();
      most_queued_ = std::max(most_queued_, connection_.queued_bytes());
    }
  }

  [[nodiscard]] bool is_done() const { return sent_ == kTotal && received_ == kTotal; }
  [[nodiscard]] Digest went() const { return went_.finish(); }
  [[nodiscard]] Digest came() const { return came_.finish(); }
  [[nodiscard]] int drained() const { return drained_; }
  [[nodiscard]] std::size_t most_queued() const { return most_queued_; }

 private:
  // Of 1 byte to a megabyte.
  std::string next_piece() {
    const std::size_t size =
        std::min<std::size_t>(1 + next() % (1 << (next() % 21)), kTotal - sent_);
    std::string piece(size, '\0');
    for (std::size_t at = 0; at < size; at += sizeof(std::uint64_t)) {
      const std::uint64_t value = next();
      std::memcpy(piece.data() + at, &value, std::min(sizeof value, size - at));
    }
    return piece;
  }

  std::uint64_t next() {  // xorshift64
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_;
  }

  Connection& connection_;
  std::uint64_t state_;
  DigestStream went_;
  DigestStream came_;
  std::size_t sent_ = 0;
  std::size_t received_ = 0;
  std::size_t most_queued_ = 0;
  int drained_ = 0;
};

}  // namespace

TEST_CASE("64 MiB go both ways at once, intact, and the queue stays short") {
  Net net;
  Pair pair(net);
  Pump near(*pair.near, 1);
  Pump far(*pair.far, 2);
  near.push();
  far.push();
  REQUIRE(net.wait([&] { return near.is_done() && far.is_done(); }, std::chrono::seconds(120)));
  CHECK(near.came() == far.went());
  CHECK(far.came() == near.went());
  CHECK(near.drained() > 0);
  CHECK(far.drained() > 0);
  for (const Pump* pump : {&near, &far})
    CHECK(pump->most_queued() < kHighWater + (2 << 20));
  CHECK(pair.near->bytes_sent() > kTotal);
  CHECK(pair.near->bytes_sent() < kTotal + kTotal / 50);
  CHECK(pair.near->bytes_sent() == pair.far->bytes_received());
}

}  // namespace dagsync::test
