// One replicated folder at work: ties the replica, which decides, to the parts that do: intake,
// journal, publisher, fetcher, content server, snapshots, versions. Loop thread only.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "dagsync/core/ignore.h"
#include "dagsync/core/replica.h"
#include "dagsync/engine/config.h"
#include "dagsync/engine/events.h"
#include "dagsync/engine/lag_meter.h"
#include "dagsync/engine/observe/intake.h"
#include "dagsync/engine/peers/admission.h"
#include "dagsync/engine/peers/outlet.h"
#include "dagsync/engine/peers/snapshots.h"
#include "dagsync/engine/publish/journal.h"
#include "dagsync/engine/publish/publisher.h"
#include "dagsync/engine/publish/versions.h"
#include "dagsync/engine/status.h"
#include "dagsync/engine/transfer/content_server.h"
#include "dagsync/engine/transfer/fetcher.h"
#include "dagsync/engine/verify/verifier.h"

namespace dagsync {

struct FolderPorts {
  Clock& clock;
  Random& random;
  Worker& worker;
  Disk& disk;
  Store& store;
  Watcher& watcher;
};

class Folder {
 public:
  Folder(FolderConfig config, NodeName self, FolderPorts ports, Outlet& outlet);
  ~Folder();

  // -- life ---------------------------------------------------------------------------------------
  // Loads the state, looks at the whole folder, then calls back: it may meet peers now. An error is
  // one that keeps the daemon from starting; a folder that is not as it was halts instead.
  void start(std::function<void(Status)> started);
  // Everything that was done becomes durable; then calls back, and does nothing more.
  void stop(std::function<void()> stopped);
  void configure(const FolderConfig& config);
  void configure_peers(const std::vector<PeerConfig>& peers);
  void tick();  // every few seconds
  // Called after anything that may change an answer of status() or synced().
  void on_change(std::function<void()> call) { changed_ = std::move(call); }
  // Called with everything that people who follow the folder want to see; numberless.
  void on_event(std::function<void(Event)> call) { event_ = std::move(call); }

  // -- peers --------------------------------------------------------------------------------------
  [[nodiscard]] Hello::Folder hello() const;
  void peer_connected(const NodeName& peer);
  void peer_lost(const NodeName& peer);
  void on_tell(const NodeName& from, const Tell& tell);
  void on_announce(const NodeName& from, Announce announce);
  void on_page_done(const NodeName& from, const PageDone& done);
  void on_snapshot_end(const NodeName& from, const SnapshotEnd& end);
  void on_list(const NodeName& from);
  [[nodiscard]] Fetcher& fetcher() { return fetcher_; }
  [[nodiscard]] ContentServer& server() { return server_; }
  [[nodiscard]] Verifier& verifier() { return verifier_; }

  // -- people -------------------------------------------------------------------------------------
  [[nodiscard]] const FolderConfig& config() const { return config_; }
  [[nodiscard]] FolderStatus status() const;
  [[nodiscard]] bool in_sync() const;
  [[nodiscard]] bool is_at_rest() const;  // nothing is under way here, whatever the peers do
  // What has happened on the disk so far is pending from now on, or taken in where nothing hints at
  // it; then calls back.
  void notice(std::function<void()> done);
  // Takes in what happened on the disk so far: the pending hints (paths empty), those paths, or
  // with `whole` everything. Then calls back.
  void take_in(const std::vector<RelPath>& paths, bool whole, std::function<void()> done);
  [[nodiscard]] Knowledge known() const { return replica_.known(); }
  [[nodiscard]] bool has_durably(const NodeName& peer, const Knowledge& knowledge) const;
  [[nodiscard]] const Replica& replica() const { return replica_; }
  [[nodiscard]] const Versions& versions() const { return versions_; }
  struct NotPushed {
    RelPath path;
    std::string why;
  };
  // What stands at or below a path that was just taken in (the root: in the folder) and does not
  // travel, by path.
  [[nodiscard]] std::vector<NotPushed> not_pushed(const RelPath& path) const;
  void restore(const RelPath& path, const std::optional<KeptId>& id,
               std::function<void(Result<KeptVersion>)> done);
  // Ends a halt, or a pause: after that what happened meanwhile is taken in like at a start, and
  // deletes count as made at its beginning. `accept_deletes`: however many they are.
  void resume(bool accept_deletes, std::function<void(Status)> done);
  // Takes in what happened so far, and then neither publishes here nor sends, until resume(), over
  // restarts, too. Calls back when nothing of ours writes into the folder any more, durably.
  void pause(std::function<void(Status)> done);
  [[nodiscard]] bool is_paused() const { return paused_at_ != UnixNanos{}; }

 private:
  struct Loaded {
    Status status;
    FolderImage image;
    std::string boot;
    std::vector<RelPath> doubtful;
    bool recovered = false;
    Result<RootIdentity> root = RootIdentity{};
  };

  void put_back_version(const KeptVersion& version,
                        const std::function<void(Result<KeptVersion>)>& done);
  void discard(const Observation& seen, const std::function<void()>& done);
  [[nodiscard]] Verifier::Hooks verifier_hooks();

  // life
  void loaded(Loaded loaded, std::function<void(Status)> started);
  void doubt(const std::vector<RelPath>& unsynced, std::set<RelPath> suspects,
             const std::string& boot, const std::string& agreed_in);
  [[nodiscard]] FolderMeta meta() const;
  void adopt_root(std::function<void(Status)> done);
  void halt(std::string reason);
  void stand_still(std::string reason);
  void hold();
  void await_stillness();
  void resume_paused(bool accept_deletes, std::function<void(Status)> done);
  void scan_to_resume(DeletePolicy policy, std::function<void(Status)> done);
  void goes_on(const Intake::Batch& batch);
  [[nodiscard]] std::string lost(const std::string& why) const;
  bool load_rules();  // whether they are other ones now
  void rules_changed();
  void begin_watching();
  void root_moved();

  // doing what the replica wants
  void perform(Actions actions, Publisher::Contents contents = {});
  struct Wishes {
    std::vector<RelPath> wants;
    std::vector<RelPath> unwants;
  };
  [[nodiscard]] Wishes record(Actions actions);
  void pursue(Wishes wishes, Publisher::Contents contents);
  void observed(Intake::Batch batch);
  void note_troubles(const Intake::Batch& batch);
  void perform_local(Actions actions);
  void broadcast(std::vector<Change> changes);
  // What is told of one batch of changes, in its order, and waits for their rows.
  struct Outgoing {
    std::vector<Announce> messages;
    std::string first_frame;  // of the first of them; "": not framed meanwhile
  };
  [[nodiscard]] std::vector<Announce> cut(std::vector<Announce::Item> items) const;
  void frame_outgoing();
  void announce(const Outgoing& outgoing);
  [[nodiscard]] bool is_left_behind(const NodeName& peer);
  void relay(const Relay& relay);
  void deliver(const NodeName& from, std::vector<Announce::Item> items);
  void published(const PublishItem& item, const Wanted& wanted);
  [[nodiscard]] Announce::Item with_content(Change change) const;
  [[nodiscard]] std::vector<NodeName> live_peers() const;

  // telling
  void tell_soon();
  void tell(const std::vector<NodeName>& peers);
  void changed();
  void event(Event::Kind kind, const RelPath& path, std::string peer, std::string what);
  void tell_of_refusals(const NodeName& from, const std::vector<Change>& changes);
  // Whether edits made here are still coming in, or on their way to a peer.
  [[nodiscard]] bool is_spreading() const;
  void note_lag();
  void note_sent(const NodeName& peer, const Announce::Item& item);
  void note_received(const NodeName& author, const Record& record);
  void trouble(const RelPath& path, const std::string& what);
  [[nodiscard]] std::string degraded() const;

  FolderConfig config_;
  NodeName self_;
  FolderPorts ports_;
  Outlet& outlet_;
  IgnoreRules rules_;
  Replica replica_;
  Admission admission_;
  Journal journal_;
  Versions versions_;
  Fetcher fetcher_;
  ContentServer server_;
  Intake intake_;
  Publisher publisher_;
  Snapshots snapshots_;
  Verifier verifier_;

  RootIdentity root_;
  std::string boot_;
  std::string agreed_in_;  // the boot since when rows and disk agree
  Knowledge unproven_;     // of rows that were written before what they tell of was synced
  UnixNanos alive_at_;
  std::string ignore_text_;  // of .dagsyncignore, as the rules have it
  std::string set_aside_;    // where a corrupt index went
  std::string store_trouble_;
  bool ready_ = false;  // the first look is over
  bool stopping_ = false;
  bool needs_restart_ = false;  // what the last run left is judged only at a start
  bool resuming_ = false;       // from a halt, with the next comparison of the whole folder
  UnixNanos paused_at_;         // by the operator; 0: not paused
  std::vector<std::function<void(Status)>> await_stillness_;
  TimerId still_timer_;
  std::function<void(Status)> started_;
  std::function<void()> changed_;
  std::function<void(Event)> event_;
  const Intake::Batch* fresh_ = nullptr;             // the batch being observed
  std::vector<std::shared_ptr<Outgoing>> to_frame_;  // while their rows are on the way
  Knowledge last_told_;                              // as received, to all
  TimerId watch_timer_;
  std::map<RelPath, PathError> errors_;
  std::map<NodeName, MonoNanos> behind_since_;
  LagMeter lag_;
  std::map<NodeName, Traffic> traffic_;  // of configured peers
  FolderCounts counts_;
  TimerId tell_timer_;
  MonoNanos last_upkeep_;
};

}  // namespace dagsync
