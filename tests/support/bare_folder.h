// The ports of a folder in which nothing stands and nothing happens.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "dagsync/ports/disk.h"
#include "dagsync/ports/watcher.h"
#include "dagsync/ports/worker.h"

namespace dagsync {

// An empty directory on a file system that takes nothing.
class BareDisk final : public Disk {
 public:
  Result<RootIdentity> identify_root(std::optional<std::string>) override {
    return RootIdentity{2, 1, "mark"};
  }
  Result<std::optional<DiskState>> stat(const RelPath& path) override {
    if (!path.is_root()) return std::nullopt;
    DiskState root;
    root.type = FileType::kDirectory;
    root.mode = 0755;
    return root;
  }
  Result<std::vector<Listed>> list(const RelPath& directory) override {
    if (!directory.is_root()) return nothing();
    return std::vector<Listed>();
  }
  Result<std::string> read_link(const RelPath&) override { return nothing(); }
  Result<std::unique_ptr<ReadFile>> open(const RelPath&) override { return nothing(); }
  WriterCheck check_writer(const RelPath&) override { return WriterCheck::kNone; }
  Result<std::unique_ptr<StagedFile>> stage_file(std::uint64_t) override { return full(); }
  Result<std::unique_ptr<Staged>> stage_symlink(const std::string&, const Attributes&) override {
    return full();
  }
  Result<std::unique_ptr<Staged>> stage_directory(const Attributes&) override { return full(); }
  Result<std::unique_ptr<Staged>> stage_link(const RelPath&, const DiskState&) override {
    return nothing();
  }
  Result<Published> publish(const RelPath&, const Expected&, std::unique_ptr<Staged>,
                            const std::optional<KeptId>&, const Disposable&) override {
    return full();
  }
  Result<Published> remove(const RelPath&, const DiskState&,
                           const std::optional<KeptId>&) override {
    return nothing();
  }
  Result<Published> remove_directory(const RelPath&, const Disposable&) override {
    return nothing();
  }
  Result<Published> set_attributes(const RelPath&, const DiskState&, const Attributes&) override {
    return nothing();
  }
  Status sync(const std::vector<RelPath>&) override { return {}; }
  Status sync_all() override { return {}; }
  Result<std::unique_ptr<ReadFile>> open_kept(const KeptId&) override { return nothing(); }
  Result<std::string> read_kept_link(const KeptId&) override { return nothing(); }
  Result<std::vector<KeptId>> list_kept() override { return std::vector<KeptId>(); }
  Status remove_kept(const KeptId&) override { return {}; }
  std::string boot() const override { return "this"; }
  std::string degraded() const override { return ""; }

 private:
  static Unexpected nothing() { return fail(ErrorCode::kNotFound, "nothing stands there"); }
  static Unexpected full() { return fail(ErrorCode::kNoSpace, "the disk is full"); }
};

// Hints what the test says.
class BareWatcher final : public Watcher {
 public:
  void start(Handlers its_handlers) override { handlers = std::move(its_handlers); }
  Status watch(const RelPath& directory) override { return answer(directory); }
  void unwatch(const RelPath&) override {}
  void drain() override {}
  std::size_t watches() const override { return 1; }

  Handlers handlers;
  std::function<Status(const RelPath&)> answer = [](const RelPath&) { return Status(); };
};

// Runs jobs in the order in which they were given, when told.
class QueueWorker final : public Worker {
 public:
  Lane new_lane() override { return {++lanes_}; }
  [[nodiscard]] std::uint32_t lanes() const { return lanes_; }
  void run(Lane lane, std::function<void()> job, std::function<void()> done) override {
    jobs_.push_back({lane, std::move(job), std::move(done)});
  }
  void run_all() {
    const auto may_run = [this](const Job& job) { return held_ != job.lane.value; };
    for (;;) {
      const auto it = std::find_if(jobs_.begin(), jobs_.end(), may_run);
      if (it == jobs_.end()) return;
      const Job next = std::move(*it);
      jobs_.erase(it);
      next.job();
      next.done();
    }
  }
  // The jobs of this lane wait until release().
  void hold(Lane lane) { held_ = lane.value; }
  void release() { held_.reset(); }

 private:
  struct Job {
    Lane lane;
    std::function<void()> job;
    std::function<void()> done;
  };
  std::deque<Job> jobs_;
  std::optional<std::uint32_t> held_;
  std::uint32_t lanes_ = 0;
};

}  // namespace dagsync
