// What a peer may not say.
#include <doctest/doctest.h>

#include <limits>

#include "dagsync/wire/codec.h"
#include "wire/samples.h"

using namespace dagsync;

namespace {

// Protobuf by hand, for what encode() cannot be made to say.
std::string varint(std::uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7)
    out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
  return out;
}
std::string number(int field, std::uint64_t value) {
  return varint(static_cast<std::uint64_t>(field) << 3) + varint(value);
}
std::string bytes(int field, std::string_view value) {
  return varint(static_cast<std::uint64_t>(field) << 3 | 2) + varint(value.size()) +
         std::string(value);
}
std::string author_row(std::string_view node) {
  return bytes(1, bytes(1, node));
}
const std::string kTwoAuthors = author_row("a") + author_row("b");

bool is_refused(const Message& message) {
  const Result<Message> back = decode(encode(message));
  return !back && back.error().code == ErrorCode::kInvalid;
}
bool is_refused_bytes(std::string_view message) {
  const Result<Message> back = decode(message);
  return !back && back.error().code == ErrorCode::kInvalid;
}

bool is_refused_change(void (*spoil)(Change&)) {
  Change change = test::file_change();
  spoil(change);
  return is_refused(test::announce(change));
}

bool is_refused_change_at(std::int64_t time, UnixNanos& (*field)(Change&)) {
  Change change = test::file_change();
  field(change) = {time};
  return is_refused(test::announce(change));
}

// A change of `bad`, written over a good path of the same length.
bool is_refused_path(std::string_view bad) {
  std::string good(bad.size(), 'P');
  if (bad.size() > 100) good[100] = '/';
  std::string message = encode(test::announce(test::file_change(good)));
  message.replace(message.find(good), good.size(), bad);
  return is_refused_bytes(message);
}

std::string snapshot_end(std::string_view knowledge) {
  return kTwoAuthors + bytes(7, bytes(1, "dags") + bytes(2, knowledge));
}
std::string column(int field, std::initializer_list<std::uint64_t> values) {
  std::string packed;
  for (const std::uint64_t value : values)
    packed += varint(value);
  return bytes(field, packed);
}
std::string knowledge(std::initializer_list<std::uint64_t> authors,
                      std::initializer_list<std::uint64_t> counts,
                      std::initializer_list<std::uint64_t> bounds) {
  return snapshot_end(column(1, authors) + column(2, counts) + column(3, bounds));
}

// A tombstone of "f" whose `seen` is as given.
std::string announce_seen(std::string_view seen) {
  return kTwoAuthors + bytes(5, bytes(1, "dags") + bytes(2, bytes(1, bytes(1, "f") + number(3, 1) +
                                                                         bytes(13, seen))));
}

}  // namespace

TEST_CASE("a path that could leave the folder is refused") {
  CHECK(!is_refused_path("dags/x.py"));
  for (const std::string_view bad : {"..", ".", "/etc", "a/../b", "a//b", "a/", "a/.", "../a"})
    CHECK(is_refused_path(bad));
  CHECK(is_refused_path(std::string_view("a\0b", 3)));
  CHECK(is_refused_path(std::string(256, 'n')));
  CHECK(is_refused_change([](Change& change) { change.path = RelPath(); }));
  Fetch fetch{"dags", 1, RelPath(), Digest(), 0, "", 0};
  CHECK(is_refused(fetch));
}

TEST_CASE("a record with a field that it cannot have is refused") {
  CHECK(is_refused_change([](Change& c) { c.record.content.mode = 010000; }));
  CHECK(is_refused_change([](Change& c) { c.record.content.kind = static_cast<Kind>(4); }));
  CHECK(is_refused_change([](Change& c) { c.record.content.target = "x"; }));
  CHECK(is_refused_change([](Change& c) { c.record.content.size = ~std::uint64_t{0}; }));
  CHECK(is_refused_change([](Change& c) { c.id.sequence = 0; }));
  CHECK(is_refused_change([](Change& c) { c.record.origin.sequence = 43; }));
  CHECK(is_refused_change([](Change& c) { c.record.seen = VersionVector(); }));
  CHECK(is_refused_change([](Change& c) { c.record.version = VersionVector(); }));
  CHECK(is_refused_change([](Change& c) { c.id.author = AuthorId({"Node1"}, {1}); }));
}

TEST_CASE("a tombstone is all zero") {
  const auto is_refused_tombstone = [](Content content) {
    Change change = test::file_change();
    change.record.content = content;
    return is_refused(test::announce(change));
  };
  constexpr Kind kGone = Kind::kTombstone;
  CHECK(!is_refused_tombstone({}));
  CHECK(is_refused_tombstone({kGone, 1, 0, {}, {}, ""}));
  CHECK(is_refused_tombstone({kGone, 0, 1, {}, {}, ""}));
  CHECK(is_refused_tombstone({kGone, 0, 0, {}, {1}, ""}));
  CHECK(is_refused_tombstone({kGone, 0, 0, {}, {}, "x"}));
  CHECK(is_refused_tombstone({Kind::kDirectory, 0755, 0, {}, {1}, ""}));
}

TEST_CASE("an owner is a user and a group, of what is there") {
  const auto is_refused_owner = [](Kind kind, const std::string& owner) {
    Change change = test::file_change();
    if (kind != Kind::kFile) change.record.content = {};
    change.record.content.kind = kind;
    change.record.content.owner = owner;
    return is_refused(test::announce(change));
  };
  const std::string longest(256, 'x');
  CHECK(!is_refused_owner(Kind::kFile, longest + ":" + longest));
  CHECK(!is_refused_owner(Kind::kDirectory, "a:1"));
  CHECK(is_refused_owner(Kind::kTombstone, "a:b"));
  for (const std::string& bad : {longest + "x:b", std::string("a"), std::string("a:b:c"),
                                 std::string("a:"), std::string("../a:b"), std::string("a\0:b", 4)})
    CHECK(is_refused_owner(Kind::kFile, bad));
}

TEST_CASE("a symlink has a target that the system can take") {
  const auto is_refused_target = [](std::string target) {
    Change change = test::file_change();
    change.record.content = {Kind::kSymlink, 0, 0, {}, {1}, std::move(target)};
    return is_refused(test::announce(change));
  };
  CHECK(!is_refused_target("../../outside"));  // a link is data: it is never followed
  CHECK(!is_refused_target(std::string(4095, 't')));
  CHECK(is_refused_target(std::string(4096, 't')));
  CHECK(is_refused_target(""));
  CHECK(is_refused_target(std::string("a\0b", 3)));
}

TEST_CASE("a content that travels along fits its record and the limit") {
  const auto is_refused_content = [](Change change, auto content) {
    Announce announce = test::announce(std::move(change));
    announce.items[0].content = std::move(content);
    return is_refused(announce);
  };
  Change change = test::file_change();
  CHECK(!is_refused_content(change, Announce::Whole{"12345"}));
  CHECK(is_refused_content(change, Announce::Whole{"123456"}));
  change.record.content.size = kMaxInlineBytes;
  CHECK(!is_refused_content(change, Announce::Whole{std::string(kMaxInlineBytes, 'x')}));
  CHECK(!is_refused_content(change, Announce::Delta{{}, std::string(kMaxInlineDelta, 'x')}));
  CHECK(is_refused_content(change, Announce::Delta{{}, std::string(kMaxInlineDelta + 1, 'x')}));
  change.record.content.size = kMaxInlineBytes + 1;
  CHECK(is_refused_content(change, Announce::Whole{std::string(kMaxInlineBytes + 1, 'x')}));
  change.record.content = {};
  CHECK(is_refused_content(change, Announce::Whole{""}));
}

TEST_CASE("names are what they say they are") {
  CHECK(is_refused(List{""}));
  CHECK(is_refused(List{"da\ngs"}));
  CHECK(!is_refused(List{std::string(255, 'f')}));
  CHECK(is_refused(List{std::string(256, 'f')}));
  CHECK(is_refused(Hello{1, 0, {"*.example.org"}, "", {}, {}, false}));
  CHECK(is_refused(Tell{"dags", test::author("a", 1), {}, {}, {{"-x"}}, 0}));

  for (const std::string_view good : {"a", "node1", "n-1.example.org", "0.a_b"})
    CHECK(is_dns_name(good));
  for (const std::string_view bad :
       {"", ".", "a.", ".a", "a..b", "-a", "a-", "A", "a b", "a/b", "*"})
    CHECK_FALSE(is_dns_name(bad));
  const std::string label(63, 'l');
  CHECK(is_dns_name(label + "." + label + "." + label + "." + label.substr(2)));
  CHECK_FALSE(is_dns_name(label + "." + label + "." + label + "." + label.substr(1)));
  CHECK_FALSE(is_dns_name(label + "l"));
}

TEST_CASE("a text for people stays on its line") {
  const Result<Message> back = decode(encode(Goodbye{"bye\n2026-01-01 error \x1b[2Jforged"}));
  REQUIRE(back.has_value());
  CHECK(std::get<Goodbye>(*back).reason == "bye\\x0a2026-01-01 error \\x1b[2Jforged");
  CHECK(std::get<Goodbye>(*decode(encode(Goodbye{"gr\xc3\xbc\xc3\x9f"}))).reason ==
        "gr\xc3\xbc\xc3\x9f");
}

TEST_CASE("knowledge is intervals in order") {
  CHECK(!is_refused_bytes(knowledge({0, 1}, {2, 1}, {1, 2, 4, 4, 1, 9})));
  CHECK(is_refused_bytes(knowledge({0}, {1}, {0, 2})));            // sequence 0
  CHECK(is_refused_bytes(knowledge({0}, {1}, {3, 2})));            // first after last
  CHECK(is_refused_bytes(knowledge({0}, {2}, {1, 2, 3, 4})));      // adjacent
  CHECK(is_refused_bytes(knowledge({0}, {2}, {5, 6, 1, 2})));      // out of order
  CHECK(is_refused_bytes(knowledge({0}, {2}, {5, ~0ull, 0, 2})));  // beyond the last number
  CHECK(is_refused_bytes(knowledge({0}, {1}, {1, 2, 4, 4})));      // of nobody
  CHECK(is_refused_bytes(knowledge({0}, {3}, {1, 2, 4, 4})));
  CHECK(is_refused_bytes(knowledge({0}, {~0u}, {1, 2})));
  CHECK(is_refused_bytes(knowledge({0}, {1}, {1})));
  CHECK(is_refused_bytes(knowledge({0, 1}, {1}, {1, 2})));
  CHECK(is_refused_bytes(knowledge({0}, {0}, {})));
  CHECK(is_refused_bytes(knowledge({1, 0}, {1, 1}, {1, 2, 1, 2})));
  CHECK(is_refused_bytes(knowledge({0, 0}, {1, 1}, {1, 2, 5, 6})));
  CHECK(is_refused_bytes(knowledge({2}, {1}, {1, 2})));
}

TEST_CASE("a vector names known authors in order, with sequences above 0") {
  CHECK(!is_refused_bytes(announce_seen(column(1, {0, 1}) + column(2, {1, 5}))));
  CHECK(is_refused_bytes(announce_seen(column(1, {0, 1}) + column(2, {1}))));
  CHECK(is_refused_bytes(announce_seen(column(1, {0, 1}) + column(2, {1, 0}))));
  CHECK(is_refused_bytes(announce_seen(column(1, {1, 0}) + column(2, {5, 1}))));
  CHECK(is_refused_bytes(announce_seen(column(1, {0, 0}) + column(2, {1, 1}))));
  CHECK(is_refused_bytes(announce_seen(column(1, {0, 2}) + column(2, {1, 5}))));
}

TEST_CASE("an author stands once in the table") {
  CHECK(!is_refused_bytes(author_row("a") + author_row("b") + bytes(8, bytes(1, "dags"))));
  CHECK(is_refused_bytes(author_row("a") + author_row("a") + bytes(8, bytes(1, "dags"))));
  CHECK(is_refused_bytes(author_row("A") + bytes(8, bytes(1, "dags"))));
}

TEST_CASE("a sequence has a next one") {
  constexpr Sequence kBeyond = kMaxSequence + 1;
  const auto is_refused_hello = [](Sequence sequence) {
    Hello hello{1, 0, {"node1"}, "", {}, {}, false};
    hello.folders = {{"dags", test::author("a", 1), sequence}};
    return is_refused(hello);
  };
  CHECK(!is_refused_hello(0));
  CHECK(!is_refused_hello(kMaxSequence));
  CHECK(is_refused_hello(kBeyond));

  const auto is_refused_id = [](Sequence sequence) {
    Change change = test::file_change();
    change.id.sequence = sequence;
    return is_refused(test::announce(change));
  };
  CHECK(!is_refused_id(kMaxSequence));
  CHECK(is_refused_id(kBeyond));

  CHECK(!is_refused_bytes(announce_seen(column(1, {0, 1}) + column(2, {1, kMaxSequence}))));
  CHECK(is_refused_bytes(announce_seen(column(1, {0, 1}) + column(2, {1, kBeyond}))));
  CHECK(!is_refused_bytes(knowledge({0}, {2}, {1, 2, 4, kMaxSequence})));
  CHECK(is_refused_bytes(knowledge({0}, {2}, {1, 2, 4, kBeyond})));
  CHECK(is_refused_bytes(knowledge({0}, {1}, {kBeyond, kBeyond})));
}

TEST_CASE("a time can be added to") {
  const auto is_refused_at = [](std::int64_t time) {
    const bool stamp = is_refused_change_at(
        time, [](Change & c) -> auto& { return c.record.stamp; });
    const bool mtime = is_refused_change_at(
        time, [](Change & c) -> auto& { return c.record.content.mtime; });
    const bool pong = is_refused(Pong{1, {time}});
    const bool hello = is_refused(Hello{1, 0, {"node1"}, "", {time}, {}, false});
    CHECK(stamp == mtime);
    CHECK(stamp == pong);
    CHECK(stamp == hello);
    return stamp;
  };
  for (const std::int64_t near : {std::int64_t{0}, kFarthestMoment.value, -kFarthestMoment.value})
    CHECK(!is_refused_at(near));
  for (const std::int64_t far :
       {kFarthestMoment.value + 1, -kFarthestMoment.value - 1,
        std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()})
    CHECK(is_refused_at(far));
}

TEST_CASE("digests are 16 bytes and encodings known") {
  const std::string fetch = bytes(1, "dags") + bytes(3, "f");
  CHECK(!is_refused_bytes(bytes(9, fetch + bytes(4, std::string(16, 'd')))));
  CHECK(is_refused_bytes(bytes(9, fetch + bytes(4, std::string(15, 'd')))));
  CHECK(is_refused_bytes(bytes(9, fetch)));
  CHECK(is_refused_bytes(bytes(10, number(2, 2))));
}

TEST_CASE("each count has its limit") {
  Hello hello{1, 0, {"node1"}, "", {}, {}, false};
  hello.folders.assign(kMaxFolders, {"dags", test::author("a", 1), 0});
  CHECK(!is_refused(hello));
  hello.folders.push_back(hello.folders.back());
  CHECK(is_refused(hello));

  Tell tell{"dags", test::author("a", 1), {}, {}, {}, 0};
  tell.connected.assign(kMaxConnectedNodes, {"a"});
  CHECK(!is_refused(tell));
  tell.connected.push_back({"a"});
  CHECK(is_refused(tell));

  Announce announce{"dags", {}, false, 0};
  announce.items.assign(kMaxChangesPerMessage, {test::file_change("f"), {}});
  CHECK(!is_refused(announce));
  announce.items.push_back(announce.items.back());
  CHECK(is_refused(announce));

  Fetch fetch{"dags", 1, test::path("f"), {}, 0, std::string(kMaxSignatureBytes, 's'), 0};
  CHECK(!is_refused(fetch));
  fetch.signature += 's';
  CHECK(is_refused(fetch));
}

TEST_CASE("the knowledge of one message has a limit") {
  Knowledge half;
  for (Sequence i = 0; i < kMaxKnowledgeIntervals / 2; ++i)
    half.add(test::author("a", 1), {1 + 3 * i, 2 + 3 * i});
  Tell tell{"dags", test::author("a", 1), half, half, {}, 0};
  CHECK(!is_refused(tell));
  tell.received.add(test::author("b", 1), {1, 1});
  CHECK(is_refused(tell));
}

TEST_CASE("the vectors and authors of one message have a limit") {
  Change change = test::file_change();
  for (std::uint64_t epoch = 100; change.record.seen.entries().size() < kMaxVectorEntries; ++epoch)
    change.record.seen.raise(test::author("a", epoch), 1);
  change.record.version = change.record.seen;
  Announce announce = test::announce(change);
  CHECK(!is_refused(announce));
  announce.items.resize(kMaxMessageVectorEntries / kMaxVectorEntries, announce.items[0]);
  CHECK(!is_refused(announce));
  announce.items.push_back(announce.items[0]);
  CHECK(is_refused(announce));

  change.record.seen.raise(test::author("z", 1), 1);
  change.record.version = change.record.seen;
  CHECK(is_refused(test::announce(change)));
}

TEST_CASE("many tiny fields are refused before they are parsed") {
  std::string tiny;
  for (int i = 0; i < 4'000'000; ++i)
    tiny += {'\x12', '\x00'};  // an empty item
  const Result<Message> back = decode(bytes(5, tiny));
  REQUIRE(!back.has_value());
  CHECK(back.error().message == "malformed message: too many fields");
  CHECK(is_refused_bytes(tiny));
}

TEST_CASE("a message is not longer than its limit, nor nested without end") {
  CHECK(!is_refused_bytes(bytes(14, number(1, 1)) + bytes(99, std::string(8'000'000, 'x'))));
  CHECK(is_refused_bytes(bytes(14, number(1, 1)) + bytes(99, std::string(kMaxMessageBytes, 'x'))));
  CHECK(is_refused_bytes(bytes(14, number(1, 1)) + std::string(1'000'000, '\x9B') + "\x06"));
}

TEST_CASE("the rows of a page, and the paths asked for, stand in order") {
  const RelPath a = test::path("a");
  const RelPath b = test::path("b");
  CHECK_FALSE(is_refused(Verify{"dags", 1, {}, {a, b}}));
  CHECK(is_refused(Verify{"dags", 1, {}, {b, a}}));
  CHECK(is_refused(Verify{"dags", 1, {}, {a, a}}));
  CHECK_FALSE(is_refused(VerifyPage{1, {{a, {}, "", false}, {b, {}, "", false}}, b, ""}));
  CHECK(is_refused(VerifyPage{1, {{b, {}, "", false}, {a, {}, "", false}}, b, ""}));
  CHECK(is_refused(VerifyPage{1, {{a, {}, "", false}, {a, {}, "", false}}, b, ""}));
}

TEST_CASE("a page has no more rows than its limit, and none names what a kind cannot have") {
  VerifyPage page{1, {}, {}, ""};
  Verify verify{"dags", 1, {}, {}};
  for (std::size_t i = 0; i < kMaxVerifyRows; ++i) {
    page.rows.push_back({test::path(std::to_string(10000 + i)), {}, "", false});
    verify.paths.push_back(page.rows.back().path);
  }
  CHECK_FALSE(is_refused(page));
  CHECK_FALSE(is_refused(verify));
  page.rows.push_back({test::path("x"), {}, "", false});
  verify.paths.push_back(test::path("x"));
  CHECK(is_refused(page));
  CHECK(is_refused(verify));
  Content content;
  content.mode = 0644;
  CHECK(is_refused(VerifyPage{1, {{test::path("a"), content, "", false}}, {}, ""}));
}
