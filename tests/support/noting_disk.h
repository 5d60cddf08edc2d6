// A disk in front of another one, which notes what is changed on it, and may refuse to do it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "dagsync/ports/disk.h"

namespace dagsync {

class NotingDisk final : public Disk {
 public:
  // "publish a.py", "remove a.py", "rmdir d", "set a.py", "sync a.py b.py", "read a.py".
  NotingDisk(Disk& disk, std::vector<std::string>& diary) : disk_(disk), diary_(diary) {}

  Result<RootIdentity> identify_root(std::optional<std::string> mark) override {
    return disk_.identify_root(std::move(mark));
  }
  Result<std::optional<DiskState>> stat(const RelPath& path) override {
    if (auto error = refuse("stat", path)) return Unexpected(*error);
    return disk_.stat(path);
  }
  Result<std::vector<Listed>> list(const RelPath& directory) override {
    if (auto error = refuse("list", directory)) return Unexpected(*error);
    return disk_.list(directory);
  }
  Result<std::string> read_link(const RelPath& path) override { return disk_.read_link(path); }
  Result<std::unique_ptr<ReadFile>> open(const RelPath& path) override {
    note("read", path);
    if (auto error = refuse("read", path)) return Unexpected(*error);
    auto file = disk_.open(path);
    if (!file) return file;
    return std::make_unique<Noticed>(
        std::move(*file), [this, path] { on_read(path); },
        [this, path](std::span<char> bytes) { return rot(path, bytes); });
  }
  WriterCheck check_writer(const RelPath& path) override { return disk_.check_writer(path); }

  bool keeps_owners() const override { return disk_.keeps_owners(); }
  Owned owner_of(const RelPath& path, const DiskState& state,
                 const Shared<std::string>& recorded) override {
    return disk_.owner_of(path, state, recorded);
  }

  Result<std::unique_ptr<StagedFile>> stage_file(std::uint64_t size) override {
    if (auto error = refuse("stage", RelPath())) return Unexpected(*error);
    return disk_.stage_file(size);
  }
  Result<std::unique_ptr<Staged>> stage_symlink(const std::string& target,
                                                const Attributes& attributes) override {
    return disk_.stage_symlink(target, attributes);
  }
  Result<std::unique_ptr<Staged>> stage_directory(const Attributes& attributes) override {
    return disk_.stage_directory(attributes);
  }
  Result<std::unique_ptr<Staged>> stage_link(const RelPath& path,
                                             const DiskState& expected) override {
    return disk_.stage_link(path, expected);
  }

  Result<Published> publish(const RelPath& path, const Expected& expected,
                            std::unique_ptr<Staged> staged, const std::optional<KeptId>& keep,
                            const Disposable& disposable) override {
    note("publish", path);
    if (auto error = refuse("publish", path)) return Unexpected(*error);
    return disk_.publish(path, expected, std::move(staged), keep, disposable);
  }
  Result<Published> remove(const RelPath& path, const DiskState& expected,
                           const std::optional<KeptId>& keep) override {
    note("remove", path);
    if (auto error = refuse("remove", path)) return Unexpected(*error);
    return disk_.remove(path, expected, keep);
  }
  Result<Published> remove_directory(const RelPath& path, const Disposable& disposable) override {
    note("rmdir", path);
    if (auto error = refuse("rmdir", path)) return Unexpected(*error);
    return disk_.remove_directory(path, disposable);
  }
  Result<Published> set_attributes(const RelPath& path, const DiskState& expected,
                                   const Attributes& attributes) override {
    note("set", path);
    return disk_.set_attributes(path, expected, attributes);
  }
  Status sync(const std::vector<RelPath>& paths) override {
    if (sync_failures > 0) {
      --sync_failures;
      return fail(ErrorCode::kIo, "the disk is broken");
    }
    std::string line = "sync";
    for (const RelPath& path : paths)
      line += " " + path.bytes();
    diary_.push_back(line);
    return {};
  }
  Status sync_all() override {
    diary_.emplace_back("sync all");
    return {};
  }

  Result<std::unique_ptr<ReadFile>> open_kept(const KeptId& id) override {
    return disk_.open_kept(id);
  }
  Result<std::string> read_kept_link(const KeptId& id) override { return disk_.read_kept_link(id); }
  Result<std::vector<KeptId>> list_kept() override { return disk_.list_kept(); }
  Result<KeptFile> describe_kept(const KeptId& id) override { return disk_.describe_kept(id); }
  Status remove_kept(const KeptId& id) override { return disk_.remove_kept(id); }
  std::string boot() const override { return disk_.boot(); }
  std::string degraded() const override { return disk_.degraded(); }

  std::function<void(const RelPath&)> on_read = [](const RelPath&) {
  };  // before a file's first bytes
  // Why a step ("stat", "read", "stage", "publish", "remove" or "rmdir") is not done; none: it is.
  std::function<std::optional<Error>(const std::string& step, const RelPath&)> refuse =
      [](const std::string&, const RelPath&) { return std::nullopt; };
  // What a failing disk makes of the bytes of a file, or why it gives none.
  std::function<Status(const RelPath&, std::span<char>)> rot = [](const RelPath&, std::span<char>) {
    return Status();
  };
  int sync_failures = 0;  // so many of the next syncs fail

 private:
  class Noticed final : public ReadFile {
   public:
    using Rot = std::function<Status(std::span<char>)>;
    Noticed(std::unique_ptr<ReadFile> file, std::function<void()> on_read, Rot rot)
        : file_(std::move(file)), on_read_(std::move(on_read)), rot_(std::move(rot)) {}
    Result<DiskState> state() override { return file_->state(); }
    Result<std::size_t> read(std::uint64_t offset, std::span<char> buffer) override {
      if (offset == 0) on_read_();
      const auto got = file_->read(offset, buffer);
      if (!got || *got == 0) return got;
      if (const Status read = rot_(buffer.first(*got)); !read) return Unexpected(read.error());
      return got;
    }
    WriterCheck check_writer() override { return file_->check_writer(); }

   private:
    std::unique_ptr<ReadFile> file_;
    std::function<void()> on_read_;
    Rot rot_;
  };

  void note(const std::string& what, const RelPath& path) {
    diary_.push_back(what + " " + path.bytes());
  }

  Disk& disk_;
  std::vector<std::string>& diary_;
};

}  // namespace dagsync
