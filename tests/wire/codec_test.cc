#include "dagsync/wire/codec.h"

#include <doctest/doctest.h>

#include "wire/samples.h"

using namespace dagsync;

namespace {

constexpr std::uint64_t kCodecSeed = 20260101;

std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  return bytes;
}

bool is_stable(const Message& message) {
  const Result<Message> back = decode(encode(message));
  return back.has_value() && *back == message;
}

}  // namespace

TEST_CASE("a message of each kind comes back as it was") {
  for (const Message& message : test::one_of_each()) {
    CAPTURE(message.index());
    const Result<Message> back = decode(encode(message));
    REQUIRE_MESSAGE(back.has_value(), (back ? "" : back.error().message));
    CHECK(*back == message);
  }
}

TEST_CASE("any valid message comes back as it was") {
  test::Random random(kCodecSeed);
  for (int i = 0; i < 3000; ++i) {
    CAPTURE(i);
    const Message message = test::random_message(random);
    const Result<Message> back = decode(encode(message));
    REQUIRE_MESSAGE(back.has_value(), (back ? "" : back.error().message));
    CHECK(*back == message);
  }
}

TEST_CASE("an author without a sequence says nothing and does not travel") {
  Knowledge knowledge;
  knowledge.add({test::author("node1", 7), 1});
  knowledge.remove({test::author("node1", 7), 1});
  const Result<Message> back = decode(encode(SnapshotEnd{"dags", knowledge}));
  REQUIRE(back.has_value());
  CHECK(std::get<SnapshotEnd>(*back).knowledge == Knowledge());
}

TEST_CASE("a text for people that is too long is cut, not refused") {
  const Result<Message> back = decode(encode(FetchEnd{1, std::string(9000, 'x')}));
  REQUIRE(back.has_value());
  CHECK(std::get<FetchEnd>(*back).error == std::string(kMaxTextBytes, 'x'));
}

TEST_CASE("bytes cut off anywhere decode to something valid or fail") {
  for (const Message& message : test::one_of_each()) {
    const std::string bytes = encode(message);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const Result<Message> back = decode(std::string_view(bytes).substr(0, size));
      if (back) CHECK(is_stable(*back));
    }
  }
}

TEST_CASE("bytes changed anyhow decode to something valid or fail") {
  test::Random random(kCodecSeed);
  int accepted = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string bytes = encode(test::random_message(random));
    for (std::uint64_t change = 0, changes = 1 + random() % 4; change < changes; ++change) {
      if (bytes.empty()) break;
      const std::size_t at = random() % bytes.size();
      switch (random() % 3) {
        case 0:
          bytes[at] = static_cast<char>(random());
          break;
        case 1:
          bytes.erase(at, 1 + random() % 8);
          break;
        default:
          bytes.insert(at, 1 + random() % 4, static_cast<char>(random()));
          break;
      }
    }
    const Result<Message> back = decode(bytes);
    if (!back) continue;
    ++accepted;
    CHECK(is_stable(*back));
  }
  CHECK(accepted > 100);  // else this has tested little
}

TEST_CASE("two thousand records take less than 100 bytes each") {
  Announce announce{"dags", {}, false, 0};
  for (int i = 0; i < 2000; ++i) {
    Change change = test::file_change("dags/team/pipeline_" + std::to_string(i) + ".py");
    change.record.content.mtime = {1'700'000'000'123'456'789 + i};
    change.record.stamp = change.record.content.mtime;
    announce.items.push_back({change, {}});
  }
  CHECK(encode(announce).size() < 2000 * 100);
}

TEST_CASE("no item of an announcement is longer than its bound") {
  test::Random random(kCodecSeed);
  for (int i = 0; i < 2000; ++i) {
    const Message message = test::random_message(random);
    const auto* announce = std::get_if<Announce>(&message);
    if (announce == nullptr) continue;
    std::size_t bound = kAnnounceOverhead;
    for (const Announce::Item& item : announce->items)
      bound += encoded_bound(item);
    CHECK(encode(message).size() <= bound);
  }
}

TEST_CASE("a kind of message from a later version is told apart from nonsense") {
  CHECK(decode(from_hex("827d026869")).error().code == ErrorCode::kUnsupported);  // body 2000
  CHECK(decode(from_hex("2202")).error().code == ErrorCode::kInvalid);
}

TEST_CASE("a field from a later version is ignored") {
  // Ping{3} with a field 99 in it, and one in the envelope.
  const Result<Message> back =
      decode(from_hex("7205"
                      "0803"
                      "980601"
                      "980601"));
  REQUIRE(back.has_value());
  CHECK(*back == Message(Ping{3}));
}
