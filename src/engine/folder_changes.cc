// Local changes go out, remote ones come in.
#include <algorithm>
#include <utility>

#include "dagsync/base/log.h"
#include "dagsync/engine/folder.h"
#include "dagsync/wire/codec.h"
#include "dagsync/wire/framing.h"

namespace dagsync {
namespace {

constexpr std::size_t kMessageBytes = 1 << 20;     // about; an Announce is cut there
constexpr std::size_t kMaxHeldBytes = 32 << 20;    // of contents that came with their announcements
constexpr std::size_t kMaxQueuedBytes = 32 << 20;  // beyond, a snapshot will bring the rest

std::string too_many_deletes(const Halt& halt, std::size_t files, const FolderConfig& config) {
  const std::string those =
      halt.told == 0 ? "them" : fmt::format("the {} that no peer was told of", halt.deletes);
  return fmt::format(
      "{} files of {} went within {} s, more than max_delete_percent = {} allows: "
      "`dagsync resume {}` brings {} back from the peers, with --accept-deletes it deletes {} "
      "everywhere",
      halt.deletes + halt.told, files + halt.told, DeleteGuard::kWindow / std::chrono::seconds(1),
      config.max_delete_percent, config.name, those, halt.told == 0 ? "them" : "those, too,");
}

}  // namespace

void Folder::observed(Intake::Batch batch) {
  if (stopping_) return;
  note_troubles(batch);
  const bool ends_halt =
      resuming_ && batch.whole && (is_paused() || batch.policy != DeletePolicy::kGuard);
  if (ends_halt) goes_on(batch);
  fresh_ = &batch;
  perform_local(replica_.observe(batch.seen, batch.policy, ports_.clock.mono()));
  fresh_ = nullptr;
  if (ends_halt) publisher_.release();
  for (const Observation& seen : batch.seen) {
    const std::string why = verifier_.reader().known_difference(seen.path);
    if (!why.empty()) event(Event::Kind::kRefused, seen.path, self_.value, why);
  }
  const bool rules = std::any_of(batch.seen.begin(), batch.seen.end(), [&](const auto& seen) {
    return seen.path.bytes() == kIgnoreFileName;
  });
  if (rules && ready_ && load_rules()) rules_changed();
  if (!unproven_.authors().empty() && !intake_.has_suspects()) {
    unproven_ = {};
    journal_.touch();
  }
  if (batch.whole && !ready_) {
    ready_ = true;
    log::info({config_.name, {}, {}}, "folder {}: {} files in {} directories", config_.name,
              replica_.index().totals().files, replica_.index().totals().directories);
    if (started_) std::exchange(started_, nullptr)({});
  }
  journal_.reconsider();
  changed();
}

// What people changed here: their bytes become durable with the rows that tell of them, and
// directories that their deletes left without a use go, as they do elsewhere.
void Folder::perform_local(Actions actions) {
  std::vector<RelPath> changed;
  std::vector<RelPath> removed;
  std::vector<Journal::Mark> marks;
  Wishes wishes;
  {
    const Journal::Together together(journal_, Journal::Of::kEdits);
    for (const Action& action : actions) {
      const auto* save = std::get_if<SaveEntry>(&action);
      if (save == nullptr || save->entry.id.author != replica_.author()) continue;
      const IndexEntry& entry = save->entry;
      if (save->replaced && !journal_.has_intent(save->path)) {
        marks.push_back(journal_.open_intent(save->path));
        const Change change{save->path, entry.id, entry.record};
        journal_.write(Transaction::PutIntent{{save->path, change, save->replaced, std::nullopt}});
      } else {
        changed.push_back(save->path);
      }
      if (!entry.record.is_live()) removed.push_back(save->path);
    }
    wishes = record(std::move(actions));
  }
  frame_outgoing();
  // Their rows first: knowledge of them must not be durable before.
  pursue(std::move(wishes), {});
  journal_.sync_edits(std::move(changed), std::move(marks));
  publisher_.prune_above(removed);
}

void Folder::perform(Actions actions, Publisher::Contents contents) {
  Wishes wishes;
  {
    const Journal::Together together(journal_);
    wishes = record(std::move(actions));
  }
  frame_outgoing();
  pursue(std::move(wishes), std::move(contents));
}

// Writes down what has changed, and tells of it.
Folder::Wishes Folder::record(Actions actions) {
  Wishes wishes;
  for (Action& action : actions) {
    if (auto* save = std::get_if<SaveEntry>(&action)) {
      journal_.write(Transaction::PutEntry{save->path, std::move(save->entry)});
    } else if (auto* drop = std::get_if<DropEntry>(&action)) {
      journal_.write(Transaction::DropEntry{drop->path});
    } else if (auto* ours = std::get_if<Broadcast>(&action)) {
      broadcast(std::move(ours->changes));
    } else if (auto* foreign = std::get_if<Relay>(&action)) {
      relay(*foreign);
    } else if (auto* want = std::get_if<Want>(&action)) {
      wishes.wants.push_back(std::move(want->path));
    } else if (auto* unwant = std::get_if<Unwant>(&action)) {
      wishes.unwants.push_back(std::move(unwant->path));
    } else if (auto* snapshot = std::get_if<StartSnapshot>(&action)) {
      event(Event::Kind::kSent, RelPath(), snapshot->peer.value, "what it lacks");
      snapshots_.start(snapshot->peer);
    } else if (auto* stop = std::get_if<Halt>(&action)) {
      halt(too_many_deletes(*stop, replica_.index().totals().files, config_));
    }
  }
  return wishes;
}

void Folder::pursue(Wishes wishes, Publisher::Contents contents) {
  auto& [wants, unwants] = wishes;
  // Of a path that was wanted and then not, or the other way round, the replica says what holds.
  std::erase_if(unwants, [this](const RelPath& path) { return replica_.wanted().contains(path); });
  if (!wants.empty() || !unwants.empty()) {
    publisher_.want(wants, unwants, std::move(contents));
  }
}

std::vector<NodeName> Folder::live_peers() const {
  std::vector<NodeName> peers;
  for (const auto& [name, peer] : replica_.peers()) {
    if (peer.connected && peer.told && peer.may_receive && peer.accepts) peers.push_back(name);
  }
  return peers;
}

Announce::Item Folder::with_content(Change change) const {
  Announce::Item item{std::move(change), {}};
  const Content& content = item.change.record.content;
  if (fresh_ == nullptr || content.kind != Kind::kFile) return item;
  const auto whole = fresh_->bytes.find(content.digest);
  const auto delta = fresh_->deltas.find(content.digest);
  if (whole != fresh_->bytes.end()) {
    item.content = Announce::Whole{*whole->second};
  } else if (delta != fresh_->deltas.end()) {
    item.content = delta->second;
  }
  return item;
}

// What was looked at and is no trouble now has none; after a comparison of everything that goes for
// every path, also one at which nothing stands any more.
void Folder::note_troubles(const Intake::Batch& batch) {
  std::set<RelPath> still;
  for (const Scanner::Trouble& found : batch.troubles)
    still.insert(found.path);
  std::vector<RelPath> looked_at(batch.looked_at.begin(), batch.looked_at.end());
  if (batch.whole) {
    for (const auto& [path, error] : errors_)
      looked_at.push_back(path);
  }
  for (const RelPath& path : looked_at) {
    if (!replica_.wanted().contains(path) && !still.contains(path)) trouble(path, "");
  }
  for (const Scanner::Trouble& found : batch.troubles)
    trouble(found.path, found.what);
}

// Peers hear of a change when its row would survive our end: otherwise we would come back without
// it, and make another version of the same edit.
void Folder::broadcast(std::vector<Change> changes) {
  std::vector<Announce::Item> items;
  for (Change& change : changes) {
    log::info({config_.name, change.path.bytes(), {}}, "{}: {} {}", config_.name,
              change.record.is_live() ? "changed" : "removed", display(change.path));
    lag_.made(change.id.author, change.id.sequence, ports_.clock.mono());
    items.push_back(with_content(std::move(change)));
  }
  auto outgoing = std::make_shared<Outgoing>(Outgoing{cut(std::move(items)), {}});
  to_frame_.push_back(outgoing);
  journal_.when_written([this, outgoing] {
    announce(*outgoing);
    outgoing->messages.clear();  // where that was at once, nothing is framed afterwards
  });
}

std::vector<Announce> Folder::cut(std::vector<Announce::Item> items) const {
  std::vector<Announce> messages;
  std::size_t bytes = 0;
  for (Announce::Item& item : items) {
    const bool full = bytes >= kMessageBytes ||
                      (!messages.empty() && messages.back().items.size() >= kMaxChangesPerMessage);
    if (messages.empty() || full) {
      if (!messages.empty()) messages.back().more = true;
      messages.push_back(Announce{config_.name, {}});
      bytes = 0;
    }
    bytes += encoded_bound(item);
    messages.back().items.push_back(std::move(item));
  }
  return messages;
}

// While the rows are on the way to the store, not when they are there. Of a batch that is the first
// message: peers work on that while the next one is framed.
void Folder::frame_outgoing() {
  const auto waiting = std::exchange(to_frame_, {});
  if (live_peers().empty()) return;
  for (const auto& outgoing : waiting) {
    if (outgoing->messages.empty()) continue;
    outgoing->first_frame = frame_message(outgoing->messages.front());
  }
}

// A peer that does not read as fast as we write is left behind; a snapshot will catch it up.
void Folder::announce(const Outgoing& outgoing) {
  std::vector<NodeName> peers = live_peers();
  std::string names;
  for (const NodeName& peer : peers)
    names += (names.empty() ? "" : ", ") + peer.value;
  const char* nobody = peers.empty() ? ", but no peer is connected" : "";
  for (const Announce& message : outgoing.messages) {
    for (const Announce::Item& item : message.items) {
      event(Event::Kind::kSent, item.change.path, names,
            (item.change.record.is_live() ? "changed" : "deleted") + std::string(nobody));
    }
  }
  if (peers.empty()) return;
  for (const Announce& message : outgoing.messages) {
    std::erase_if(peers, [this](const NodeName& peer) { return is_left_behind(peer); });
    for (const NodeName& peer : peers) {
      for (const Announce::Item& item : message.items) {
        replica_.sent(peer, item.change.id);
        note_sent(peer, item);
      }
    }
    const bool is_first = &message == &outgoing.messages.front();
    if (is_first && !outgoing.first_frame.empty()) {
      outlet_.send_frame(peers, outgoing.first_frame);
    } else {
      outlet_.send(peers, message);
    }
  }
  note_lag();
}

bool Folder::is_left_behind(const NodeName& peer) {
  if (outlet_.queued_bytes(peer) <= kMaxQueuedBytes) return false;
  replica_.lagging(peer);
  outlet_.send(peer, Announce{config_.name, {}});  // ends the batch, where it has begun one
  return true;
}

void Folder::relay(const Relay& relay) {
  Announce announce;
  announce.folder = config_.name;
  announce.items.push_back({relay.change, {}});
  replica_.sent(relay.peer, relay.change.id);
  note_sent(relay.peer, announce.items.front());
  outlet_.send(relay.peer, announce);
  event(Event::Kind::kSent, relay.change.path, relay.peer.value,
        "passed on from " + relay.change.id.author.node().value);
}

void Folder::on_announce(const NodeName& from, Announce announce) {
  auto items = admission_.announced(from, std::move(announce));
  if (!items) return;
  deliver(from, std::move(*items));
  admission_.answer_pages();
}

void Folder::published(const PublishItem& item, const Wanted& wanted) {
  const RelPath& path = item.path;
  const Record& record = wanted.record;
  // A change that comes again, since the disk lost it, was told by nobody this time.
  const ChangeId& told = item.change.id.sequence != 0 ? item.change.id : record.origin;
  const NodeName& author = told.author.node();
  log::info({config_.name, path.bytes(), author.value}, "{}: {} {} from {}", config_.name,
            record.is_live() ? "applied" : "deleted", display(path), author.value);
  event(Event::Kind::kApplied, path, author.value, record.is_live() ? "changed" : "deleted");
  note_received(author, record);
  if (path.bytes() == kIgnoreFileName && load_rules()) rules_changed();
  const bool changed_something = record.is_live() || (item.old && item.old->record.is_live());
  if (changed_something) admission_.published(item.change, wanted.sources);
  admission_.answer_pages();
  changed();
}

void Folder::deliver(const NodeName& from, std::vector<Announce::Item> items) {
  std::vector<Change> changes;
  Publisher::Contents contents;
  for (Announce::Item& item : items) {
    const Digest digest = item.change.record.content.digest;
    if (publisher_.held_bytes() >= kMaxHeldBytes) {
      // Fetched when its turn comes.
    } else if (auto* whole = std::get_if<Announce::Whole>(&item.content)) {
      contents.emplace(digest, std::move(*whole));
    } else if (auto* delta = std::get_if<Announce::Delta>(&item.content)) {
      contents.emplace(digest, std::move(*delta));
    }
    changes.push_back(std::move(item.change));
  }
  perform(replica_.announced(from, changes,
                             [this](const RelPath& path, Kind kind) {
                               return rules_.ignores(path, kind == Kind::kDirectory);
                             }),
          std::move(contents));
  tell_of_refusals(from, changes);
  // What needed no row became known all the same, and is to be acknowledged. Where nothing did, a
  // commit would only stand in the way of what is to be published.
  if (!journal_.is_due() && !replica_.durable().covers(meta().knowledge)) journal_.touch();
  changed();
}

void Folder::tell_of_refusals(const NodeName& from, const std::vector<Change>& changes) {
  for (const Change& change : changes) {
    if (!replica_.withheld().covers(change.id)) continue;
    const std::string why = verifier_.reader().known_difference(change.path);
    if (!why.empty()) event(Event::Kind::kRefused, change.path, from.value, why);
  }
}

void Folder::on_page_done(const NodeName& from, const PageDone& done) {
  snapshots_.on_page_done(from, done.page);
}

void Folder::on_snapshot_end(const NodeName& from, const SnapshotEnd& end) {
  if (!admission_.may_tell(from, end.knowledge.intervals())) return;
  perform(replica_.snapshot_ended(from, end.knowledge));
  journal_.touch();
  changed();
}

void Folder::on_list(const NodeName& from) {
  snapshots_.list(from);
}

}  // namespace dagsync
