// A real folder and a real disk for tests, on one file system or on two.
#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "posix/capabilities.h"
#include "posix/posix_disk.h"
#include "support/files.h"
#include "support/test_folder.h"

namespace dagsync {

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

class DiskWorld : public TestFolder {
 public:
  explicit DiskWorld(Ground ground = Ground::kOneFileSystem, bool fsync = true,
                     const OwnerRule& owner = {}, const std::string& where = temp_root())
      : ground_(ground),
        fsync_(fsync),
        owner_(owner),
        folder_(where),
        state_(ground == Ground::kTwoFileSystems ? other_root() : where) {
    open();
  }

  ~DiskWorld() override {
    std::error_code ignored;
    std::filesystem::remove_all(away(), ignored);
  }

  void restart() override { open(); }

  [[nodiscard]] PosixDisk& disk() override { return *disk_; }
  [[nodiscard]] std::string real(const std::string& name) const {
    return folder_.path() + "/" + name;
  }
  [[nodiscard]] std::string state(const std::string& name) const {
    return state_.path() + "/folders/dags/" + name;
  }

  // -- as a person would ------------------------------------------------------------------------
  void write(const std::string& name, const std::string& bytes) const override {
    std::ofstream(real(name), std::ios::binary | std::ios::trunc) << bytes;
  }
  void mkdir(const std::string& name) const override {
    REQUIRE(::mkdir(real(name).c_str(), 0755) == 0);
  }
  void symlink(const std::string& target, const std::string& name) const override {
    REQUIRE(::symlink(target.c_str(), real(name).c_str()) == 0);
  }
  void link(const std::string& from, const std::string& to) const override {
    REQUIRE(::link(real(from).c_str(), real(to).c_str()) == 0);
  }
  void mkfifo(const std::string& name) const override {
    REQUIRE(::mkfifo(real(name).c_str(), 0600) == 0);
  }
  void rename(const std::string& from, const std::string& to) const override {
    REQUIRE(::rename(real(from).c_str(), real(to).c_str()) == 0);
  }
  void remove(const std::string& name) const override {
    REQUIRE(std::remove(real(name).c_str()) == 0);
  }
  void chmod(const std::string& name, std::uint32_t mode) const override {
    REQUIRE(::chmod(real(name).c_str(), mode) == 0);
  }
  void set_mtime(const std::string& name, UnixNanos mtime) const override {
    constexpr std::int64_t kSecond = 1'000'000'000;
    const struct timespec times[2] = {{0, UTIME_OMIT},
                                      {mtime.value / kSecond, mtime.value % kSecond}};
    REQUIRE(::utimensat(AT_FDCWD, real(name).c_str(), times, AT_SYMLINK_NOFOLLOW) == 0);
  }
  void chown(const std::string& name, const std::string& owner) const override {
    const std::size_t colon = owner.find(':');
    const auto user = static_cast<uid_t>(std::stoul(owner));
    const auto group = static_cast<gid_t>(std::stoul(owner.substr(colon + 1)));
    REQUIRE(::lchown(real(name).c_str(), user, group) == 0);
  }
  [[nodiscard]] std::unique_ptr<Writer> open_writer(const std::string& name) const override {
    UniqueFd fd(::open(real(name).c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
    if (!fd && errno == EAGAIN) return nullptr;
    REQUIRE(fd);
    return std::make_unique<RealWriter>(std::move(fd));
  }
  [[nodiscard]] std::shared_ptr<void> forbid(const std::string& name) override {
    chmod(name, 0);
    return std::make_shared<WithoutCapabilities>(
        std::initializer_list<unsigned>{CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH});
  }
  void move_folder_away() const override {
    REQUIRE(::rename(folder_.path().c_str(), away().c_str()) == 0);
  }
  void move_folder_back() const override {
    (void)std::remove(folder_.path().c_str());
    REQUIRE(::rename(away().c_str(), folder_.path().c_str()) == 0);
  }
  void link_folder() const override {
    REQUIRE(::symlink(away().c_str(), folder_.path().c_str()) == 0);
  }
  void make_folder() const override { REQUIRE(::mkdir(folder_.path().c_str(), 0755) == 0); }

  // -- what a person sees -----------------------------------------------------------------------
  [[nodiscard]] std::string read(const std::string& name) const override {
    std::ifstream file(real(name), std::ios::binary);
    REQUIRE(file.is_open());
    return read_rest(file);
  }
  [[nodiscard]] bool exists(const std::string& name) const override {
    struct stat seen {};
    return ::lstat(real(name).c_str(), &seen) == 0;
  }
  [[nodiscard]] std::string owner(const std::string& name) const override {
    struct stat seen {};
    REQUIRE(::lstat(real(name).c_str(), &seen) == 0);
    return std::to_string(seen.st_uid) + ":" + std::to_string(seen.st_gid);
  }
  [[nodiscard]] static std::vector<std::string> names_under(const std::string& directory) {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory))
      names.push_back(entry.path().lexically_relative(directory).string());
    std::sort(names.begin(), names.end());
    return names;
  }
  [[nodiscard]] std::vector<std::string> names() const override {
    return names_under(folder_.path());
  }
  [[nodiscard]] std::vector<std::string> leftovers() const override {
    std::vector<std::string> names = names_under(state("staging"));
    for (const std::string& name : names_under(folder_.path()))
      if (name.find(".dagsync-") != std::string::npos) names.push_back(name);
    for (const std::string& name : names_under(state("versions")))
      if (is_needless_beside_versions(name)) names.push_back(name);
    return names;
  }
  [[nodiscard]] UnixNanos now() const override {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return {std::chrono::duration_cast<std::chrono::nanoseconds>(now).count()};
  }
  void wait_a_tick() const override {
    const std::int64_t before = stamp();
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (stamp() == before)
      REQUIRE(std::chrono::steady_clock::now() < limit);
  }

 private:
  class RealWriter final : public Writer {
   public:
    explicit RealWriter(UniqueFd fd) : fd_(std::move(fd)) {}
    void write(const std::string& bytes) override {
      CHECK(::ftruncate(fd_.get(), 0) == 0);
      CHECK(::pwrite(fd_.get(), bytes.data(), bytes.size(), 0) ==
            static_cast<ssize_t>(bytes.size()));
    }

   private:
    UniqueFd fd_;
  };

  void open() {
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
  // Half a copy, or the word of where something stood that was not kept.
  [[nodiscard]] bool is_needless_beside_versions(const std::string& name) const {
    if (name.ends_with(".copy")) return true;
    return name.ends_with(".of") &&
           !std::filesystem::is_symlink(state("versions/" + name.substr(0, name.size() - 3))) &&
           !std::filesystem::exists(state("versions/" + name.substr(0, name.size() - 3)));
  }
  [[nodiscard]] std::string away() const { return folder_.path() + "-away"; }
  // What the file system stamps a file with that is written now.
  [[nodiscard]] std::int64_t stamp() const {
    const std::string probe = state_.path() + "/probe";
    std::ofstream(probe) << "x";
    struct stat seen {};
    REQUIRE(::stat(probe.c_str(), &seen) == 0);
    return seen.st_ctim.tv_sec * 1'000'000'000 + seen.st_ctim.tv_nsec;
  }

  Ground ground_;
  bool fsync_;
  OwnerRule owner_;
  TempDirectory folder_;
  TempDirectory state_;
  std::unique_ptr<PosixDisk> disk_;
};

}  // namespace dagsync

// The test's body, once for each ground.
#define DAGSYNC_ON_EACH(grounds, world)                     \
  for (const dagsync::Ground each_ground : (grounds))       \
    if (INFO("on ", dagsync::to_string(each_ground)); true) \
      if (dagsync::DiskWorld world(each_ground); true)
