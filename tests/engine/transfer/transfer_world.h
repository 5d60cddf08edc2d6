// Two folders on disks of their own, and a line between them: one asks for contents, the other one
// serves them. The test carries what they say, in its order, and may lose or change it.
#pragma once

#include <doctest/doctest.h>

#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/record_samples.h"
#include "dagsync/engine/transfer/content_server.h"
#include "dagsync/engine/transfer/fetcher.h"
#include "posix/disk_world.h"
#include "support/fake_clock.h"
#include "support/inline_worker.h"
#include "support/noise.h"

namespace dagsync {

// One side's end of the line: what it said, oldest first.
class LineEnd final : public Outlet {
 public:
  struct Piece {
    std::uint64_t request = 0;
    bool compressed = false;
    std::string bytes;
  };
  struct Said {
    NodeName to;
    std::variant<Message, Piece> what;
  };
  using Outlet::send;

  void send(std::span<const NodeName> to, const Message& message) override {
    for (const NodeName& peer : to)
      said.push_back({peer, message});
  }
  void send_frame(std::span<const NodeName>, std::string_view) override {
    FAIL("nothing here frames its messages before");
  }
  void send_chunk(const NodeName& peer, const ChunkView& chunk) override {
    said.push_back({peer, Piece{chunk.request, chunk.compressed, std::string(chunk.bytes)}});
  }
  std::size_t queued_bytes(const NodeName&) const override { return 0; }
  std::vector<NodeName> connected() const override { return peers; }
  std::optional<Duration> round_trip(const NodeName&) const override { return way_and_back; }
  std::uint32_t minor(const NodeName&) const override { return their_minor; }
  std::uint64_t next_request() override { return ++requests_; }
  void refuse(const NodeName&, const std::string& why) override { refused.push_back(why); }
  void complain(const NodeName&, const std::string& why) override { complaints.push_back(why); }

  [[nodiscard]] Said next() {
    REQUIRE_FALSE(said.empty());
    Said first = std::move(said.front());
    said.pop_front();
    return first;
  }
  template <typename T>
  [[nodiscard]] T next_message() {
    const Said first = next();
    REQUIRE(std::holds_alternative<Message>(first.what));
    const Message& message = std::get<Message>(first.what);
    REQUIRE(std::holds_alternative<T>(message));
    return std::get<T>(message);
  }

  std::deque<Said> said;
  std::vector<std::string> refused;
  std::vector<std::string> complaints;
  std::vector<NodeName> peers = {{"b"}, {"c"}};
  std::optional<Duration> way_and_back;
  std::uint32_t their_minor = kProtocolMinor;

 private:
  std::uint64_t requests_ = 0;
};

inline constexpr std::int64_t kFileTime = 1'600'000'000'000'000'000;

struct TransferWorld {
  FakeClock clock;
  InlineWorker worker;
  DiskWorld ours;
  DiskWorld theirs;
  LineEnd our_end;
  LineEnd their_end;
  Index index;  // theirs
  std::optional<KeptId> their_kept;
  Fetcher fetcher{"dags", clock, worker, ours.disk(), our_end};
  ContentServer server{worker, theirs.disk(), their_end, index,
                       [this](const Digest&) { return their_kept; }};

  std::vector<Result<std::unique_ptr<Staged>>> results;
  int credits = 0;  // that the fetcher gave

  // Stands in their folder and index.
  Content serve(const std::string& name, const std::string& bytes) {
    theirs.write(name, bytes);
    const Content content = file_content(bytes, kFileTime);
    const Record record = edit("b", 1, content, kFileTime);
    index.put(DiskWorld::path(name), {record, record.origin, theirs.look(name)});
    return content;
  }
  std::uint64_t order(const std::string& name, const Content& content,
                      std::vector<NodeName> sources = {{"b"}},
                      std::optional<std::string> basis = std::nullopt) {
    Fetcher::Order order;
    order.path = DiskWorld::path(name);
    order.content = content;
    order.sources = std::move(sources);
    if (basis) order.basis = DiskWorld::path(*basis);
    return fetcher.fetch(std::move(order), [this](Result<std::unique_ptr<Staged>> staged) {
      results.push_back(std::move(staged));
    });
  }
  // Until the fetcher has asked for what it wants.
  void settle() {
    clock.advance(Duration(0));
    worker.run_all();
    clock.advance(Duration(0));
    worker.run_all();
  }
  // Carries everything both ways until nobody says anything.
  void carry_all() {
    settle();
    while (!our_end.said.empty() || !their_end.said.empty()) {
      while (!our_end.said.empty())
        to_server(our_end.next());
      worker.run_all();
      while (!their_end.said.empty())
        to_fetcher(their_end.next());
      settle();
    }
  }
  void to_server(const LineEnd::Said& said) {
    const Message& message = std::get<Message>(said.what);
    if (const auto* fetch = std::get_if<Fetch>(&message)) server.on_fetch({"a"}, *fetch);
    if (const auto* cancel = std::get_if<Cancel>(&message)) server.on_cancel({"a"}, *cancel);
    if (const auto* credit = std::get_if<Credit>(&message)) {
      ++credits;
      server.on_credit({"a"}, *credit);
    }
  }
  void to_fetcher(const LineEnd::Said& said, const NodeName& from = {"b"}) {
    if (const auto* piece = std::get_if<LineEnd::Piece>(&said.what)) {
      CHECK(fetcher.on_chunk(from, {piece->request, piece->compressed, piece->bytes}));
      return;
    }
    const Message& message = std::get<Message>(said.what);
    if (const auto* begin = std::get_if<FetchBegin>(&message)) fetcher.on_begin(from, *begin);
    if (const auto* end = std::get_if<FetchEnd>(&message)) fetcher.on_end(from, *end);
  }

  // The content that came, as it would be published.
  [[nodiscard]] std::string published(std::size_t which = 0) {
    REQUIRE(results.size() > which);
    REQUIRE_MESSAGE(results[which].has_value(), results[which].error().message);
    const auto done = ours.publish("published", std::nullopt, std::move(*results[which]));
    REQUIRE(done.has_value());
    return ours.read("published");
  }
  [[nodiscard]] std::string failure(std::size_t which = 0) const {
    REQUIRE(results.size() > which);
    REQUIRE_FALSE(results[which].has_value());
    return results[which].error().message;
  }
};

}  // namespace dagsync
