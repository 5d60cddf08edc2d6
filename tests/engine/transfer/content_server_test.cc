#include "dagsync/engine/transfer/content_server.h"

#include <doctest/doctest.h>

#include "dagsync/delta/delta.h"
#include "dagsync/wire/framing.h"
#include "engine/transfer/transfer_world.h"

using namespace dagsync;

namespace {

Fetch fetch_of(const std::string& name, const Content& content, std::uint64_t request = 1,
               std::uint64_t credit = 1 << 20) {
  return {"dags", request, DiskWorld::path(name), content.digest, content.size, "", credit};
}

std::string answer_error(TransferWorld& world, Fetch fetch) {
  world.server.on_fetch({"a"}, std::move(fetch));
  world.worker.run_all();
  const auto end = world.their_end.next_message<FetchEnd>();
  CHECK(world.their_end.said.empty());
  return end.error;
}

std::size_t content_bytes(const LineEnd& end) {
  std::size_t bytes = 0;
  for (const auto& said : end.said)
    if (const auto* piece = std::get_if<LineEnd::Piece>(&said.what)) bytes += piece->bytes.size();
  return bytes;
}

}  // namespace

TEST_CASE("a content is served under any path that has it") {
  TransferWorld world;
  const Content content = world.serve("here", "content");
  world.server.on_fetch({"a"}, fetch_of("elsewhere", content));
  world.worker.run_all();
  CHECK(world.their_end.next_message<FetchBegin>().encoding == Encoding::kWhole);
  CHECK(content_bytes(world.their_end) == content.size);
}

TEST_CASE("what compresses is sent compressed") {
  TransferWorld world;
  const std::string text(100'000, 'x');
  world.server.on_fetch({"a"}, fetch_of("a", world.serve("a", text)));
  world.worker.run_all();
  CHECK(content_bytes(world.their_end) < 1000);
  static_cast<void>(world.their_end.next_message<FetchBegin>());
  const auto said = world.their_end.next();
  const auto& piece = std::get<LineEnd::Piece>(said.what);
  CHECK(piece.compressed);
  CHECK(*decompress_chunk(piece.bytes) == text);
}

TEST_CASE("what is not here, or has changed, is refused with the reason") {
  TransferWorld world;
  const std::string gone = "this node does not have it any more";
  CHECK(answer_error(world, fetch_of("a", file_content("nobody's", kFileTime))) == gone);
  const Content changed = world.serve("changed", "content");
  world.theirs.write("changed", "another length");
  CHECK(answer_error(world, fetch_of("changed", changed, 2)) == gone);
  const Content deleted = world.serve("deleted", "its content");
  std::filesystem::remove(world.theirs.real("deleted"));
  CHECK(answer_error(world, fetch_of("deleted", deleted, 3)).find("deleted") != std::string::npos);
}

TEST_CASE("a kept version serves where no path does") {
  TransferWorld world;
  world.theirs.write("old", "old content");
  const Content content = file_content("old content", kFileTime);
  world.their_kept = kept_id(1);
  const auto removed = world.theirs.disk().remove(DiskWorld::path("old"), *world.theirs.look("old"),
                                                  world.their_kept);
  REQUIRE(removed.has_value());
  REQUIRE(removed->kept);
  world.server.on_fetch({"a"}, fetch_of("old", content));
  world.worker.run_all();
  static_cast<void>(world.their_end.next_message<FetchBegin>());
  CHECK(content_bytes(world.their_end) == content.size);

  world.their_end.said.clear();
  world.their_kept = kept_id(2);  // in the catalogue, but not on the disk
  const std::string error =
      answer_error(world, fetch_of("old", file_content("never there", kFileTime), 2));
  CHECK(error == "this node does not have it any more");
}

TEST_CASE("nothing is sent beyond the credit, but for the end of a step") {
  TransferWorld world;
  const Content content = world.serve("a", noise(2 << 20));
  world.server.on_fetch({"a"}, fetch_of("a", content, 1, 1));
  world.worker.run_all();
  static_cast<void>(world.their_end.next_message<FetchBegin>());
  CHECK(content_bytes(world.their_end) == kMaxChunkBytes);
  world.server.on_credit({"a"}, {1, kMaxChunkBytes});
  world.server.on_credit({"a"}, {99, kMaxChunkBytes});  // of no request: ignored
  world.worker.run_all();
  CHECK(content_bytes(world.their_end) == 2 * kMaxChunkBytes);
  world.server.on_cancel({"a"}, {1});
  world.server.on_credit({"a"}, {1, 64 << 20});
  world.worker.run_all();
  CHECK(content_bytes(world.their_end) == 2 * kMaxChunkBytes);
}

TEST_CASE("of a file that grows while it is sent goes no more than was asked for") {
  TransferWorld world;
  const std::string bytes = noise(2 * kMaxChunkBytes);
  const Content content = world.serve("a", bytes);
  world.server.on_fetch({"a"}, fetch_of("a", content, 1, 1));
  world.worker.run_all();
  world.theirs.write("a", bytes + std::string(kMaxChunkBytes, 'x'));
  world.server.on_credit({"a"}, {1, 4 * kMaxChunkBytes});
  world.worker.run_all();
  const auto last = world.their_end.said.back();
  CHECK(std::get<FetchEnd>(std::get<Message>(last.what)).error.empty());
  static_cast<void>(world.their_end.next_message<FetchBegin>());
  CHECK(content_bytes(world.their_end) == content.size);
}

TEST_CASE("a peer has no more than so many requests at once, and none twice") {
  TransferWorld world;
  const Content content = world.serve("a", "content");
  for (std::size_t i = 1; i <= ContentServer::kRequestsPerPeer; ++i)
    world.server.on_fetch({"a"}, fetch_of("a", content, i));
  CHECK(world.their_end.said.empty());
  world.server.on_fetch({"a"}, fetch_of("a", content, 1));
  CHECK(world.their_end.next_message<FetchEnd>().error == "too many requests at once");
  world.server.on_fetch({"a"}, fetch_of("a", content, 100'000));
  CHECK(world.their_end.next_message<FetchEnd>().error == "too many requests at once");
  world.server.on_fetch({"c"}, fetch_of("a", content, 1));  // another peer's own
  CHECK(world.their_end.said.empty());
  world.server.peer_lost({"a"});
  world.worker.run_all();
  CHECK(world.their_end.said.size() == 3);  // begin, content and end, of c
  for (const auto& said : world.their_end.said)
    CHECK(said.to.value == "c");
}

TEST_CASE("beyond those that are at work, requests wait for their turn, in their order") {
  TransferWorld world;
  const Content content = world.serve("a", "content");
  constexpr std::size_t kAtWork = ContentServer::kSessionsPerPeer;
  for (std::size_t i = 1; i <= kAtWork + 3; ++i)
    world.server.on_fetch({"a"}, fetch_of("a", content, i, 0));  // without credit none ends
  world.worker.run_all();
  CHECK(world.their_end.said.size() == kAtWork);  // a begin each
  world.their_end.said.clear();
  world.server.on_credit({"a"}, {kAtWork + 2, 1 << 20});  // waits on
  world.server.on_cancel({"a"}, {kAtWork + 1});
  world.server.on_cancel({"a"}, {1});
  world.worker.run_all();
  CHECK(world.their_end.next_message<FetchBegin>().request == kAtWork + 2);
  CHECK(world.their_end.said.empty());
  world.server.on_credit({"a"}, {2, 1 << 20});
  world.worker.run_all();
  static_cast<void>(world.their_end.next());  // the content
  CHECK(world.their_end.next_message<FetchEnd>().request == 2);
  CHECK(world.their_end.next_message<FetchBegin>().request == kAtWork + 3);
}

TEST_CASE("a signature that is none is refused") {
  TransferWorld world;
  Fetch fetch = fetch_of("a", world.serve("a", "content"));
  fetch.signature = "nonsense";
  CHECK(answer_error(world, fetch).find("malformed signature") == 0);
}

TEST_CASE("a delta of equal blocks is made in steps, and ends") {
  TransferWorld world;
  const std::string bytes = noise(16 << 20);
  SignatureBuilder builder(choose_shape(bytes.size()));
  REQUIRE(builder.update(bytes));
  Fetch fetch = fetch_of("a", world.serve("a", bytes));
  fetch.signature = *builder.finish();
  world.server.on_fetch({"a"}, fetch);
  world.worker.run_one();  // opened
  int steps = 0;
  for (; world.worker.waiting() > 0; ++steps)
    world.worker.run_one();
  CHECK(steps >= 2);
  CHECK(content_bytes(world.their_end) < 10'000);
  const auto last = world.their_end.said.back();
  CHECK(std::get<FetchEnd>(std::get<Message>(last.what)).error.empty());
}
