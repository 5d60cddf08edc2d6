#include "dagsync/engine/transfer/fetcher.h"

#include <doctest/doctest.h>

#include "dagsync/delta/delta.h"
#include "engine/transfer/transfer_world.h"

using namespace dagsync;
using namespace std::chrono_literals;

TEST_CASE("a content comes whole from who has it, with its mode and time") {
  TransferWorld world;
  const Content content = world.serve("a.py", "print(1)\n");
  world.order("a.py", content);
  CHECK(world.fetcher.bytes_left() == content.size);
  world.carry_all();
  CHECK(world.published() == "print(1)\n");
  CHECK(world.ours.look("published")->mtime == content.mtime);
  CHECK(world.fetcher.bytes_left() == 0);
}

TEST_CASE("small contents are asked for all at once, of an older peer a few at a time") {
  for (const auto& [minor, most] :
       {std::pair(kManyFetchesMinor, Fetcher::kSmallPerSource),
        std::pair(kManyFetchesMinor - 1, Fetcher::kSmallPerOldSource)}) {
    TransferWorld world;
    world.our_end.their_minor = minor;
    const Content small = world.serve("small", "content");
    const Content large = world.serve("large", noise(2 * kWholeBelow));
    for (std::size_t i = 0; i < most + 10; ++i) {
      world.order("large", large);
      world.order("small", small);
    }
    world.settle();
    CHECK(world.our_end.said.size() == most + Fetcher::kSessionsPerSource);
    world.carry_all();
    CHECK(world.results.size() == 2 * most + 20);
    for (const auto& result : world.results)
      CHECK(result.has_value());
  }
}

TEST_CASE("of a small content no more is taken than a small one may have") {
  TransferWorld world;
  world.order("a", world.serve("a", "content"));
  world.settle();
  const auto request = world.our_end.next_message<Fetch>().request;
  world.fetcher.on_begin({"b"}, {request, Encoding::kWhole});
  CHECK(world.fetcher.on_chunk({"b"}, {request, false, std::string(kWholeBelow + 1, 'x')}));
  world.settle();
  CHECK(world.failure() == "b sends more than it may");
}

TEST_CASE("a long content comes within its window, credit by credit") {
  TransferWorld world;
  const std::string bytes = noise(5 * Fetcher::kLeastWindow / 2);
  world.order("long", world.serve("long", bytes));
  world.carry_all();
  CHECK(world.credits > 0);
  CHECK(world.published() == bytes);
}

TEST_CASE("with a basis a delta comes, and little of it") {
  TransferWorld world;
  const std::string old = noise(4 * kWholeBelow);
  const std::string young = old + "one line more\n";
  world.ours.write("basis", old);
  world.order("a", world.serve("a", young), {{"b"}}, "basis");
  world.settle();
  const auto fetch = world.our_end.next_message<Fetch>();
  CHECK(!fetch.signature.empty());
  world.server.on_fetch({"a"}, fetch);
  world.worker.run_all();
  std::size_t bytes = 0;
  for (const auto& said : world.their_end.said)
    if (const auto* piece = std::get_if<LineEnd::Piece>(&said.what)) bytes += piece->bytes.size();
  CHECK(bytes < 10'000);
  world.carry_all();
  CHECK(world.published() == young);
}

TEST_CASE("a basis that is gone, or short, is no reason not to fetch") {
  TransferWorld world;
  const std::string bytes = noise(4 * kWholeBelow);
  const Content content = world.serve("a", bytes);
  world.order("a", content, {{"b"}}, "gone");
  world.carry_all();
  CHECK(world.published() == bytes);
}

TEST_CASE("a delta whose basis changed meanwhile is asked for whole, from the same peer") {
  TransferWorld world;
  const std::string old = noise(4 * kWholeBelow);
  const std::string young = old + "more";
  world.ours.write("basis", old);
  world.order("a", world.serve("a", young), {{"b"}}, "basis");
  world.settle();
  world.ours.write("basis", noise(4 * kWholeBelow, 2));  // after its signature was taken
  world.carry_all();
  CHECK(world.published() == young);
}

TEST_CASE("when one source fails the next is asked, in order, without those that are away") {
  TransferWorld world;
  const Content content = world.serve("a", "content");
  world.order("a", content, {{"gone"}, {"b"}, {"c"}});
  world.settle();
  CHECK(world.our_end.said.front().to.value == "b");
  const auto first = world.our_end.next_message<Fetch>();
  world.fetcher.on_end({"b"}, {first.request, "this node does not have it any more"});
  const auto cancel = world.our_end.next_message<Cancel>();
  CHECK(cancel.request == first.request);
  CHECK(world.our_end.said.front().to.value == "c");
  const auto second = world.our_end.next_message<Fetch>();
  CHECK(second.request != first.request);
  world.fetcher.peer_lost({"c"});
  CHECK(world.failure() == "c went away");
}

TEST_CASE("the last error is what is told, or that nobody has it") {
  TransferWorld world;
  const Content content = world.serve("a", "content");
  world.order("a", content, {{"b"}});
  world.settle();
  world.fetcher.on_end({"b"}, {world.our_end.next_message<Fetch>().request, "I/O error"});
  CHECK(world.failure() == "b: I/O error");
  world.order("a", content, {{"gone"}});
  world.order("a", content, {});
  world.settle();
  CHECK(world.failure(1) == "no connected peer has it");
  CHECK(world.failure(2) == "no connected peer has it");
}

TEST_CASE("a peer that sends nothing for fifteen seconds is left for the next") {
  TransferWorld world;
  const Content content = world.serve("a", "content");
  world.order("a", content, {{"c"}, {"b"}});
  world.settle();
  static_cast<void>(world.our_end.next_message<Fetch>());
  world.clock.advance(15s);
  CHECK(world.our_end.said.empty());
  world.clock.advance(5s);
  static_cast<void>(world.our_end.next_message<Cancel>());
  CHECK(world.our_end.said.front().to.value == "b");
  world.carry_all();
  CHECK(world.published() == "content");
}

TEST_CASE("what is not what was announced is not taken") {
  struct Case {
    std::string comes;
    std::string why;
  };
  for (const Case& c : {Case{"other!!", "what came is not what was announced"},
                        Case{"short", "what came is not what was announced"},
                        Case{"much too long", "more came than was announced"}}) {
    TransferWorld world;
    world.order("a", file_content("content", kFileTime));
    world.settle();
    const std::uint64_t request = world.our_end.next_message<Fetch>().request;
    world.fetcher.on_begin({"b"}, {request, Encoding::kWhole});
    world.worker.run_all();
    CHECK(world.fetcher.on_chunk({"b"}, {request, false, c.comes}));
    world.fetcher.on_end({"b"}, {request, ""});
    world.worker.run_all();
    CHECK(world.failure() == c.why);
  }
}

TEST_CASE("a chunk of nothing ends the attempt: no credit would bound how many come") {
  TransferWorld world;
  world.order("a", file_content("content", kFileTime));
  world.settle();
  const std::uint64_t request = world.our_end.next_message<Fetch>().request;
  world.fetcher.on_begin({"b"}, {request, Encoding::kWhole});
  CHECK(world.fetcher.on_chunk({"b"}, {request, false, ""}));
  world.worker.run_all();
  CHECK(world.failure() == "b sends chunks of next to nothing");
}

TEST_CASE("nor do chunks of next to nothing go on") {
  TransferWorld world;
  world.order("a", world.serve("a", std::string(kWholeBelow - 1, 'x')));
  world.settle();
  const std::uint64_t request = world.our_end.next_message<Fetch>().request;
  world.fetcher.on_begin({"b"}, {request, Encoding::kWhole});
  const std::uint64_t most = (kWholeBelow - 1) / Fetcher::kLeastChunk + Fetcher::kSmallerChunks;
  for (std::uint64_t i = 0; i < most; ++i)
    REQUIRE(world.fetcher.on_chunk({"b"}, {request, false, "x"}));
  world.worker.run_all();
  CHECK(world.results.empty());
  CHECK(world.fetcher.on_chunk({"b"}, {request, false, "x"}));
  world.worker.run_all();
  CHECK(world.failure() == "b sends chunks of next to nothing");
}

TEST_CASE("a chunk that is no zstd, and a delta that nobody asked for, end the attempt") {
  for (const std::size_t size : {std::size_t{7}, std::size_t{2 * kWholeBelow}}) {
    CAPTURE(size);
    const Content content = file_content(std::string(size, 'x'), kFileTime);
    TransferWorld world;
    world.order("a", content);
    world.settle();
    std::uint64_t request = world.our_end.next_message<Fetch>().request;
    world.fetcher.on_begin({"b"}, {request, Encoding::kWhole});
    world.worker.run_all();
    CHECK(world.fetcher.on_chunk({"b"}, {request, true, "nonsense"}));
    world.fetcher.on_end({"b"}, {request, ""});
    world.worker.run_all();
    CHECK(world.failure().find("zstd") != std::string::npos);

    world.our_end.said.clear();
    world.order("a", content);
    world.settle();
    request = world.our_end.next_message<Fetch>().request;
    world.fetcher.on_begin({"b"}, {request, Encoding::kDelta});
    world.worker.run_all();
    CHECK(world.failure(1) == "a delta came that nobody asked for");
  }
}

TEST_CASE("a peer that sends more than its window is cut off") {
  TransferWorld world;
  world.order("a", file_content(std::string(8 * Fetcher::kLeastWindow, 'x'), kFileTime));
  world.settle();
  const std::uint64_t request = world.our_end.next_message<Fetch>().request;
  world.fetcher.on_begin({"b"}, {request, Encoding::kWhole});
  const std::string chunk(kMaxChunkBytes, 'x');  // no worker takes them up
  for (std::size_t sent = 0; sent <= 2 * Fetcher::kLeastWindow; sent += chunk.size())
    CHECK(world.fetcher.on_chunk({"b"}, {request, false, chunk}));
  CHECK(world.failure() == "b sends more than it may");
  static_cast<void>(world.our_end.next_message<Cancel>());
  world.worker.run_all();  // the job of the attempt that is over changes nothing
  CHECK(world.results.size() == 1);
}

TEST_CASE(
    "a far peer may send ahead what a round trip takes, all sessions together no more than a "
    "bound") {
  TransferWorld world;
  const Content large = file_content(std::string(24 << 20, 'x'), kFileTime);
  const auto granted = [&] {
    world.order("a", large);
    world.settle();
    return world.our_end.next_message<Fetch>().credit;
  };
  SUBCASE("near") {
    world.our_end.way_and_back = std::chrono::microseconds(300);
    CHECK(granted() == Fetcher::kLeastWindow);
  }
  SUBCASE("far") {
    world.our_end.way_and_back = std::chrono::milliseconds(10);
    CHECK(granted() == 10'000'000);
  }
  SUBCASE("as far as the moon") {
    world.our_end.way_and_back = std::chrono::milliseconds(2600);
    CHECK(granted() == large.size);
    CHECK(granted() == large.size);
    CHECK(granted() == Fetcher::kMostWindows - 2 * large.size);
    CHECK(granted() == Fetcher::kLeastWindow);
  }
}

TEST_CASE("what comes from another peer, for another request or twice is ignored") {
  TransferWorld world;
  world.order("a", world.serve("a", "content"));
  world.settle();
  const std::uint64_t request = world.our_end.said.empty() ? 0 : 1;
  REQUIRE(request == 1);
  world.fetcher.on_begin({"c"}, {request, Encoding::kWhole});
  world.fetcher.on_begin({"b"}, {request + 9, Encoding::kWhole});
  CHECK_FALSE(world.fetcher.on_chunk({"b"}, {request, false, "before its begin"}));
  world.fetcher.on_end({"c"}, {request, "no"});
  world.carry_all();
  CHECK(world.published() == "content");
  world.fetcher.on_begin({"b"}, {request, Encoding::kWhole});  // over
  world.fetcher.on_end({"b"}, {request, "no"});
  CHECK(world.results.size() == 1);
}

TEST_CASE("of a request that was taken back comes what was under way, and no more is expected") {
  TransferWorld world;
  const Content content = file_content(std::string(8 * Fetcher::kLeastWindow, 'x'), kFileTime);
  const std::uint64_t ticket = world.order("a", content);
  world.settle();
  const std::uint64_t request = world.our_end.next_message<Fetch>().request;
  world.fetcher.on_begin({"b"}, {request, Encoding::kWhole});
  const std::string chunk(kMaxChunkBytes, 'x');
  CHECK(world.fetcher.on_chunk({"b"}, {request, false, chunk}));
  world.fetcher.forget(ticket);
  CHECK_FALSE(world.fetcher.on_chunk({"b"}, {request + 1, false, chunk}));
  CHECK_FALSE(world.fetcher.on_chunk({"c"}, {request, false, chunk}));
  // All of its window, and a last piece beyond.
  std::size_t came = chunk.size();
  for (; came < 2 * Fetcher::kLeastWindow; came += chunk.size())
    CHECK(world.fetcher.on_chunk({"b"}, {request, false, chunk}));
  CHECK_FALSE(world.fetcher.on_chunk({"b"}, {request, false, chunk}));
}

TEST_CASE("requests that were taken back are remembered within bounds, the latest") {
  TakenBack requests;
  for (std::uint64_t request = 1; request <= 2 * TakenBack::kMostRequests; ++request)
    requests.note({"b"}, request, 10);
  CHECK_FALSE(requests.covers({"b"}, TakenBack::kMostRequests, 1));
  CHECK(requests.covers({"b"}, TakenBack::kMostRequests + 1, 10));
  requests.note({"b"}, 9999, TakenBack::kMostBytes);
  CHECK(requests.covers({"b"}, 9999, TakenBack::kMostBytes));
  CHECK_FALSE(requests.covers({"b"}, 2 * TakenBack::kMostRequests, 1));
  requests.note({"b"}, 10'000, 10);
  requests.forget({"b"});
  CHECK_FALSE(requests.covers({"b"}, 10'000, 1));
}

TEST_CASE("an order that is forgotten is cancelled, and never answered") {
  TransferWorld world;
  const Content content = world.serve("a", "content");
  const std::uint64_t waiting = world.order("a", content);
  world.fetcher.forget(waiting);
  const std::uint64_t asked = world.order("a", content);
  world.settle();
  const auto fetch = world.our_end.next_message<Fetch>();
  world.fetcher.forget(asked);
  CHECK(world.our_end.next_message<Cancel>().request == fetch.request);
  world.fetcher.on_begin({"b"}, {fetch.request, Encoding::kWhole});
  world.carry_all();
  CHECK(world.results.empty());
  CHECK(world.fetcher.bytes_left() == 0);
}

TEST_CASE("no more than so many are asked of one peer at once, and all come in the end") {
  TransferWorld world;
  const Content content = world.serve("a", noise(2 * kWholeBelow));
  for (std::size_t i = 0; i < Fetcher::kSessionsPerSource + 5; ++i)
    world.order("a", content);
  world.settle();
  CHECK(world.our_end.said.size() == Fetcher::kSessionsPerSource);
  world.carry_all();
  CHECK(world.results.size() == Fetcher::kSessionsPerSource + 5);
  for (const auto& result : world.results)
    CHECK(result.has_value());
}
