#include "sim_watcher.h"

#include <algorithm>
#include <set>
#include <utility>

namespace dagsync::sim {
namespace {

constexpr Duration kSoonest = std::chrono::microseconds(20);
constexpr Duration kLatest = std::chrono::milliseconds(3);

bool is_departure(const FileEvent& event) {
  return event.what == FileEvent::What::kGone || event.what == FileEvent::What::kMovedOut;
}

bool is_root_event(const FileEvent& event) {
  return event.directory == FileSystem::kTop && event.name == "folder";
}

}  // namespace

SimWatcher::SimWatcher(Events& events, FileSystem& files, LifePtr life, const WatcherFaults& faults)
    : events_(events), files_(files), life_(std::move(life)), faults_(faults) {
  files_.on_event = [this](const FileEvent& event) { notice(event); };
}

SimWatcher::~SimWatcher() {
  files_.on_event = nullptr;
}

// Anew, as src/daemon/loop_watcher.cc does.
void SimWatcher::start(Handlers handlers) {
  handlers_ = std::move(handlers);
  root_ = files_.find(FileSystem::kTop, "folder");
  root_gone_ = overflow_ = false;
  paths_.clear();
  inodes_.clear();
  queue_.clear();
}

Status SimWatcher::watch(const RelPath& directory) {
  const Inode inode = root_gone_ ? 0 : files_.walk(root_, directory.bytes());
  if (!files_.is_directory(inode))
    return fail(ErrorCode::kNotFound, "watch " + display(directory) + ": no such directory");
  if (const auto old = inodes_.find(directory); old != inodes_.end()) paths_.erase(old->second);
  if (const auto old = paths_.find(inode); old != paths_.end()) inodes_.erase(old->second);
  paths_[inode] = directory;
  inodes_[directory] = inode;
  return {};
}

void SimWatcher::unwatch(const RelPath& directory) {
  std::erase_if(inodes_, [&](const auto& entry) {
    const bool gone = entry.first == directory || entry.first.is_below(directory);
    if (gone) paths_.erase(entry.second);
    return gone;
  });
}

void SimWatcher::notice(const FileEvent& event) {
  if (!paths_.contains(event.directory) && !is_root_event(event)) return;
  if (queue_.size() >= faults_.queue) {
    overflow_ = true;
    return;
  }
  // The kernel leaves out an event that equals the one before.
  const bool repeats = !queue_.empty() && queue_.back().directory == event.directory &&
                       queue_.back().name == event.name && queue_.back().what == event.what;
  if (!repeats) queue_.push_back(event);
  if (events_.seeded().chance(faults_.duplicates)) queue_.push_back(event);
  if (std::exchange(delivering_, true)) return;
  events_.after(events_.seeded().between(kSoonest, kLatest), life_, [this] {
    delivering_ = false;
    deliver(queue_.size());
  });
}

void SimWatcher::drain() {
  deliver(queue_.size());
}

void SimWatcher::deliver(std::size_t most) {
  if (root_gone_ || !handlers_.on_hints) return;
  std::vector<Hint> hints;
  for (; most > 0 && !queue_.empty(); --most) {
    const FileEvent event = std::move(queue_.front());
    queue_.pop_front();
    if (is_root_event(event)) {
      root_gone_ = is_departure(event);
      break;
    }
    take_in(event, hints);
  }
  if (root_gone_) {
    paths_.clear();
    inodes_.clear();
    handlers_.on_root_gone();
    return;
  }
  if (!hints.empty()) handlers_.on_hints(std::move(hints));
  if (std::exchange(overflow_, false) && !faults_.hides_overflow) handlers_.on_overflow();
}

void SimWatcher::take_in(const FileEvent& event, std::vector<Hint>& hints) {
  const auto known = paths_.find(event.directory);
  if (known == paths_.end()) return;
  const RelPath directory = known->second;
  if (event.name.empty()) {
    if (event.what == FileEvent::What::kSelfGone) {
      inodes_.erase(directory);
      paths_.erase(event.directory);
    } else if (!directory.is_root()) {
      hints.push_back({directory, true});
    }
    return;
  }
  const auto path = directory.child(event.name);
  if (!path) return;
  if (event.is_directory && is_departure(event)) unwatch(*path);
  hints.push_back({*path, event.is_directory});
}

}  // namespace dagsync::sim
