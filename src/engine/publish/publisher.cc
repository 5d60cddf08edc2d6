#include "dagsync/engine/publish/publisher.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "dagsync/base/assert.h"
#include "dagsync/base/log.h"
#include "dagsync/core/reconcile.h"
#include "publisher_batch.h"

namespace dagsync {
namespace {

constexpr std::size_t kLocalSources = 4;

template <typename Value>
std::vector<RelPath> paths_of(const std::map<RelPath, Value>& entries) {
  std::vector<RelPath> paths;
  for (const auto& [path, value] : entries)
    paths.push_back(path);
  return paths;
}

}  // namespace

Publisher::Publisher(Clock& clock, Worker& worker, Disk& disk, Store& store, Outlet& outlet,
                     Replica& replica, const IgnoreRules& rules, Journal& journal,
                     Versions& versions, Fetcher& fetcher, std::uint64_t turns_from, Hooks hooks)
    : clock_(clock),
      worker_(worker),
      disk_(disk),
      store_(store),
      outlet_(outlet),
      replica_(replica),
      rules_(rules),
      journal_(journal),
      versions_(versions),
      fetcher_(fetcher),
      turns_from_(turns_from),
      hooks_(std::move(hooks)) {}

Publisher::~Publisher() {
  stop();
}

void Publisher::stop() {
  clock_.cancel(std::exchange(timer_, {}));
  clock_.cancel(std::exchange(turn_timer_, {}));
}

void Publisher::want(const std::vector<RelPath>& paths, const std::vector<RelPath>& unwanted,
                     Contents contents) {
  auto batch = std::make_shared<Batch>();
  std::vector<RelPath> order = paths;
  std::sort(order.begin(), order.end());
  order.erase(std::unique(order.begin(), order.end()), order.end());
  std::erase_if(order, [this](const RelPath& path) {
    return in_lane_.contains(path) || !replica_.wanted().contains(path);
  });
  std::vector<BatchPtr> robbed;
  take_out(order, robbed);
  take_out(unwanted, robbed);
  for (const RelPath& path : unwanted) {
    retries_.erase(path);
    hooks_.trouble(path, "");
  }
  // Of paths that want the same content, the last one takes it.
  std::unordered_map<Digest, std::size_t> wanting;
  for (const RelPath& path : order) {
    retries_.erase(path);
    Item item;
    item.content = replica_.wanted().at(path).record.content;
    ++wanting[item.content.digest];
    batch->items.emplace_hint(batch->items.end(), path, std::move(item));
    batches_[path] = batch;
  }
  batch->missing = batch->items.size() + 1;  // the one is taken off at the end of this call
  for (const RelPath& path : order) {
    Item& item = batch->items.at(path);
    const bool is_last = --wanting[item.content.digest] == 0;
    prepare(batch, path, item, contents, is_last);
  }
  --batch->missing;
  for (const BatchPtr& other : robbed)
    submit_if_complete(other);
  submit_if_complete(batch);
  prune_from(unwanted, {});  // itself, too: a directory may stand where one was wanted again
}

// Removes paths from the batches that they wait in, and adds these to `robbed`, in the order of the
// paths, whatever the addresses: they go on without, but not before all of the paths are out, for
// what was gathered for those is no longer what is wanted.
void Publisher::take_out(const std::vector<RelPath>& paths, std::vector<BatchPtr>& robbed) {
  for (const RelPath& path : paths) {
    const auto waiting = batches_.extract(path);
    if (waiting.empty()) continue;
    const BatchPtr& batch = waiting.mapped();
    auto item = batch->items.extract(path);
    if (item.empty()) continue;
    if (item.mapped().ticket != 0) fetcher_.forget(item.mapped().ticket);
    if (!item.mapped().ready) --batch->missing;
    if (std::find(robbed.begin(), robbed.end(), batch) == robbed.end()) robbed.push_back(batch);
  }
}

// How the bytes of one path will come: nothing to bring, with the announcement, from here, from a
// peer.
void Publisher::prepare(const BatchPtr& batch, const RelPath& path, Item& item, Contents& contents,
                        bool is_last) {
  const Wanted& wanted = replica_.wanted().at(path);
  const Content& content = item.content;
  const IndexEntry* entry = replica_.index().find(path);
  const bool stands = entry != nullptr && entry->disk && entry->record.is_live() && !wanted.again;
  if (content.kind != Kind::kFile || replica_.will_be_shadowed(path)) {
    ready(batch, item);
    return;
  }
  // A second name of the inode would get the new mode and mtime too.
  if (stands && same_bytes(entry->record.content, content) && entry->disk->links == 1) {
    item.attributes_only = true;
    ready(batch, item);
    return;
  }
  std::optional<Announce::Delta> delta;
  if (const auto it = contents.find(content.digest); it != contents.end()) {
    if (auto* whole = std::get_if<Announce::Whole>(&it->second)) {
      item.held = hold(whole->bytes.size());
      item.bytes = is_last ? std::move(whole->bytes) : whole->bytes;
      ready(batch, item);
      return;
    }
    delta = std::get<Announce::Delta>(it->second);
  }
  obtain(batch, path, std::move(delta));
}

std::shared_ptr<void> Publisher::hold(std::size_t bytes) const {
  *held_bytes_ += bytes;
  return {nullptr, [counter = held_bytes_, bytes](void*) { *counter -= bytes; }};
}

// Files that have the content; one that this batch deletes may give its inode.
std::vector<LocalSource> Publisher::sources_of(const Digest& digest, const Batch* batch) const {
  std::vector<LocalSource> sources;
  for (const RelPath& path : replica_.index().paths_of(digest, kLocalSources)) {
    const IndexEntry* entry = replica_.index().find(path);
    if (!entry->disk) continue;
    const bool deleted = batch != nullptr && batch->items.contains(path) &&
                         replica_.wanted().contains(path) &&
                         !replica_.wanted().at(path).record.is_live();
    // Nobody reads a file again that only gets another name: its state must vouch for its bytes.
    sources.push_back(
        {path, *entry->disk, deleted && !entry->disk->racy, entry->record.content.owner});
  }
  return sources;
}

void Publisher::obtain(const BatchPtr& batch, const RelPath& path,
                       std::optional<Announce::Delta> delta) {
  const Content content = batch->items.at(path).content;
  auto copies = sources_of(content.digest, batch.get());
  if (replica_.wanted().at(path).again) {
    std::erase_if(copies, [&](const LocalSource& source) { return source.path == path; });
  }
  // Only one new name may take an inode.
  for (LocalSource& source : copies) {
    if (source.may_link && !batch->linked.insert(source.path).second) source.may_link = false;
  }
  auto bases = delta ? sources_of(delta->basis, nullptr) : std::vector<LocalSource>();
  if (copies.empty() && bases.empty()) {
    fetch(batch, path);
    return;
  }
  worker_.compute(
      kPool,
      [this, content, copies = std::move(copies), bases = std::move(bases),
       delta = std::move(delta)]() -> Result<LocalContent> {
        auto copied = copy_local(disk_, copies, content);
        if (!copied || copied->staged || !delta) return copied;
        auto patched = patch_local(disk_, bases, delta->bytes, content);
        if (patched) return LocalContent{std::move(*patched), std::nullopt};
        if (patched.error().code == ErrorCode::kNoSpace) return Unexpected(patched.error());
        return LocalContent{};
      },
      [this, batch, path, content](Result<LocalContent> local) {
        const auto it = batch->items.find(path);
        if (it == batch->items.end() || it->second.content != content) return;
        if (!local) {
          give_up(batch, path, local.error());
        } else if (local->staged) {
          it->second.staged = std::move(local->staged);
          it->second.linked = local->linked;
          ready(batch, it->second);
        } else {
          fetch(batch, path);
        }
      });
}

void Publisher::ready(const BatchPtr& batch, Item& item) {
  DAGSYNC_ASSERT(!item.ready);
  item.ready = true;
  --batch->missing;
  submit_if_complete(batch);
}

// The batch goes on without a path whose content is not to be had now.
void Publisher::give_up(const BatchPtr& batch, const RelPath& path, const Error& error) {
  batches_.erase(path);
  batch->items.erase(path);
  --batch->missing;
  failed(path, error);
  Retry& retry = retries_.at(path);
  const bool nobody = error.code == ErrorCode::kUnavailable && replica_.sees_everybody();
  retry.nobody = nobody ? retry.nobody + 1 : 0;
  if (retry.attempts >= kMostAttempts && retry.nobody >= kLastAttempts) {
    log::error("{}: no node has its content any more: {}", display(path), error.message);
    retries_.erase(path);
    hooks_.perform(replica_.unobtainable(path));
  }
  submit_if_complete(batch);
}

void Publisher::submit_if_complete(const BatchPtr& batch) {
  if (batch->missing != 0 || batch->complete) return;
  batch->complete = true;
  complete_.push_back(batch);
  submit_complete();
}

void Publisher::suspend() {
  suspended_ = true;
}

void Publisher::release() {
  suspended_ = false;
  submit_complete();
}

void Publisher::failed(const RelPath& path, const Error& error) {
  retry_later(path);
  const auto& retry = retries_.at(path);
  // A peer that is away is no trouble of this file; `behind` shows it.
  const bool may_pass = error.code == ErrorCode::kUnavailable || error.code == ErrorCode::kExists;
  const bool just_waiting = may_pass && retry.attempts < 6;
  if (!just_waiting) hooks_.trouble(path, error.message);
}

void Publisher::retry_later(const RelPath& path) {
  Retry& retry = retries_[path];
  retry.pause = retry.attempts == 0 ? kFirstPause : std::min(retry.pause * 2, kLongestPause);
  retry.at = clock_.mono() + retry.pause;
  ++retry.attempts;
  next_retry_ = retries_.size() == 1 ? retry.at : std::min(next_retry_, retry.at);
  arm();
}

void Publisher::retry_now() {
  for (auto& [path, retry] : retries_)
    retry = Retry{clock_.mono()};
  next_retry_ = clock_.mono();
  arm();
}

void Publisher::arm() {
  if (retries_.empty()) return;
  if (timer_ != TimerId{} && timer_at_ <= next_retry_) return;
  clock_.cancel(std::exchange(timer_, {}));
  timer_at_ = next_retry_;
  timer_ = clock_.after(std::max(next_retry_ - clock_.mono(), Duration(0)), [this] {
    timer_ = {};
    std::map<RelPath, Retry> due;
    std::map<RelPath, Retry> over;
    next_retry_ = clock_.mono() + kLongestPause;
    for (const auto& [path, retry] : retries_) {
      if (retry.at > clock_.mono()) {
        next_retry_ = std::min(next_retry_, retry.at);
      } else if (!replica_.wanted().contains(path)) {
        over.emplace(path, retry);
      } else if (!in_lane_.contains(path)) {
        due.emplace(path, retry);
      }
    }
    want(paths_of(due), paths_of(over), {});
    // Wanting forgets the pause: a path that fails again must wait longer than before.
    due.merge(over);
    for (auto& [path, retry] : due) {
      if (!batches_.contains(path) && !is_publishing(path)) continue;
      retry.at = clock_.mono() + kLongestPause;
      retries_[path] = retry;
    }
    arm();
  });
}

}  // namespace dagsync
