#include <sched.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

#include "posix/watched.h"

namespace dagsync {
namespace {

namespace fs = std::filesystem;

TEST_CASE(
    "more events than the kernel keeps are reported as an overflow, and hints go on after it") {
  Watched folder;
  folder.write("a");
  folder.write("b");
  folder.drain();
  long bound = 0;
  std::ifstream("/proc/sys/fs/inotify/max_queued_events") >> bound;
  REQUIRE(bound > 0);
  const std::string names[] = {(folder.root / "a").string(), (folder.root / "b").string()};
  // In turns, because the kernel merges an event that is equal to the last one.
  for (long i = 0; i < bound + 10; ++i)
    ::chmod(names[i % 2].c_str(), 0600);
  CHECK(folder.overflows == 0);
  CHECK_FALSE(folder.drain().empty());
  CHECK(folder.overflows == 1);
  folder.write("after");
  CHECK(folder.drain() == "after");
}

// What `probe` returns in a process of its own, in a user namespace where a limit of inotify is
// low; kNotPossible where this system does not let us make one.
constexpr int kNotPossible = 255;
int with_limit(const char* limit, const char* value, const std::function<int()>& probe) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    if (::unshare(CLONE_NEWUSER) != 0) ::_exit(kNotPossible);
    std::ofstream file(std::string("/proc/sys/user/") + limit);
    if (!(file << value << std::flush)) ::_exit(kNotPossible);
    ::_exit(probe());
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  return WEXITSTATUS(status);
}

TEST_CASE("watches that run out are told apart, with the limit to raise, and the others live on") {
  Watched folder;
  for (const char* name : {"a", "b", "c"})
    fs::create_directory(folder.root / name);
  const int result = with_limit("max_inotify_watches", "3", [&] {
    auto watcher = *InotifyWatcher::open(folder.root.string());  // takes one, for the parent
    if (!watcher->watch(RelPath()) || !watcher->watch(path("a"))) return 1;
    const Status full = watcher->watch(path("b"));
    if (full || full.error().code != ErrorCode::kNoSpace) return 2;
    if (full.error().message.find("fs.inotify.max_user_watches") == std::string::npos) return 3;
    if (watcher->watches() != 2) return 4;
    watcher->unwatch(path("a"));
    return watcher->watch(path("b")) ? 0 : 5;
  });
  if (result == kNotPossible)
    MESSAGE("not tested: no user namespaces here");
  else
    CHECK(result == 0);
}

TEST_CASE("a system without free inotify instances says which limit to raise") {
  Watched folder;
  const int result = with_limit("max_inotify_instances", "0", [&] {
    const auto opened = InotifyWatcher::open(folder.root.string());
    if (opened || opened.error().code != ErrorCode::kUnavailable) return 1;
    const bool named =
        opened.error().message.find("fs.inotify.max_user_instances") != std::string::npos;
    return named ? 0 : 2;
  });
  if (result == kNotPossible)
    MESSAGE("not tested: no user namespaces here");
  else
    CHECK(result == 0);
}

}  // namespace
}  // namespace dagsync
