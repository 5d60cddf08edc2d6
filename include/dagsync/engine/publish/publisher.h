// From a wanted change to what stands in the folder: gathers the contents of a batch, then
// publishes it in one step of the lane, and tells the replica. Steps 8 to 10 of a change's life.
// Loop thread only.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "dagsync/core/ignore.h"
#include "dagsync/core/replica.h"
#include "dagsync/engine/publish/journal.h"
#include "dagsync/engine/publish/publish_batch.h"
#include "dagsync/engine/publish/versions.h"
#include "dagsync/engine/transfer/fetcher.h"
#include "dagsync/engine/transfer/local_content.h"
#include "dagsync/engine/transfer/turns.h"

namespace dagsync {

class Publisher {
 public:
  // Contents that came with their announcement, by the digest of what they give.
  using Contents = std::map<Digest, std::variant<Announce::Whole, Announce::Delta>>;
  struct Hooks {
    std::function<void(Actions)> perform;         // what the replica wants done now
    std::function<void(const RelPath&)> look_at;  // the disk shows something unexpected
    std::function<void(const RelPath&)> touched;  // looks under way are stale
    std::function<void(const RelPath&, const std::string&)> trouble;  // "" when it is over
    std::function<void(const PublishItem&, const Wanted&)> published;
  };
  static constexpr Duration kFirstPause = std::chrono::milliseconds(20);
  static constexpr Duration kLongestPause = std::chrono::seconds(30);
  // After so many attempts, which take more than a minute, a content is given up if in the last few
  // of them everybody was there and said that he has not got it.
  static constexpr int kMostAttempts = 12;
  static constexpr int kLastAttempts = 4;
  static constexpr std::size_t kMostJobs = 2;       // in the lane at once
  static constexpr std::size_t kEnoughItems = 512;  // in one of them

  Publisher(Clock& clock, Worker& worker, Disk& disk, Store& store, Outlet& outlet,
            Replica& replica, const IgnoreRules& rules, Journal& journal, Versions& versions,
            Fetcher& fetcher, std::uint64_t turns_from, Hooks hooks);
  ~Publisher();

  // Publishes these wanted paths together, and no longer those unwanted ones.
  void want(const std::vector<RelPath>& paths, const std::vector<RelPath>& unwanted,
            Contents contents);
  void retry_now();   // a peer came, or space was made
  void take_turns();  // a peer has more than it had, or is gone: who waited for it may go on
  // Directories above these, deleted or not published after all, go where nothing needs them, and
  // when nothing stands in them any more.
  void prune_above(const std::vector<RelPath>& paths);
  void stop();
  // Of contents that came with their announcements and are not on the disk yet.
  [[nodiscard]] std::size_t held_bytes() const { return *held_bytes_; }
  [[nodiscard]] bool is_publishing(const RelPath& path) const {
    return in_lane_.contains(path) || removing_.contains(path);
  }
  // Until release() no batch goes into the lane; what is in it comes to its end.
  void suspend();
  void release();
  [[nodiscard]] bool is_still() const { return in_lane_.empty() && removing_.empty(); }
  [[nodiscard]] bool idle() const {
    return batches_.empty() && in_lane_.empty() && removing_.empty();
  }

 private:
  struct Item;
  struct Batch;
  struct Retry {
    MonoNanos at;
    Duration pause{};
    int attempts = 0;
    int nobody = 0;  // of the last ones, those in which everybody was there and nobody had it
  };
  using BatchPtr = std::shared_ptr<Batch>;
  // Of a content that others are to have first.
  struct Turn {
    std::weak_ptr<Batch> batch;
    Content content;
    std::size_t holders = 0;  // when this was looked at
    MonoNanos since;          // nobody more has it
  };

  void prepare(const BatchPtr& batch, const RelPath& path, Item& item, Contents& contents,
               bool is_last);
  void obtain(const BatchPtr& batch, const RelPath& path, std::optional<Announce::Delta> delta);
  // Now, or when it is this node's turn to fetch so large a content.
  void fetch(const BatchPtr& batch, const RelPath& path);
  void fetch_from(const BatchPtr& batch, const RelPath& path, std::vector<NodeName> sources);
  [[nodiscard]] std::vector<NodeName> all_sources(const Wanted& wanted) const;
  [[nodiscard]] Takers takers_of(const Wanted& wanted) const;
  void ready(const BatchPtr& batch, Item& item);
  [[nodiscard]] bool is_partner(const NodeName& peer) const;
  void give_up(const BatchPtr& batch, const RelPath& path, const Error& error);
  void take_out(const std::vector<RelPath>& paths, std::vector<BatchPtr>& robbed);
  void submit_if_complete(const BatchPtr& batch);
  void submit_complete();
  void submit(const std::vector<BatchPtr>& batches);
  [[nodiscard]] std::vector<PublishItem> take_items(const std::vector<BatchPtr>& batches);
  [[nodiscard]] std::optional<PublishItem> make_item(Batch& batch, const RelPath& path, Item& item,
                                                     const Wanted& wanted);
  void add_evictions(PublishBatch& batch);
  void add_implied_directories(const RelPath& top, std::vector<Eviction>& below);
  [[nodiscard]] bool is_needless(const RelPath& directory) const;
  [[nodiscard]] std::vector<RelPath> needless_of(const std::vector<RelPath>& lowest) const;
  void prune(const std::vector<RelPath>& directories, std::vector<Journal::Mark> marks);
  // When the rows written so far are in the store, or the next start takes the directories for
  // deleted by a person; and before `marks` are cleared, for the next start looks above intents.
  void prune_from(const std::vector<RelPath>& lowest, std::vector<Journal::Mark> marks);
  void removed(const RelPath& path);
  [[nodiscard]] std::set<RelPath> going_with(const PublishBatch& batch) const;
  [[nodiscard]] std::set<RelPath> wanted_deletes(const RelPath& directory) const;
  void finished(std::shared_ptr<PublishBatch> batch, PublishResults results);
  [[nodiscard]] Actions settle_item(PublishItem& item, const Result<Published>& result);
  void failed(const RelPath& path, const Error& error);
  void retry_later(const RelPath& path);
  void arm();
  [[nodiscard]] std::shared_ptr<void> hold(std::size_t bytes) const;
  [[nodiscard]] std::vector<LocalSource> sources_of(const Digest& digest, const Batch* batch) const;
  [[nodiscard]] std::optional<KeptVersion> keep(const RelPath& path, const IndexEntry& old,
                                                const Record& by);

  Clock& clock_;
  Worker& worker_;
  Disk& disk_;
  Store& store_;
  Outlet& outlet_;
  Replica& replica_;
  const IgnoreRules& rules_;
  Journal& journal_;
  Versions& versions_;
  Fetcher& fetcher_;
  std::uint64_t turns_from_;  // bytes
  Hooks hooks_;
  // A worker may let go of the last item of a batch.
  std::shared_ptr<std::atomic<std::size_t>> held_bytes_ =
      std::make_shared<std::atomic<std::size_t>>(0);
  std::unordered_map<RelPath, BatchPtr> batches_;  // of each path that waits for its batch
  std::deque<BatchPtr> complete_;                  // of those, for the lane
  std::size_t jobs_ = 0;                           // in the lane
  std::unordered_map<RelPath, Wanted> in_lane_;    // being published, as it was wanted then
  // Besides: directories that go for want of use, and what makes room for a file. It may be twice.
  std::multiset<RelPath> removing_;
  std::map<RelPath, Retry> retries_;
  std::map<RelPath, Turn> turns_;
  TimerId turn_timer_;
  bool suspended_ = false;
  MonoNanos next_retry_;
  MonoNanos timer_at_;
  TimerId timer_;
};

}  // namespace dagsync
