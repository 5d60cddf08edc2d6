// The asking side of a transfer: gets contents from peers into staged files, checked against their
// digests. As a delta against a file that this node has, where that pays and works; else whole.
// Loop thread only; bytes are decompressed, patched, hashed and written in the pool.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "dagsync/core/messages.h"
#include "dagsync/engine/peers/outlet.h"
#include "dagsync/engine/transfer/taken_back.h"
#include "dagsync/ports/clock.h"
#include "dagsync/ports/disk.h"
#include "dagsync/ports/worker.h"

namespace dagsync {

class Fetcher {
 public:
  using Done = std::function<void(Result<std::unique_ptr<Staged>>)>;
  struct Order {
    RelPath path;
    Content content;
    std::vector<NodeName> sources;  // to be asked in this order
    std::optional<RelPath> basis;   // a file here that may resemble the content
  };

  static constexpr std::size_t kSessionsPerSource = 16;  // at once
  // Of contents too small for a delta so many more, so that a far peer is not waited for once per
  // file. An older peer refuses what it cannot serve at once.
  static constexpr std::size_t kSmallPerSource = 256;
  static constexpr std::size_t kSmallPerOldSource = 32;
  // Bytes under way in one session: as many as kWindowRate brings in one round trip, so that a far
  // peer is not waited for; within these two, and while all sessions together have no more than
  // kMostWindows.
  static constexpr std::uint64_t kLeastWindow = 2 << 20;
  static constexpr std::uint64_t kMostWindow = 64 << 20;
  static constexpr std::uint64_t kMostWindows = 64 << 20;
  static constexpr std::uint64_t kWindowRate = 1'000'000'000;  // bytes a second
  // A content may come in one chunk for each kLeastChunk bytes, and kSmallerChunks more.
  static constexpr std::uint64_t kLeastChunk = 64 << 10;
  static constexpr std::uint64_t kSmallerChunks = 64;
  static constexpr Duration kStall = std::chrono::seconds(15);  // without a byte: the next source

  Fetcher(std::string folder, Clock& clock, Worker& worker, Disk& disk, Outlet& outlet);
  ~Fetcher();

  // Calls `done` once, not from within this call, unless forgotten before.
  std::uint64_t fetch(Order order, Done done);
  void forget(std::uint64_t ticket);
  void peer_lost(const NodeName& peer);
  // From a peer; what is not ours is ignored. A chunk is ours also where it was under way when its
  // request was taken back: false is given for what nobody asked for here, and it is left as it is.
  void on_begin(const NodeName& from, const FetchBegin& begin);
  [[nodiscard]] bool on_chunk(const NodeName& from, Chunk&& chunk);
  void on_end(const NodeName& from, const FetchEnd& end);
  [[nodiscard]] std::uint64_t bytes_left() const;  // of all orders

 private:
  struct Session;
  // By the first peer to be asked, and whether they are small.
  using Queue = std::pair<NodeName, bool>;
  void start_soon();
  void start_more();
  [[nodiscard]] std::size_t most_of(const Queue& queue) const;
  void ask(const std::shared_ptr<Session>& session);
  void name_request(const std::shared_ptr<Session>& session, std::uint64_t request);
  void send_fetch(const std::shared_ptr<Session>& session, std::string signature);
  [[nodiscard]] std::uint64_t window_for(const Session& session) const;
  void begin_staging(const std::shared_ptr<Session>& session, Encoding encoding);
  void pump(const std::shared_ptr<Session>& session);
  void finish(const std::shared_ptr<Session>& session);
  void take_back(const Session& session);
  void attempt_failed(const std::shared_ptr<Session>& session, const Error& error);
  void close(const std::shared_ptr<Session>& session, Result<std::unique_ptr<Staged>> result);
  void watch_for_stalls();
  [[nodiscard]] std::shared_ptr<Session> find(const NodeName& from, std::uint64_t request) const;

  std::string folder_;
  Clock& clock_;
  Worker& worker_;
  Disk& disk_;
  Outlet& outlet_;
  TimerId stall_timer_;
  TimerId start_timer_;
  std::uint64_t next_ticket_ = 1;
  std::map<Queue, std::deque<std::shared_ptr<Session>>> queues_;
  std::map<std::uint64_t, std::shared_ptr<Session>> active_;           // by ticket
  std::unordered_map<std::uint64_t, std::shared_ptr<Session>> asked_;  // of those, by request
  TakenBack taken_back_;
};

}  // namespace dagsync
