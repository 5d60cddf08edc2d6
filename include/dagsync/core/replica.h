// The replication state machine of one folder. Pure: it is told what the disk showed and what peers
// said, and answers with what to do. It owns the index, the knowledge and the changes that are
// wanted but not published yet; the engine around it does the work (engine/folder.h).
//
// A remote change is first *wanted*: its content is obtained and published by the engine, and only
// published() makes it the index's record. So the index always says what stands on this disk, and
// knowledge, which is what was received without what is still wanted, never claims more.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_set>
#include <variant>
#include <vector>

#include "dagsync/core/delete_guard.h"
#include "dagsync/core/index.h"
#include "dagsync/core/knowledge.h"
#include "dagsync/core/messages.h"
#include "dagsync/core/record.h"

namespace dagsync {

// What a look at a path showed; a tombstone content and no disk state where nothing stands.
struct Observation {
  RelPath path;
  Content content;
  std::optional<DiskState> disk;
  // When it was seen, at the end of the look; of what is gone when that was asked, or, where a scan
  // found it, when it last existed.
  UnixNanos moment;
  // A power cut took what the index saw there, or half of it. Nobody's edit.
  bool went_back = false;
};

// What becomes of observed deletes.
enum class DeletePolicy {
  kGuard,    // they are ours to tell, unless they are too many: then the folder halts
  kRestore,  // the missing files come back from the peers
  kAccept,   // they are ours to tell, however many
};

// A change that is to be published.
struct Wanted {
  Record record;
  std::optional<ChangeId> id;     // under which `record` came; none: it is a merge of several
  std::vector<ChangeId> waiting;  // changes that count as known once this is published
  std::set<NodeName> sources;     // who announced it, and so has the content
  bool again = false;             // the index has the record, the disk lost the content
};

// What the engine must do, in this order.
struct SaveEntry {
  RelPath path;
  IndexEntry entry;
  // What an edit of this node replaced, both of them live: the disk shows that again if the machine
  // goes down before the edit is synced.
  std::optional<IndexEntry> replaced = std::nullopt;
};
struct DropEntry {
  RelPath path;
};
struct Broadcast {
  std::vector<Change> changes;
};  // ours, to every peer that may have them
struct Relay {
  NodeName peer;
  Change change;
};  // another author's, to one that cannot see it
struct Want {
  RelPath path;
};  // publish wanted(path)
struct Unwant {
  RelPath path;
};  // no longer
struct StartSnapshot {
  NodeName peer;
};
struct Halt {               // since too many files are gone
  std::size_t deletes = 0;  // that nobody was told of
  std::size_t told = 0;     // before them, within DeleteGuard::kWindow
};
using Action =
    std::variant<SaveEntry, DropEntry, Broadcast, Relay, Want, Unwant, StartSnapshot, Halt>;
using Actions = std::vector<Action>;

class Replica {
 public:
  using Wantings = std::map<RelPath, Wanted, ByBytes>;
  // What peers can make this node remember of authors. Beyond, what a new one wrote is left out,
  // and so not known. All authors must fit into one message (kMaxMessageAuthors of wire/codec.h);
  // what is above kMostAuthors is for nodes that speak of themselves.
  static constexpr std::size_t kMostAuthors = 3000;
  static constexpr std::size_t kMostEpochs = 256;  // of one node, by its own word
  // Of a knowledge. Beyond, it forgets of those authors that have the most, and so claims less than
  // it could, until a snapshot's end fills the holes. What was withheld is not forgotten so early.
  static constexpr std::size_t kMostIntervals = 1 << 14;
  static constexpr std::size_t kMostWithheld = 1 << 18;

  struct Settings {
    NodeName self;
    bool local_may_leave = true;   // false: receive-only
    bool remote_may_enter = true;  // false: send-only
    std::uint64_t max_file_size = std::uint64_t{4} << 30;
    int max_delete_percent = 50;
    Duration tombstones_keep{};
  };
  struct Peer {
    bool may_send = true;     // its changes may come in
    bool may_receive = true;  // ours may go to it
    bool counted = true;      // configured, with an address, may receive
    bool connected = false;
    bool told = false;     // since it connected
    bool vouched = false;  // has told in this run: what it knows of us is taken into account
    bool accepts = true;
    AuthorId author;          // its own now
    Knowledge received;       // as it told, and what was sent to it since
    Knowledge durable;        // as it told
    std::set<NodeName> sees;  // whom it is connected to
    std::uint64_t unpublished = 0;
    bool snapshot = false;      // one is on its way to it
    bool left_out = false;      // something of what it announced since its last snapshot ended
    MonoNanos lagging_since{};  // 0: not lagging
  };

  explicit Replica(Settings settings);

  // -- life ---------------------------------------------------------------------------------------
  // The state of the last run. Once, first.
  struct Image {
    Index index;
    Knowledge durable;  // the disk has it, too, as far as it was synced
    Knowledge knowledge;
    Knowledge withheld;
    AuthorId author;
    Sequence sequence = 0;
    UnixNanos floor;
    Epoch next_epoch;  // drawn for this run; of the author that takes over where `author` cannot
  };
  void restore(Image image);
  // Other settings or ignore rules: what never entered before is asked for again.
  void reconfigure(Settings settings);
  // Another author from now on: the index may have gone back, or is new.
  void begin_epoch(Epoch epoch);
  // Entries of the image whose change has sequence 0 get one of ours.
  [[nodiscard]] Actions number_merges();
  void halt(std::string reason);
  void resume();  // observed deletes are forgotten; observe() again with a policy

  // -- the disk -----------------------------------------------------------------------------------
  // A batch of looks at the disk that belong together. Paths that are being published now must be
  // left out: the engine looks again afterwards.
  [[nodiscard]] Actions observe(const std::vector<Observation>& batch, DeletePolicy policy,
                                MonoNanos now);
  // The engine begins to publish wanted(path), which is what this returns; until published() or
  // not_published(), what arrives for the path waits.
  const Wanted& publishing(const RelPath& path);
  // `record` stands on the disk now, as `disk` (none: of a tombstone, or where it is shadowed).
  [[nodiscard]] Actions published(const RelPath& path, const Record& record,
                                  const std::optional<ChangeId>& id,
                                  const std::vector<ChangeId>& settled,
                                  std::optional<DiskState> disk);
  [[nodiscard]] Actions not_published(const RelPath& path);  // it stays wanted
  // Nobody has the content of wanted(path) any more: a power cut took it before it had travelled,
  // or its author is gone for good. It is as if nobody had told of it, so that the other versions
  // with which it was merged are told once more; where the index has it, what stands on the disk
  // becomes a version on top of it.
  [[nodiscard]] Actions unobtainable(const RelPath& path);
  // Whether every counted peer is here, so that what none of them has is nowhere.
  [[nodiscard]] bool sees_everybody() const;

  // The disk must show the index's records again at these paths, where the index has live ones;
  // what stands there now is kept.
  [[nodiscard]] Actions reclaim(const std::vector<Observation>& wrong);

  // What stood at a path was removed (and kept), because a file replaced a directory above it; its
  // record stays, shadowed.
  [[nodiscard]] Actions evicted(const RelPath& path);

  // -- the peers ----------------------------------------------------------------------------------
  void configure_peer(const NodeName& name, bool may_send, bool may_receive, bool counted);
  void forget_peer(const NodeName& name);
  void connected(const NodeName& name);
  void disconnected(const NodeName& name);
  [[nodiscard]] Actions announced(const NodeName& from, const std::vector<Change>& changes,
                                  const std::function<bool(const RelPath&, Kind)>& ignored);
  [[nodiscard]] Actions told(const NodeName& from, const Tell& tell, MonoNanos now);
  [[nodiscard]] Actions snapshot_ended(const NodeName& from, const Knowledge& knowledge);
  // What the peer announced was left out: the end of its snapshot does not cover it.
  void left_out(const NodeName& from) { peers_[from].left_out = true; }
  // Sent to the peer: need not be sent again on this connection.
  void sent(const NodeName& to, const ChangeId& id);
  void snapshot_sent(const NodeName& to, const Knowledge& knowledge);
  void snapshot_broken(const NodeName& to);  // could not be sent whole, begin anew when it tells
  // Changes could not be sent live: a snapshot will bring them.
  void lagging(const NodeName& name) { peers_[name].told = false; }

  // -- durability ---------------------------------------------------------------------------------
  [[nodiscard]] Knowledge known() const;  // received, and not wanted any more: done with
  [[nodiscard]] Knowledge offered()
      const;  // known, without what never entered: what a snapshot covers
  // What was known() a while ago is durable now. Not what has been forgotten meanwhile, to be asked
  // for again.
  void made_durable(const Knowledge& knowledge);
  // Tombstones that nobody needs any more.
  [[nodiscard]] Actions collect(UnixNanos now);

  // -- questions ----------------------------------------------------------------------------------
  [[nodiscard]] const Index& index() const { return index_; }
  [[nodiscard]] const NodeName& self() const { return settings_.self; }
  [[nodiscard]] const AuthorId& author() const { return author_; }
  [[nodiscard]] Sequence sequence() const { return sequence_; }
  [[nodiscard]] UnixNanos floor() const { return floor_; }
  [[nodiscard]] const Knowledge& received() const { return received_; }
  [[nodiscard]] const Knowledge& withheld() const { return withheld_; }
  [[nodiscard]] const Knowledge& durable() const { return durable_; }
  [[nodiscard]] const Wantings& wanted() const { return wanted_; }
  // Of what is wanted there and below, in the order of paths, until it says false.
  void visit_wanted(const RelPath& top,
                    const std::function<bool(const RelPath&, const Wanted&)>& visit) const;
  // Whether a directory is wanted here, or something below that makes one.
  [[nodiscard]] bool will_be_directory(const RelPath& path) const;
  // Whether a file or symlink will stand above the path, once what is wanted there is published.
  [[nodiscard]] bool will_be_shadowed(const RelPath& path) const;
  // Where the disk differs from the index and may: what it shows there.
  [[nodiscard]] const std::map<RelPath, Observation>& drift() const { return drift_; }
  // What others have where this folder, being send-only, has something else.
  [[nodiscard]] const std::map<RelPath, Record>& kept_out() const { return kept_out_; }
  [[nodiscard]] const std::map<RelPath, std::string>& refused() const { return refused_; }
  [[nodiscard]] const std::map<NodeName, Peer>& peers() const { return peers_; }
  [[nodiscard]] const std::optional<std::string>& halted() const { return halted_; }
  // Whether the peer has durably all that we know, and we all that it told of.
  [[nodiscard]] bool in_sync_with(const Peer& peer) const;
  // Live and dead records that the peer lacks durably.
  struct Behind {
    std::size_t files = 0;
    std::uint64_t bytes = 0;
  };
  [[nodiscard]] Behind behind(const Peer& peer) const;

 private:
  [[nodiscard]] bool is_in_doubt() const;
  [[nodiscard]] bool is_ahead_of_us(const ChangeId& id) const;
  [[nodiscard]] ChangeId next_change();
  void want_again(const Observation& seen, Actions& actions, std::vector<Change>& ours);
  void author(const Observation& seen, Actions& actions, std::vector<Change>& ours);
  void look_again(const RelPath& path, Actions& actions, std::vector<Change>& ours);
  void adjudicate(const RelPath& path, Wanted combined, Actions& actions,
                  std::vector<Change>& ours);
  void save(const RelPath& path, Record record, const std::optional<ChangeId>& id,
            std::optional<DiskState> disk, Actions& actions, std::vector<Change>& ours);
  [[nodiscard]] bool is_made_after(const IndexEntry* entry, const Record& of_before) const;
  void make_again(const RelPath& path, const Change& of_before, Actions& actions,
                  std::vector<Change>& ours);
  void withhold(const NodeName& from, const Change& change, std::string why);
  void keep_out(const Change& change);
  [[nodiscard]] bool is_known(const NodeName& from, const Change& change) const;
  [[nodiscard]] bool has_room_for(const NodeName& from, const AuthorId& author) const;
  void believe(const NodeName& from, const Knowledge& knowledge);
  void disbelieve(const AuthorId& author, Sequence issued);
  // Without what came, be it in the index, wanted or withheld.
  [[nodiscard]] Knowledge mere_claims(Knowledge knowledge) const;
  void forget_some();
  void end_publishing(const RelPath& path);
  void unshadow(const RelPath& path, Actions& actions, std::vector<Change>& ours);
  void appear(const RelPath& path, Actions& actions, std::vector<Change>& ours);
  void receive(const ChangeId& id);
  void wait_for(const ChangeId& id);
  void settle(const std::vector<ChangeId>& ids);
  void unhear(const std::vector<ChangeId>& ids);
  void relay(const Change& change, Actions& actions) const;
  [[nodiscard]] bool refreshes(const Observation& seen, Actions& actions);
  [[nodiscard]] bool is_on_its_way_back(const Observation& seen);

  Settings settings_;
  Index index_;
  AuthorId author_;
  Sequence sequence_ = 0;
  bool is_restored_ = false;  // the author is of an earlier run: peers may know more of it
  Epoch next_epoch_;
  UnixNanos floor_;
  Knowledge received_;
  Knowledge withheld_;
  Knowledge durable_;
  std::set<ChangeId> waiting_;  // received, not published
  // `received_` without `waiting_`, once it was asked for: it is asked for at every step, and many
  // may be waiting. Kept up by receive(), wait_for() and settle(); whatever else changes the two
  // resets it.
  mutable std::optional<Knowledge> known_;
  // What the end of a snapshot said of changes that others have replaced: true only when all that
  // it brought is published, since until then we have nothing younger either.
  struct Gain {
    Knowledge knowledge;
    std::set<ChangeId> waiting;
  };
  std::vector<Gain> gains_;
  Wantings wanted_;
  std::unordered_set<RelPath> publishing_;
  std::map<RelPath, Wanted> later_;  // arrived while the path was being published
  std::map<RelPath, Observation> drift_;
  std::map<RelPath, Record> kept_out_;
  std::map<RelPath, std::string> refused_;  // what never enters here, and why
  std::map<NodeName, Peer> peers_;
  DeleteGuard guard_;
  std::optional<std::string> halted_;
};

}  // namespace dagsync
