// The life of a folder: loading, watching, halting, stopping.
#include "dagsync/engine/folder.h"

#include <algorithm>
#include <utility>

#include "dagsync/base/log.h"
#include "dagsync/engine/publish/recovery.h"

namespace dagsync {
namespace {

constexpr Duration kUpkeepInterval = std::chrono::minutes(10);
constexpr std::size_t kMaxErrors = 1000;
constexpr std::size_t kMaxIgnoreFileBytes = 1 << 20;

Replica::Settings settings_of(const FolderConfig& config, const NodeName& self) {
  Replica::Settings settings;
  settings.self = self;
  settings.local_may_leave = config.mode != FolderMode::kReceiveOnly;
  settings.remote_may_enter = config.mode != FolderMode::kSendOnly;
  settings.max_file_size = config.max_file_size;
  settings.max_delete_percent = config.max_delete_percent;
  settings.tombstones_keep = config.versions_keep;
  return settings;
}

// The folder's own ignore file; "" where there is none.
std::string read_ignore_file(Disk& disk) {
  const auto path = RelPath::parse(kIgnoreFileName);
  auto file = disk.open(*path);
  if (!file) return "";
  std::string text(kMaxIgnoreFileBytes, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const auto got = (*file)->read(size, std::span(text).subspan(size));
    if (!got || *got == 0) break;
    size += *got;
  }
  text.resize(size);
  return text;
}

}  // namespace

Folder::Folder(FolderConfig config, NodeName self, FolderPorts ports, Outlet& outlet)
    : config_(std::move(config)),
      self_(std::move(self)),
      ports_(ports),
      outlet_(outlet),
      rules_(config_.ignore),
      replica_(settings_of(config_, self_)),
      admission_(config_.name, ports.clock, replica_, outlet),
      journal_(ports.clock, ports.worker, ports.worker.new_lane(), ports.disk, ports.store,
               {[this] { return meta(); },
                [this](const Knowledge& knowledge) {
                  store_trouble_.clear();
                  replica_.made_durable(knowledge);
                  tell_soon();
                  changed();
                },
                [this](const Error& error) {
                  if (store_trouble_ != error.message) {
                    log::error({config_.name, {}, {}}, "folder {}: acknowledges nothing: {}",
                               config_.name, error.message);
                  }
                  store_trouble_ = error.message;
                  ++counts_.store_errors;
                },
                [this] { return is_spreading(); }, [this] { return !publisher_.is_still(); }}),
      versions_(ports.clock, ports.random, ports.worker, ports.disk, journal_),
      fetcher_(config_.name, ports.clock, ports.worker, ports.disk, outlet),
      server_(ports.worker, ports.disk, outlet, replica_.index(),
              [this](const Digest& digest) { return versions_.with_digest(digest); }),
      intake_(ports.clock, ports.worker, ports.disk, ports.watcher, replica_.index(), rules_,
              {[this](Intake::Batch batch) { observed(std::move(batch)); },
               [this](const std::string& why) { halt(lost(why)); }, [this] { return alive_at_; },
               [this](const RelPath& path) { return publisher_.is_publishing(path); }}),
      publisher_(
          ports.clock, ports.worker, ports.disk, ports.store, outlet, replica_, rules_, journal_,
          versions_, fetcher_, config_.turns_from,
          {[this](Actions actions) { perform(std::move(actions)); },
           [this](const RelPath& path) { intake_.look_at(path); },
           [this](const RelPath& path) { intake_.touched(path); },
           [this](const RelPath& path, const std::string& what) { trouble(path, what); },
           [this](const PublishItem& item, const Wanted& wanted) { published(item, wanted); }}),
      snapshots_(config_.name, replica_, outlet,
                 [this](std::function<void()> call) { journal_.when_written(std::move(call)); }),
      verifier_(config_.name, self_, ports.clock, ports.worker, ports.disk, outlet, replica_,
                rules_, verifier_hooks()) {
  snapshots_.on_sent([this](const NodeName& peer, const Change& change) {
    note_sent(peer, {change, {}});
  });
  versions_.on_kept([this](const KeptVersion& kept) {
    if (kept.reason != KeptVersion::Reason::kConflict) return;
    event(Event::Kind::kConflict, kept.path, kept.origin.value,
          "lost against a younger edit; `dagsync restore` brings it back");
  });
}

Folder::~Folder() {
  ports_.clock.cancel(tell_timer_);
  ports_.clock.cancel(watch_timer_);
  ports_.clock.cancel(still_timer_);
}

void Folder::start(std::function<void(Status)> started) {
  started_ = std::move(started);
  const UnixNanos now = ports_.clock.now();
  const std::string mark =
      fmt::format("{:016x}{:016x}", ports_.random.next(), ports_.random.next());
  ports_.worker.compute(
      journal_.lane(),
      [this, now, mark, ignore = config_.ignore] {
        Loaded loaded;
        auto image = ports_.store.load();
        if (!image) {
          loaded.status = Unexpected(image.error());
          return loaded;
        }
        loaded.image = std::move(*image);
        loaded.boot = ports_.disk.boot();
        const bool is_new = loaded.image.meta.author.epoch().value == 0;
        loaded.root = ports_.disk.identify_root(is_new ? std::optional(mark) : std::nullopt);
        if (loaded.root && (is_new || *loaded.root == loaded.image.meta.root)) {
          const IgnoreRules rules(ignore, read_ignore_file(ports_.disk));
          Recovered recovered = recover(ports_.disk, disposable_by(rules), loaded.image, now);
          loaded.doubtful = std::move(recovered.doubtful);
          loaded.recovered = true;
          loaded.status = recovered.synced;
          if (loaded.status && !recovered.writes.writes.empty()) {
            loaded.status = ports_.store.commit(recovered.writes, Durability::kDurable);
          }
        }
        const Transaction kept = recover_kept(ports_.disk, loaded.image, self_);
        if (loaded.status && !kept.writes.empty()) {
          loaded.status = ports_.store.commit(kept, Durability::kLazy);
        }
        return loaded;
      },
      [this](Loaded loaded) { this->loaded(std::move(loaded), std::exchange(started_, nullptr)); });
}

void Folder::loaded(Loaded loaded, std::function<void(Status)> started) {
  if (!loaded.status) {
    started(loaded.status);
    return;
  }
  FolderImage& image = loaded.image;
  const bool is_new = image.meta.author.epoch().value == 0;
  set_aside_ = image.set_aside;
  const Epoch next_epoch =
      epoch_after(image.meta.author.epoch(), ports_.clock.now(), ports_.random.next());
  Replica::Image restored;
  restored.durable = image.meta.knowledge;
  restored.knowledge = std::move(image.meta.knowledge);
  restored.withheld = std::move(image.meta.withheld);
  restored.floor = image.meta.floor;
  restored.author = image.meta.author;
  restored.sequence = image.meta.sequence;
  restored.next_epoch = next_epoch;
  std::vector<RelPath> unsynced;
  restored.index.reserve(image.entries.size());
  for (auto& [path, entry] : image.entries) {
    if (!restored.durable.covers(entry.id)) {
      unsynced.push_back(path);
      if (entry.id.sequence != 0) unproven_.add(entry.id);
    }
    if (entry.id.sequence != 0) restored.knowledge.add(entry.id);
    restored.index.append(std::move(path), std::move(entry));
  }
  replica_.restore(std::move(restored));
  // After an unclean stop the index may have gone back behind what others know of us.
  if (is_new || !image.meta.clean) replica_.begin_epoch(next_epoch);
  doubt(unsynced, {loaded.doubtful.begin(), loaded.doubtful.end()}, loaded.boot, image.meta.boot);
  // What was withheld is asked for again: the configuration may have changed meanwhile.
  replica_.reconfigure(settings_of(config_, self_));
  versions_.restore(std::move(image.kept));
  alive_at_ = is_new ? ports_.clock.now() : image.meta.alive_at;
  root_ = is_new && loaded.root ? *loaded.root : image.meta.root;
  intake_.expect_root(root_);
  configure(config_);
  started_ = std::move(started);
  needs_restart_ = !loaded.recovered && !image.intents.empty();
  if (image.meta.paused_at != UnixNanos{}) {
    paused_at_ = image.meta.paused_at;
    hold();
  } else if (!loaded.root) {
    halt(lost(loaded.root.error().message));
  } else if (*loaded.root != root_) {
    halt(lost("another directory stands at its path"));
  } else {
    begin_watching();
    intake_.rescan();
  }
  perform(replica_.number_merges());
  // Where only the daemon went down, not the machine, it has still to be synced.
  // From here on, until close(), a stop is an unclean one.
  journal_.sync_later(std::move(unsynced));
}

// Rows are written before what they tell of is synced. Where the machine went down in between, the
// disk may not have it.
void Folder::doubt(const std::vector<RelPath>& unsynced, std::set<RelPath> suspects,
                   const std::string& boot, const std::string& agreed_in) {
  const bool same_boot = !boot.empty() && boot == agreed_in;
  boot_ = boot;
  agreed_in_ = unsynced.empty() && suspects.empty() ? boot : agreed_in;
  if (!same_boot) suspects.insert(unsynced.begin(), unsynced.end());
  intake_.suspect(std::move(suspects));
}

void Folder::begin_watching() {
  ports_.watcher.start({[this](const std::vector<Hint>& hints) { intake_.hint(hints); },
                        [this] {
                          log::warning({config_.name, {}, {}},
                                       "folder {}: events were lost, comparing everything",
                                       config_.name);
                          intake_.rescan();
                        },
                        [this] { root_moved(); }});
  load_rules();
}

// It may be back already, and then nobody watches it any more.
void Folder::root_moved() {
  ports_.clock.cancel(watch_timer_);
  watch_timer_ = ports_.clock.after(Duration(0), [this] {
    watch_timer_ = {};
    begin_watching();
    intake_.rescan();
  });
}

bool Folder::load_rules() {
  std::string text = read_ignore_file(ports_.disk);
  const bool same = text == ignore_text_;
  ignore_text_ = std::move(text);
  rules_ = IgnoreRules(config_.ignore, ignore_text_);
  return !same;
}

// Other rules: what they excluded comes in, from the disk and from the peers.
void Folder::rules_changed() {
  replica_.reconfigure(settings_of(config_, self_));
  intake_.rescan();
  tell_soon();
}

void Folder::configure(const FolderConfig& config) {
  const bool other_rules = config.ignore != config_.ignore || config.mode != config_.mode ||
                           config.max_file_size != config_.max_file_size;
  config_ = config;
  intake_.configure(config_);
  versions_.configure(config_.versions_keep, config_.versions_max_size);
  if (!other_rules) return;
  load_rules();
  rules_changed();
}

FolderMeta Folder::meta() const {
  FolderMeta meta;
  meta.author = replica_.author();
  meta.sequence = replica_.sequence();
  meta.knowledge = replica_.known();
  bool is_certain = !intake_.has_suspects();
  if (!is_certain) meta.knowledge.remove(unproven_);
  // What the disk has lost is not there, whatever the index says.
  for (const auto& [path, wanted] : replica_.wanted()) {
    const IndexEntry* entry = wanted.again ? replica_.index().find(path) : nullptr;
    if (entry == nullptr) continue;
    meta.knowledge.remove(entry->id);
    is_certain = false;
  }
  meta.withheld = replica_.withheld();
  meta.floor = replica_.floor();
  meta.paused_at = paused_at_;
  meta.alive_at = ready_ && !intake_.busy() && !is_paused() ? ports_.clock.now() : alive_at_;
  meta.root = root_;
  meta.boot = is_certain ? boot_ : agreed_in_;
  return meta;
}

// Why a folder halts that is not what it was, and what to do.
std::string Folder::lost(const std::string& why) const {
  if (needs_restart_) {
    return fmt::format(
        "the folder is not as it was: {}, and the last run ended while something was published "
        "there: put it back, and restart dagsync, which puts that right",
        why);
  }
  return fmt::format(
      "the folder is not as it was: {}: put it back, and `dagsync resume {}`; what is missing in "
      "the directory that stands at {} then comes back from the peers, with --accept-deletes it is "
      "deleted everywhere",
      why, config_.name, escape_bytes(config_.path));
}

void Folder::halt(std::string reason) {
  if (replica_.halted()) return;
  log::error({config_.name, {}, {}}, "folder {} halted: {}", config_.name, reason);
  event(Event::Kind::kHalted, RelPath(), "", reason);
  stand_still(std::move(reason));
}

void Folder::stand_still(std::string reason) {
  replica_.halt(std::move(reason));
  if (started_) std::exchange(started_, nullptr)({});
  tell_soon();
  changed();
}

void Folder::stop(std::function<void()> stopped) {
  stopping_ = true;
  intake_.stop();
  publisher_.stop();
  if (!replica_.halted() && ready_ && !intake_.busy()) alive_at_ = ports_.clock.now();
  versions_.adopt_rescued(self_, [this, stopped = std::move(stopped)] { journal_.close(stopped); });
}

void Folder::tick() {
  // What became known without a row is acknowledged no later than now, or than a hold is over.
  if (!journal_.idle() || !replica_.durable().covers(meta().knowledge)) journal_.retry();
  // Also what turned out not to be had after all: nobody is to wait for us to pass it on.
  if (replica_.received() != last_told_) tell_soon();
  if (is_at_rest() && !is_paused()) alive_at_ = ports_.clock.now();
  versions_.adopt_rescued(self_);
  intake_.retry_failed();
  if (ready_ && !replica_.halted()) intake_.look_at_root();
  std::vector<NodeName> behind;
  for (const auto& [name, peer] : replica_.peers()) {
    if (peer.connected && !replica_.in_sync_with(peer)) behind.push_back(name);
  }
  if (!behind.empty()) tell(behind);
  note_lag();
  const MonoNanos now = ports_.clock.mono();
  if (now - last_upkeep_ < kUpkeepInterval) return;
  last_upkeep_ = now;
  versions_.expire();
  perform(replica_.collect(ports_.clock.now()));
}

void Folder::trouble(const RelPath& path, const std::string& what) {
  const auto it = errors_.find(path);
  if (what.empty()) {
    if (it != errors_.end()) errors_.erase(it);
    return;
  }
  if (it != errors_.end() && it->second.error == what) return;
  if (it == errors_.end() && errors_.size() >= kMaxErrors) return;  // `behind` shows the rest
  log::warning({config_.name, path.bytes(), {}}, "{}: {}: {}", config_.name, display(path), what);
  event(Event::Kind::kError, path, "", what);
  errors_[path] = {path, what, ports_.clock.now()};
}

void Folder::changed() {
  if (changed_) changed_();
}

void Folder::event(Event::Kind kind, const RelPath& path, std::string peer, std::string what) {
  switch (kind) {
    case Event::Kind::kConflict:
      ++counts_.conflicts;
      break;
    case Event::Kind::kRefused:
      ++counts_.refusals;
      break;
    case Event::Kind::kHalted:
      ++counts_.halts;
      break;
    case Event::Kind::kError:
      ++counts_.path_errors;
      break;
    default:
      break;
  }
  if (!event_) return;
  Event event;
  event.kind = kind;
  event.folder = config_.name;
  event.path = path;
  event.peer = std::move(peer);
  event.what = std::move(what);
  event_(std::move(event));
}

}  // namespace dagsync
