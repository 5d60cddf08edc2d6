// What people ask of a folder: its status, old versions back.
#include <algorithm>
#include <utility>

#include "dagsync/base/log.h"
#include "dagsync/engine/folder.h"
#include "dagsync/engine/publish/bytecode.h"

namespace dagsync {
namespace {

const char* name_of(FolderMode mode) {
  switch (mode) {
    case FolderMode::kSync:
      return "sync";
    case FolderMode::kSendOnly:
      return "send-only";
    case FolderMode::kReceiveOnly:
      return "receive-only";
  }
  return "";
}

// A kept version as a staged thing, with the time of now, so that it wins everywhere and no cache
// can mistake it for what it was.
Result<std::unique_ptr<Staged>> stage_kept(Disk& disk, const KeptVersion& version, UnixNanos now) {
  Attributes attributes = attributes_of(version.content);
  attributes.mtime = now;
  if (version.content.kind == Kind::kSymlink) {
    const auto target = disk.read_kept_link(version.id);
    if (!target) return Unexpected(target.error());
    return disk.stage_symlink(*target, attributes);
  }
  auto file = disk.open_kept(version.id);
  if (!file) return Unexpected(file.error());
  auto staged = disk.stage_file(version.content.size);
  if (!staged) return Unexpected(staged.error());
  DigestStream digest;
  const auto copied = (*file)->read_all([&](std::string_view piece) {
    digest.update(piece);
    return (*staged)->append(piece);
  });
  if (!copied) return Unexpected(copied.error());
  if (digest.finish() != version.content.digest) {
    return fail(ErrorCode::kCorrupt, "the kept version is damaged: take another one");
  }
  if (const Status done = (*staged)->finish(attributes); !done) {
    return Unexpected(done.error());
  }
  return std::unique_ptr<Staged>(std::move(*staged));
}

Result<Published> put_back(Disk& disk, const KeptVersion& version, const Disk::Expected& expected,
                           const Content& old, const KeptId& keep, UnixNanos now) {
  const auto stands = disk.stat(version.path);
  if (!stands) return Unexpected(stands.error());
  if (*stands && (*stands)->type == FileType::kDirectory) {
    return fail(ErrorCode::kExists, "a directory stands there now: move it away first");
  }
  if (*stands && !expected) {
    return fail(ErrorCode::kExists,
                "something that is not replicated stands there now: move it away first");
  }
  for (RelPath above = version.path.parent(); !above.is_root(); above = above.parent()) {
    const auto state = disk.stat(above);
    if (!state) return Unexpected(state.error());
    if (*state && (*state)->type != FileType::kDirectory) {
      return fail(ErrorCode::kExists, display(above) + " is no directory now: move it away first");
    }
  }
  auto staged = stage_kept(disk, version, now);
  if (!staged) return Unexpected(staged.error());
  if (const Status made = make_implied_directories(disk, version.path.parent(), {}); !made) {
    return Unexpected(made.error());
  }
  auto published = disk.publish(version.path, expected, std::move(*staged), keep,
                                [](const RelPath&, FileType) { return false; });
  if (published && published->outcome == PublishOutcome::kDone) {
    Content content = version.content;
    content.mtime = now;
    StaleBytecode(disk).drop(version.path, content, expected ? std::optional(old) : std::nullopt);
  }
  return published;
}

}  // namespace

void Folder::notice(std::function<void()> done) {
  ports_.watcher.drain();
  const std::set<RelPath>& unwatched = intake_.unwatched();
  if (unwatched.empty() || replica_.halted()) {
    done();
    return;
  }
  take_in({unwatched.begin(), unwatched.end()}, false, std::move(done));
}

void Folder::take_in(const std::vector<RelPath>& paths, bool whole, std::function<void()> done) {
  if (replica_.halted()) {
    done();
    return;
  }
  ports_.watcher.drain();
  for (const RelPath& path : paths)
    intake_.look_at(path);
  if (whole) intake_.rescan();
  if (!intake_.busy()) {
    done();
    return;
  }
  intake_.flush(std::move(done));
}

bool Folder::is_at_rest() const {
  return ready_ && !intake_.busy() && replica_.wanted().empty() && publisher_.idle() &&
         journal_.idle();
}

bool Folder::in_sync() const {
  if (!is_at_rest() || replica_.halted() || !intake_.could_read_all()) return false;
  return std::all_of(replica_.peers().begin(), replica_.peers().end(), [&](const auto& peer) {
    return !peer.second.counted || replica_.in_sync_with(peer.second);
  });
}

std::string Folder::degraded() const {
  std::vector<std::string> reasons;
  if (!intake_.unwatched().empty()) {
    reasons.push_back(
        fmt::format("inotify watches ran out, {} directories are polled every 2 s: raise "
                    "fs.inotify.max_user_watches",
                    intake_.unwatched().size()));
  }
  if (const auto& files = intake_.unleased(); !files.empty()) {
    reasons.push_back(fmt::format(
        "of {} file(s), {} for one, it cannot be told whether a writer has them open: run as their "
        "owner, or with CAP_LEASE, on a file system with leases",
        files.size(), display(*files.begin())));
  }
  if (const std::string disk = ports_.disk.degraded(); !disk.empty()) reasons.push_back(disk);
  if (!set_aside_.empty()) {
    reasons.push_back("the index was corrupt and has been rebuilt; the old one is " + set_aside_);
  }
  if (!store_trouble_.empty()) reasons.push_back("acknowledges nothing: " + store_trouble_);
  std::string text;
  for (const std::string& reason : reasons)
    text += (text.empty() ? "degraded: " : "; ") + reason;
  return text;
}

FolderStatus Folder::status() const {
  FolderStatus status;
  status.counts = counts_;
  status.counts.delta_saved_bytes += server_.saved_bytes();
  status.fetching_bytes = fetcher_.bytes_left();
  status.ready = ready_;
  status.name = config_.name;
  status.path = config_.path;
  status.mode = name_of(config_.mode);
  const Index::Totals& totals = replica_.index().totals();
  status.files = totals.files;
  status.directories = totals.directories;
  status.bytes = totals.bytes;
  status.sequence = replica_.sequence();
  status.pending_changes = intake_.pending() + replica_.wanted().size();
  status.conflicts = versions_.conflict_count();
  status.drift = replica_.drift().size() + replica_.kept_out().size();
  status.watches = ports_.watcher.watches();
  status.state_reason = degraded();
  if (replica_.halted()) {
    status.state = FolderState::kHalted;
    status.state_reason = *replica_.halted();
    status.paused = is_paused();
  } else if (!ready_ || intake_.scanning()) {
    status.state = FolderState::kScanning;
  } else if (status.pending_changes > 0 || intake_.busy() || !publisher_.idle()) {
    status.state = FolderState::kSyncing;
  } else {
    status.state = FolderState::kIdle;
  }
  for (const auto& [path, error] : errors_)
    status.errors.push_back(error);
  for (const auto& [path, why] : replica_.refused()) {
    status.errors.push_back({path, why, ports_.clock.now()});
  }
  for (const auto& [name, peer] : replica_.peers()) {
    FolderPeerStatus of_peer;
    of_peer.name = name;
    of_peer.counted = peer.counted;
    of_peer.in_sync = replica_.in_sync_with(peer);
    of_peer.accepts = !peer.connected || !peer.told || peer.accepts;
    if (!of_peer.in_sync && peer.may_receive) {
      const Replica::Behind behind = replica_.behind(peer);
      of_peer.behind_files = behind.files;
      of_peer.behind_bytes = behind.bytes;
    }
    of_peer.acked_sequence = peer.durable.last(replica_.author());
    const auto since = behind_since_.find(name);
    if (!of_peer.in_sync && since != behind_since_.end()) {
      of_peer.lag_seconds = to_seconds(ports_.clock.mono() - since->second);
    }
    if (const auto traffic = traffic_.find(name); traffic != traffic_.end()) {
      of_peer.traffic = traffic->second;
    }
    of_peer.lag = lag_.of(name);
    status.peers.push_back(std::move(of_peer));
  }
  return status;
}

std::vector<Folder::NotPushed> Folder::not_pushed(const RelPath& path) const {
  const auto concerns = [&](const RelPath& each) { return each == path || each.is_below(path); };
  std::map<RelPath, std::string> reasons;
  for (const RelPath& open : intake_.open_files()) {
    if (concerns(open)) reasons[open] = "somebody has it open for writing: push it then";
  }
  if (config_.mode == FolderMode::kReceiveOnly) {
    for (const auto& [drift, seen] : replica_.drift()) {
      if (concerns(drift)) reasons[drift] = "this folder is receive-only";
    }
  }
  for (const auto& [refused, why] : replica_.refused()) {
    const bool is_ours = !why.starts_with("from ");  // else another node's file is too large here
    if (concerns(refused) && is_ours) reasons[refused] = why;
  }
  for (const auto& [troubled, error] : errors_) {
    // What another node's change waits for is no reason of ours.
    if (concerns(troubled) && !replica_.wanted().contains(troubled))
      reasons[troubled] = error.error;
  }
  const bool may_be_ignored = !path.is_root() && replica_.index().find(path) == nullptr;
  if (may_be_ignored && rules_.ignores(path, false)) reasons.try_emplace(path, "it is ignored");
  std::vector<NotPushed> list;
  for (auto& [each, why] : reasons)
    list.push_back({each, std::move(why)});
  return list;
}

void Folder::restore(const RelPath& path, const std::optional<KeptId>& id,
                     std::function<void(Result<KeptVersion>)> done) {
  if (is_paused()) {
    done(fail(ErrorCode::kUnavailable, *replica_.halted()));
    return;
  }
  std::optional<KeptVersion> version;
  for (const KeptVersion& kept : versions_.of(path)) {
    if (!version && (!id || kept.id == *id)) version = kept;
  }
  if (!version) {
    done(fail(ErrorCode::kNotFound,
              id ? "no such version of " + display(path) : "no kept version of " + display(path)));
    return;
  }
  // First take in what stands there: what is displaced must be catalogued as what it is.
  take_in({path}, false,
          [this, version = *version, done = std::move(done)] { put_back_version(version, done); });
}

void Folder::put_back_version(const KeptVersion& version,
                              const std::function<void(Result<KeptVersion>)>& done) {
  const RelPath& path = version.path;
  KeptVersion displaced;
  displaced.id = versions_.new_id();
  displaced.path = path;
  displaced.kept_at = ports_.clock.now();
  displaced.origin = self_;
  Disk::Expected expected;
  const auto drift = replica_.drift().find(path);
  const IndexEntry* entry = replica_.index().find(path);
  if (drift != replica_.drift().end()) {
    displaced.content = drift->second.content;
    expected = drift->second.disk;
  } else if (entry != nullptr && entry->record.is_live()) {
    displaced.content = entry->record.content;
    displaced.origin = entry->record.origin.author.node();
    expected = entry->disk;
  }
  ports_.worker.compute(
      journal_.lane(),
      [this, version, expected, old = displaced.content, keep = displaced.id,
       now = ports_.clock.now()] {
        return put_back(ports_.disk, version, expected, old, keep, now);
      },
      [this, version, displaced, done](Result<Published> published) {
        if (!published) {
          done(Unexpected(published.error()));
          return;
        }
        if (published->outcome != PublishOutcome::kDone) {
          done(fail(ErrorCode::kUnavailable,
                    display(version.path) + " is being changed just now: try again"));
          return;
        }
        if (published->kept) versions_.add(displaced);
        intake_.touched(version.path);
        intake_.look_at(version.path);
        intake_.flush(
            [this, version, done] { journal_.when_durable([version, done] { done(version); }); });
      });
}

}  // namespace dagsync
