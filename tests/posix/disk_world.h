// A real folder and a real disk for tests, on one file system or on two.
#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "posix/posix_disk.h"

namespace dagsync {

template <typename T>
[[nodiscard]] bool fails_with(const Result<T>& result, ErrorCode code) {
  return !result.has_value() && result.error().code == code;
}

class TempDirectory {
 public:
  explicit TempDirectory(const std::string& where) : path_(where + "/dagsync-test-XXXXXX") {
    REQUIRE(::mkdtemp(path_.data()) != nullptr);
  }
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;
  ~TempDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// How the folder and the state directory lie to each other, and what the file system can.
enum class Ground { kOneFileSystem, kTwoFileSystems, kNoExchange };

[[nodiscard]] inline std::string to_string(Ground ground) {
  switch (ground) {
    case Ground::kOneFileSystem:
      return "one file system";
    case Ground::kTwoFileSystems:
      return "two file systems";
    case Ground::kNoExchange:
      return "no exchange";
  }
  return "";
}

[[nodiscard]] inline std::string temp_root() {
  return std::filesystem::temp_directory_path().string();
}

// Where temporary directories lie on another file system than usual; "" where nowhere.
[[nodiscard]] inline std::string other_root() {
  struct stat usual {};
  struct stat other {};
  if (::stat(temp_root().c_str(), &usual) != 0 || ::stat("/dev/shm", &other) != 0) return "";
  return usual.st_dev == other.st_dev || ::access("/dev/shm", W_OK) != 0 ? "" : "/dev/shm";
}

[[nodiscard]] inline std::vector<Ground> safe_grounds() {
  if (other_root().empty()) return {Ground::kOneFileSystem};
  return {Ground::kOneFileSystem, Ground::kTwoFileSystems};
}

[[nodiscard]] inline std::vector<Ground> all_grounds() {
  std::vector<Ground> grounds = safe_grounds();
  grounds.push_back(Ground::kNoExchange);
  return grounds;
}

// What is disposable in these tests.
[[nodiscard]] inline bool is_compiled(const RelPath& path, FileType) {
  return path.bytes().find("__pycache__") != std::string::npos;
}

class DiskWorld {
 public:
  explicit DiskWorld(Ground ground = Ground::kOneFileSystem, bool fsync = true,
                     const OwnerRule& owner = {})
      : ground_(ground),
        fsync_(fsync),
        owner_(owner),
        folder_(temp_root()),
        state_(ground == Ground::kTwoFileSystems ? other_root() : temp_root()) {
    restart();
  }

  // Opens the disk anew, as after a stop.
  void restart() {
    disk_.reset();
    PosixDisk::Options options;
    options.root = folder_.path();
    options.state_dir = state_.path() + "/folders/dags";
    options.fsync = fsync_;
    options.owner = owner_;
    options.exchange = ground_ != Ground::kNoExchange;
    auto opened = PosixDisk::open(options);
    REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : opened.error().message));
    disk_ = std::move(*opened);
  }

  [[nodiscard]] PosixDisk& disk() { return *disk_; }
  [[nodiscard]] std::string real(const std::string& name) const {
    return folder_.path() + "/" + name;
  }
  [[nodiscard]] std::string state(const std::string& name) const {
    return state_.path() + "/folders/dags/" + name;
  }

  // -- as a local editor would ------------------------------------------------------------------
  void write(const std::string& name, const std::string& bytes) const {
    std::ofstream(real(name), std::ios::binary | std::ios::trunc) << bytes;
  }
  void save_by_rename(const std::string& name, const std::string& bytes) const {
    write(name + ".tmp", bytes);
    REQUIRE(::rename(real(name + ".tmp").c_str(), real(name).c_str()) == 0);
  }
  void mkdir(const std::string& name) const { REQUIRE(::mkdir(real(name).c_str(), 0755) == 0); }
  void symlink(const std::string& target, const std::string& name) const {
    REQUIRE(::symlink(target.c_str(), real(name).c_str()) == 0);
  }
  [[nodiscard]] std::string read(const std::string& name) const {
    std::ifstream file(real(name), std::ios::binary);
    REQUIRE(file.is_open());
    return {std::istreambuf_iterator<char>(file), {}};
  }
  [[nodiscard]] bool exists(const std::string& name) const {
    struct stat seen {};
    return ::lstat(real(name).c_str(), &seen) == 0;
  }
  [[nodiscard]] static std::vector<std::string> names_under(const std::string& directory) {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory))
      names.push_back(entry.path().lexically_relative(directory).string());
    std::sort(names.begin(), names.end());
    return names;
  }
  // Nothing of ours may be left over.
  [[nodiscard]] std::vector<std::string> leftovers() const {
    std::vector<std::string> names = names_under(state("staging"));
    for (const std::string& name : names_under(folder_.path()))
      if (name.find(".dagsync-") != std::string::npos) names.push_back(name);
    return names;
  }

  // -- as the engine would ----------------------------------------------------------------------
  [[nodiscard]] static RelPath path(const std::string& name) {
    auto parsed = RelPath::parse(name);
    REQUIRE(parsed.has_value());
    return *parsed;
  }
  [[nodiscard]] Disk::Expected look(const std::string& name) {
    const auto state = disk_->stat(path(name));
    REQUIRE_MESSAGE(state.has_value(), (state ? "" : state.error().message));
    return *state;
  }
  [[nodiscard]] std::unique_ptr<Staged> staged_file(const std::string& bytes,
                                                    std::uint32_t mode = 0644,
                                                    UnixNanos mtime = {1'600'000'000'123'456'789},
                                                    const std::string& owner = "") {
    auto file = disk_->stage_file(bytes.size());
    REQUIRE_MESSAGE(file.has_value(), (file ? "" : file.error().message));
    REQUIRE((*file)->append(bytes).has_value());
    REQUIRE((*file)->finish({mode, mtime, owner}).has_value());
    return std::move(*file);
  }
  [[nodiscard]] std::unique_ptr<Staged> staged_symlink(const std::string& target,
                                                       const std::string& owner = "") {
    auto link = disk_->stage_symlink(target, {0, UnixNanos{1'600'000'000'987'654'321}, owner});
    REQUIRE_MESSAGE(link.has_value(), (link ? "" : link.error().message));
    return std::move(*link);
  }
  [[nodiscard]] std::unique_ptr<Staged> staged_directory(std::uint32_t mode = 0755,
                                                         const std::string& owner = "") {
    auto directory = disk_->stage_directory({mode, {}, owner});
    REQUIRE_MESSAGE(directory.has_value(), (directory ? "" : directory.error().message));
    return std::move(*directory);
  }
  [[nodiscard]] Result<Published> publish(const std::string& name, const Disk::Expected& expected,
                                          std::unique_ptr<Staged> staged,
                                          const std::optional<KeptId>& keep = std::nullopt) {
    return disk_->publish(path(name), expected, std::move(staged), keep, is_compiled);
  }
  [[nodiscard]] std::string kept(const KeptId& id) {
    auto file = disk_->open_kept(id);
    REQUIRE_MESSAGE(file.has_value(), (file ? "" : file.error().message));
    return contents(**file);
  }
  [[nodiscard]] static std::string contents(ReadFile& file) {
    const auto state = file.state();
    REQUIRE(state.has_value());
    std::string bytes(state->size, '\0');
    const auto got = file.read(0, bytes);
    REQUIRE(got.has_value());
    REQUIRE(*got == bytes.size());
    return bytes;
  }

 private:
  Ground ground_;
  bool fsync_;
  OwnerRule owner_;
  TempDirectory folder_;
  TempDirectory state_;
  std::unique_ptr<PosixDisk> disk_;
};

[[nodiscard]] inline KeptId kept_id(int n) {
  return {"0123456789abcdef-0000000" + std::to_string(n)};
}

}  // namespace dagsync

// The test's body, once for each ground.
#define DAGSYNC_ON_EACH(grounds, world)                     \
  for (const dagsync::Ground each_ground : (grounds))       \
    if (INFO("on ", dagsync::to_string(each_ground)); true) \
      if (dagsync::DiskWorld world(each_ground); true)
