// inotify on a simulated file system, with what src/posix/inotify_watcher.cc makes of it. Events
// come late, some twice, and are lost only together with an overflow.
#pragma once

#include <deque>
#include <map>

#include "dagsync/ports/watcher.h"
#include "file_system.h"

namespace dagsync::sim {

struct WatcherFaults {
  std::size_t queue = 16384;    // events that fit
  double duplicates = 0;        // the chance that an event comes twice
  bool hides_overflow = false;  // a defect: lost events are not told
};

class SimWatcher final : public Watcher {
 public:
  SimWatcher(Events& events, FileSystem& files, LifePtr life, const WatcherFaults& faults);
  ~SimWatcher() override;

  void start(Handlers handlers) override;
  Status watch(const RelPath& directory) override;
  void unwatch(const RelPath& directory) override;
  void drain() override;
  [[nodiscard]] std::size_t watches() const override { return paths_.size(); }

 private:
  void notice(const FileEvent& event);
  void deliver(std::size_t most);
  void take_in(const FileEvent& event, std::vector<Hint>& hints);

  Events& events_;
  FileSystem& files_;
  LifePtr life_;
  const WatcherFaults& faults_;
  Inode root_ = 0;
  Handlers handlers_;
  std::map<Inode, RelPath> paths_;
  std::map<RelPath, Inode> inodes_;
  std::deque<FileEvent> queue_;
  bool overflow_ = false;
  bool delivering_ = false;
  bool root_gone_ = false;
};

}  // namespace dagsync::sim
