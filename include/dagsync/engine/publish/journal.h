// Brings what a folder did to the disk for good: rows of the index in the order in which they were
// made, and then, in groups, files and rows durably. Only what is durable is acknowledged.
//
// Order of writes of one published path: intent (durable) -> rename -> row -> file synced ->
// {intent cleared, knowledge} (durable) -> acknowledgement. Loop thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "dagsync/core/knowledge.h"
#include "dagsync/ports/clock.h"
#include "dagsync/ports/disk.h"
#include "dagsync/ports/store.h"
#include "dagsync/ports/worker.h"

namespace dagsync {

class Journal {
 public:
  struct Hooks {
    std::function<FolderMeta()> meta;                    // as of now, but for `clean`
    std::function<void(const Knowledge&)> made_durable;  // everything in it survives a power cut
    std::function<void(const Error&)> failed;            // a write failed; it is tried again
    // Edits made here are still coming in, or on their way to peers: they are not synced meanwhile,
    // for kLongestHold at most, where nobody waits for them.
    std::function<bool()> is_spreading;
    // More is on its way into the folder right now.
    std::function<bool()> is_publishing;
  };

  // Less than the 5 s in which ext4 commits by itself.
  static constexpr Duration kLongestHold = std::chrono::seconds(4);
  // More paths than kMaxPathsSyncedSingly are a burst: they are synced when it pauses for so long,
  // and after kLongestHold at most. Some tens of ms pass between two parts of a burst on a busy
  // machine.
  static constexpr Duration kPauseInBurst = std::chrono::milliseconds(100);

  // `lane` serialises the store and all publishing of the folder.
  Journal(Clock& clock, Worker& worker, Lane lane, Disk& disk, Store& store, Hooks hooks);
  ~Journal();

  [[nodiscard]] Lane lane() const { return lane_; }
  // Committed soon, in order, without waiting for the disk; made durable with the next group.
  void write(Transaction::Write write);
  // Whether peers wait for an acknowledgement of what is written, or it tells of edits made here.
  enum class Of { kPeers, kEdits };
  // What is written in its life goes in one transaction: else the first row goes at once and alone,
  // and the rest waits for it. Not beyond the step that makes it.
  class Together {
   public:
    explicit Together(Journal& journal, Of of = Of::kPeers) : journal_(journal), of_(of) {
      ++journal_.together_;
      if (of_ == Of::kEdits) ++journal_.editing_;
    }
    ~Together();
    Together(const Together&) = delete;
    Together& operator=(const Together&) = delete;

   private:
    Journal& journal_;
    Of of_;
  };
  // Calls back when the rows written so far would survive the end of this process; at once where
  // they do. In the order of the calls.
  void when_written(std::function<void()> call);
  // The path gets an intent in the next step of the lane; the mark clears it when it is time.
  struct Mark {
    RelPath path;
    std::uint64_t number = 0;  // 0: of no intent
  };
  [[nodiscard]] Mark open_intent(const RelPath& path);
  // Whether what was published there last may not be synced yet.
  [[nodiscard]] bool has_intent(const RelPath& path) const { return open_.contains(path); }
  // Published, and the rows written: bytes and names are synced with the next group, then the
  // intents are cleared.
  void sync_later(std::vector<Mark> marks);
  // The same of paths without an intent, or before it may be cleared.
  void sync_later(std::vector<RelPath> paths);
  // Local edits: paths without an intent, and such as have one. Until then a power cut may take
  // them, or half of one; but no peer's acknowledgement depends on it, so it can wait for a while.
  void sync_edits(std::vector<RelPath> paths, std::vector<Mark> marks);
  // Hooks::is_spreading may give another answer now.
  void reconsider();
  // Nothing was changed at the path: the intent is cleared at once.
  void withdraw(const Mark& mark);
  // Something changed that must become durable and that peers wait for, though no file has to be
  // synced.
  void touch();
  // Tries again after a failure: call it now and then while idle() is false, or where something
  // changed that nobody waits for.
  void retry();
  // Calls back when all that was written so far is durable. Ends a hold.
  void when_durable(std::function<void()> call);
  // The last group, marked as a clean stop; then calls back.
  void close(std::function<void()> closed);
  [[nodiscard]] bool idle() const { return !syncing_ && !dirty_; }
  // Whether a group is to come anyway that peers wait for.
  [[nodiscard]] bool is_due() const { return dirty_ && waited_for_; }

 private:
  void flush();
  void drop_outdated_clears();
  void sync();
  void commit_group(FolderMeta meta);
  void group_done(const Status& status, const Knowledge& knowledge);
  [[nodiscard]] std::vector<Transaction::Write> clearable_intents();
  void gather(std::vector<Mark> marks);
  void gather(std::vector<RelPath> paths);
  [[nodiscard]] bool has_to_hold();
  [[nodiscard]] bool in_burst(MonoNanos now) const;

  Clock& clock_;
  Worker& worker_;
  Lane lane_;
  Lane sync_lane_;
  Disk& disk_;
  Store& store_;
  Hooks hooks_;
  Transaction queue_;
  std::vector<std::function<void()>> queue_waiting_;   // for the rows of queue_
  std::vector<std::function<void()>> flight_waiting_;  // for those that are being committed
  // Why the rows before this in the lane are not in the store; none: they are. The lane's jobs own
  // what it points to.
  std::shared_ptr<std::optional<Error>> rows_missing_ = std::make_shared<std::optional<Error>>();
  int together_ = 0;
  int editing_ = 0;  // of those, for edits
  bool flushing_ = false;
  bool dirty_ = false;
  bool waited_for_ = false;  // by peers
  MonoNanos gathered_at_;    // the last of to_sync_
  std::optional<MonoNanos> held_since_;
  TimerId hold_timer_;  // while it is held back
  bool syncing_ = false;
  bool closing_ = false;
  std::uint64_t next_mark_ = 1;
  std::unordered_map<RelPath, std::uint64_t> open_;  // the newest intent of each path
  std::vector<Mark> to_sync_;
  std::vector<Mark> group_;  // being synced now
  std::vector<std::function<void()>> waiting_;
  std::vector<std::function<void()>> group_waiting_;
  std::function<void()> closed_;
};

}  // namespace dagsync
