// A folder for tests, with its disk and with the hands of a person at work in it: a real one
// (posix/disk_world.h) or a simulated one (contract/sim_folder.h).
#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "dagsync/ports/disk.h"

namespace dagsync {

template <typename T>
[[nodiscard]] bool fails_with(const Result<T>& result, ErrorCode code) {
  return !result.has_value() && result.error().code == code;
}

// What is disposable in these tests.
[[nodiscard]] inline bool is_compiled(const RelPath& path, FileType) {
  return path.bytes().find("__pycache__") != std::string::npos;
}

[[nodiscard]] inline KeptId kept_id(int n) {
  return {"0123456789abcdef-0000000" + std::to_string(n)};
}

class TestFolder {
 public:
  TestFolder() = default;
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  virtual ~TestFolder() = default;

  [[nodiscard]] virtual Disk& disk() = 0;
  // Opens the disk anew, as after a stop.
  virtual void restart() = 0;

  // -- as a person would: it must be possible ---------------------------------------------------
  virtual void write(const std::string& name, const std::string& bytes) const = 0;  // in place
  virtual void mkdir(const std::string& name) const = 0;
  virtual void symlink(const std::string& target, const std::string& name) const = 0;
  virtual void link(const std::string& from, const std::string& to) const = 0;
  virtual void mkfifo(const std::string& name) const = 0;
  virtual void rename(const std::string& from, const std::string& to) const = 0;
  virtual void remove(const std::string& name) const = 0;  // a directory must be empty
  virtual void chmod(const std::string& name, std::uint32_t mode) const = 0;
  virtual void set_mtime(const std::string& name, UnixNanos mtime) const = 0;
  virtual void chown(const std::string& name, const std::string& owner) const = 0;  // by numbers
  void save_by_rename(const std::string& name, const std::string& bytes) const {
    write(name + ".tmp", bytes);
    rename(name + ".tmp", name);
  }
  // Has a file open for writing until it goes. None: whoever opens it must wait, for the daemon is
  // about to change it.
  class Writer {
   public:
    virtual ~Writer() = default;
    virtual void write(const std::string& bytes) = 0;  // all of it anew
  };
  [[nodiscard]] virtual std::unique_ptr<Writer> open_writer(const std::string& name) const = 0;
  // While what it gives lives, the daemon may not read that file.
  [[nodiscard]] virtual std::shared_ptr<void> forbid(const std::string& name) = 0;
  virtual void move_folder_away() const = 0;
  virtual void make_folder() const = 0;
  virtual void move_folder_back() const = 0;  // over an empty one
  virtual void link_folder() const = 0;       // a symlink to where it was moved

  // -- what a person sees -----------------------------------------------------------------------
  [[nodiscard]] virtual std::string read(const std::string& name) const = 0;
  [[nodiscard]] virtual bool exists(const std::string& name) const = 0;
  [[nodiscard]] virtual std::string owner(const std::string& name) const = 0;  // in numbers
  [[nodiscard]] virtual std::vector<std::string> names() const = 0;            // at any depth
  // What of the daemon's own nobody needs: none may be left over.
  [[nodiscard]] virtual std::vector<std::string> leftovers() const = 0;
  [[nodiscard]] virtual UnixNanos now() const = 0;
  // Until the file system stamps with a later time.
  virtual void wait_a_tick() const = 0;

  // -- as the engine would ----------------------------------------------------------------------
  [[nodiscard]] static RelPath path(const std::string& name) {
    auto parsed = RelPath::parse(name);
    REQUIRE(parsed.has_value());
    return *parsed;
  }
  [[nodiscard]] Disk::Expected look(const std::string& name) {
    const auto state = disk().stat(path(name));
    REQUIRE_MESSAGE(state.has_value(), (state ? "" : state.error().message));
    return *state;
  }
  [[nodiscard]] std::unique_ptr<Staged> staged_file(const std::string& bytes,
                                                    std::uint32_t mode = 0644,
                                                    UnixNanos mtime = {1'600'000'000'123'456'789},
                                                    const std::string& owner = "") {
    auto file = disk().stage_file(bytes.size());
    REQUIRE_MESSAGE(file.has_value(), (file ? "" : file.error().message));
    REQUIRE((*file)->append(bytes).has_value());
    REQUIRE((*file)->finish({mode, mtime, owner}).has_value());
    return std::move(*file);
  }
  [[nodiscard]] std::unique_ptr<Staged> staged_symlink(const std::string& target,
                                                       const std::string& owner = "") {
    auto link = disk().stage_symlink(target, {0, UnixNanos{1'600'000'000'987'654'321}, owner});
    REQUIRE_MESSAGE(link.has_value(), (link ? "" : link.error().message));
    return std::move(*link);
  }
  [[nodiscard]] std::unique_ptr<Staged> staged_directory(std::uint32_t mode = 0755,
                                                         const std::string& owner = "") {
    auto directory = disk().stage_directory({mode, {}, owner});
    REQUIRE_MESSAGE(directory.has_value(), (directory ? "" : directory.error().message));
    return std::move(*directory);
  }
  [[nodiscard]] Result<Published> publish(const std::string& name, const Disk::Expected& expected,
                                          std::unique_ptr<Staged> staged,
                                          const std::optional<KeptId>& keep = std::nullopt) {
    return disk().publish(path(name), expected, std::move(staged), keep, is_compiled);
  }
  [[nodiscard]] std::string kept(const KeptId& id) {
    auto file = disk().open_kept(id);
    REQUIRE_MESSAGE(file.has_value(), (file ? "" : file.error().message));
    return contents(**file);
  }
  [[nodiscard]] static std::string contents(ReadFile& file) {
    const auto state = file.state();
    REQUIRE(state.has_value());
    std::string bytes(state->size, '\0');
    std::size_t done = 0;
    while (done < bytes.size()) {
      const auto got = file.read(done, std::span(bytes).subspan(done));
      REQUIRE(got.has_value());
      REQUIRE(*got > 0);
      done += *got;
    }
    return bytes;
  }
};

}  // namespace dagsync
