#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "posix/watched.h"

namespace dagsync {
namespace {

namespace fs = std::filesystem;

TEST_CASE("each thing that can be done to a folder hints at its path") {
  struct Row {
    std::string what;
    void (*before)(const fs::path&);
    void (*done)(const fs::path&);
    std::string expected;
  };
  const auto nothing = [](const fs::path&) {};
  const auto a_file = [](const fs::path& root) { std::ofstream(root / "a") << "old"; };
  const auto a_directory = [](const fs::path& root) { fs::create_directory(root / "d"); };
  const Row rows[] = {
      {"write a new file", nothing, a_file, "a"},
      {"write an old file", a_file, a_file, "a"},
      {"delete a file", a_file, [](const fs::path& root) { fs::remove(root / "a"); }, "a"},
      {"rename a file within", a_file,
       [](const fs::path& root) { fs::rename(root / "a", root / "b"); }, "a b"},
      {"move a file in",
       [](const fs::path& root) { std::ofstream(root.parent_path() / "out") << "x"; },
       [](const fs::path& root) { fs::rename(root.parent_path() / "out", root / "in"); }, "in"},
      {"move a file out", a_file,
       [](const fs::path& root) { fs::rename(root / "a", root.parent_path() / "out"); }, "a"},
      {"chmod a file", a_file, [](const fs::path& root) { ::chmod((root / "a").c_str(), 0600); },
       "a"},
      {"touch a file", a_file,
       [](const fs::path& root) { ::utimensat(AT_FDCWD, (root / "a").c_str(), nullptr, 0); }, "a"},
      {"set the mtime of a file alone", a_file,
       [](const fs::path& root) { fs::last_write_time(root / "a", {}); }, "a"},
      {"truncate a file by its name", a_file,
       [](const fs::path& root) { fs::resize_file(root / "a", 1); }, "a"},
      {"make a directory", nothing, a_directory, "d/"},
      {"remove a directory", a_directory, [](const fs::path& root) { fs::remove(root / "d"); },
       "d/"},
      {"chmod a directory", a_directory,
       [](const fs::path& root) { ::chmod((root / "d").c_str(), 0700); }, "d/"},
      {"make a symlink to a directory", a_directory,
       [](const fs::path& root) { fs::create_symlink("d", root / "link"); }, "link"},
      {"make a hard link", a_file,
       [](const fs::path& root) { fs::create_hard_link(root / "a", root / "b"); }, "b"},
      {"make a FIFO", nothing, [](const fs::path& root) { ::mkfifo((root / "f").c_str(), 0600); },
       "f"},
      {"read a file", a_file, [](const fs::path& root) { std::ifstream(root / "a").get(); }, ""},
      {"chmod the root", nothing, [](const fs::path& root) { ::chmod(root.c_str(), 0711); }, ""},
      {"write a name that is not UTF-8, with a newline", nothing,
       [](const fs::path& root) { std::ofstream(root / "\xff\n\xc0\x80") << "x"; },
       "\\xff\\x0a\\xc0\\x80"},
      {"write a name of 255 bytes", nothing,
       [](const fs::path& root) { std::ofstream(root / std::string(255, 'n')) << "x"; },
       std::string(255, 'n')},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    Watched folder;
    row.before(folder.root);
    folder.drain();
    row.done(folder.root);
    CHECK(folder.drain() == row.expected);
  }
}

TEST_CASE("a file held open for writing is hinted at while it grows and when it is closed") {
  Watched folder;
  const int fd = ::open((folder.root / "a").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  REQUIRE(fd >= 0);
  CHECK(folder.drain() == "a");  // made
  REQUIRE(::write(fd, "x", 1) == 1);
  CHECK(folder.drain() == "a");
  CHECK(folder.drain() == "");
  ::close(fd);
  CHECK(folder.drain() == "a");
}

TEST_CASE("the descriptor becomes readable, and what is readable is dispatched") {
  Watched folder;
  pollfd poller{folder.watcher->fd(), POLLIN, 0};
  CHECK(::poll(&poller, 1, 0) == 0);
  folder.write("a");
  REQUIRE(::poll(&poller, 1, 10'000) == 1);
  folder.watcher->on_readable();
  CHECK(folder.hints == "a");
  CHECK(::poll(&poller, 1, 0) == 0);
}

TEST_CASE("hints are merged within one read and stay in order") {
  Watched folder;
  for (int round = 0; round < 3; ++round) {
    folder.write("b");
    folder.write("a");
  }
  fs::remove(folder.root / "a");
  fs::create_directory(folder.root / "a");
  CHECK(folder.drain() == "b a a/");
}

TEST_CASE("a directory is watched by itself, and its names are paths in the folder") {
  Watched folder;
  fs::create_directories(folder.root / "d/e");
  CHECK(folder.drain() == "d/");
  folder.write("d/e/unseen");
  CHECK(folder.drain() == "");
  REQUIRE(folder.watcher->watch(path("d")).has_value());
  REQUIRE(folder.watcher->watch(path("d/e")).has_value());
  REQUIRE(folder.watcher->watch(path("d/e")).has_value());
  CHECK(folder.watcher->watches() == 3);
  folder.write("d/e/seen");
  CHECK(folder.drain() == "d/e/seen");
  ::chmod((folder.root / "d/e").c_str(), 0700);  // told by the parent and by itself
  CHECK(folder.drain() == "d/e/");
  folder.watcher->unwatch(path("d"));
  CHECK(folder.watcher->watches() == 1);
  CHECK(folder.kernel_watches() == 1);
  folder.write("d/e/unseen again");
  CHECK(folder.drain() == "");
}

TEST_CASE("the owner may watch from within a handler") {
  Watched folder;
  folder.follow = true;
  fs::create_directory(folder.root / "d");
  CHECK(folder.drain() == "d/");
  folder.write("d/a");
  CHECK(folder.drain() == "d/a");
}

TEST_CASE("a directory moved within the folder is known by its new path once it is watched again") {
  Watched folder;
  fs::create_directories(folder.root / "d/e");
  fs::create_directories(folder.root / "d.e");  // sorts between d and d/e, and is not below d
  for (const char* name : {"d", "d/e", "d.e"})
    REQUIRE(folder.watcher->watch(path(name)).has_value());
  folder.drain();
  fs::rename(folder.root / "d", folder.root / "moved");
  folder.write("moved/e/while");  // is found by the listing that follows the hint
  CHECK(folder.drain() == "d/ moved/");
  CHECK(folder.watcher->watches() == 2);  // the root and d.e
  REQUIRE(folder.watcher->watch(path("moved")).has_value());
  REQUIRE(folder.watcher->watch(path("moved/e")).has_value());
  folder.write("moved/e/after");
  folder.write("d.e/other");
  CHECK(folder.drain() == "moved/e/after d.e/other");
}

TEST_CASE("a moved directory that is watched before its move is read keeps its new path") {
  Watched folder;
  fs::create_directory(folder.root / "d");
  REQUIRE(folder.watcher->watch(path("d")).has_value());
  folder.drain();
  fs::rename(folder.root / "d", folder.root / "moved");
  REQUIRE(folder.watcher->watch(path("moved")).has_value());
  CHECK(folder.watcher->watches() == 2);
  folder.write("moved/a");
  CHECK(folder.drain() == "d/ moved/ moved/a");
}

TEST_CASE("another directory under the name of a watched one takes its place") {
  Watched folder;
  fs::create_directory(folder.root / "d");
  REQUIRE(folder.watcher->watch(path("d")).has_value());
  folder.drain();
  fs::rename(folder.root / "d", folder.base / "away");
  fs::create_directory(folder.root / "d");
  REQUIRE(folder.watcher->watch(path("d")).has_value());
  CHECK(folder.watcher->watches() == 2);
  CHECK(folder.kernel_watches() == 2);
  std::ofstream(folder.base / "away/stranger") << "x";
  folder.follow = true;
  CHECK(folder.drain() == "d/");
  folder.write("d/a");
  CHECK(folder.drain() == "d/a");
}

TEST_CASE("two directories that swap their names are both hinted at and watched anew") {
  Watched folder;
  folder.follow = true;
  fs::create_directory(folder.root / "a");
  fs::create_directory(folder.root / "b");
  folder.drain();
  REQUIRE(::renameat2(AT_FDCWD, (folder.root / "a").c_str(), AT_FDCWD, (folder.root / "b").c_str(),
                      RENAME_EXCHANGE) == 0);
  CHECK(folder.drain() == "a/ b/");
  folder.write("a/x");
  folder.write("b/y");
  CHECK(folder.drain() == "a/x b/y");
}

TEST_CASE("a tree that is removed leaves no watch but the root's") {
  Watched folder;
  fs::create_directories(folder.root / "t/u/v");
  fs::create_directories(folder.root / "t/w");
  for (const char* name : {"t", "t/u", "t/u/v", "t/w"})
    REQUIRE(folder.watcher->watch(path(name)).has_value());
  folder.drain();
  fs::remove_all(folder.root / "t");
  CHECK(folder.drain().ends_with(" t/"));
  CHECK(folder.watcher->watches() == 1);
  CHECK(folder.kernel_watches() == 1);
}

TEST_CASE("a directory that is removed where its parent is not watched is forgotten too") {
  Watched folder;
  fs::create_directories(folder.root / "t/u");
  REQUIRE(folder.watcher->watch(path("t/u")).has_value());
  folder.drain();
  fs::remove(folder.root / "t/u");
  CHECK(folder.drain() == "");
  CHECK(folder.watcher->watches() == 1);
  CHECK(folder.kernel_watches() == 1);
}

TEST_CASE("a directory moved out of the folder is no longer watched") {
  Watched folder;
  fs::create_directories(folder.root / "t/u");
  REQUIRE(folder.watcher->watch(path("t")).has_value());
  REQUIRE(folder.watcher->watch(path("t/u")).has_value());
  folder.drain();
  fs::rename(folder.root / "t", folder.base / "out");
  CHECK(folder.drain() == "t/");
  std::ofstream(folder.base / "out/u/a") << "x";
  CHECK(folder.drain() == "");
  CHECK(folder.watcher->watches() == 1);
  CHECK(folder.kernel_watches() == 1);
}

TEST_CASE("what is no directory beneath the root is not watched") {
  Watched folder;
  fs::create_directories(folder.base / "secret/sub");
  fs::create_symlink(folder.base / "secret", folder.root / "link");
  folder.write("file");
  for (const char* name : {"link", "link/sub", "file", "missing", "file/below"}) {
    CAPTURE(name);
    const Status watched = folder.watcher->watch(path(name));
    REQUIRE_FALSE(watched.has_value());
    CHECK(watched.error().code == ErrorCode::kNotFound);
  }
  CHECK(folder.watcher->watches() == 1);
  CHECK(folder.kernel_watches() == 1);
}

TEST_CASE("a root that is missing, a file or a symlink cannot be opened") {
  Watched folder;
  folder.write("file");
  fs::create_symlink(folder.root, folder.base / "link");
  for (const fs::path& root :
       {folder.base / "missing", folder.root / "file", folder.base / "link"}) {
    const auto opened = InotifyWatcher::open(root.string());
    REQUIRE_FALSE(opened.has_value());
    CHECK(opened.error().code == ErrorCode::kNotFound);
  }
}

TEST_CASE("a root that goes away is reported once, and none of its names as deleted") {
  SUBCASE("moved") {
    Watched folder;
    fs::rename(folder.root, folder.base / "elsewhere");
    folder.drain();
    CHECK(folder.roots_gone == 1);
    CHECK(folder.watcher->watch(RelPath()).error().code == ErrorCode::kNotFound);
    std::ofstream(folder.base / "elsewhere/a") << "x";
    CHECK(folder.drain() == "");
  }
  SUBCASE("deleted while it is empty") {
    Watched folder;
    fs::remove(folder.root);
    pollfd poller{folder.watcher->fd(), POLLIN, 0};
    REQUIRE(::poll(&poller, 1, 10'000) == 1);
    folder.watcher->on_readable();
    CHECK(folder.roots_gone == 1);
  }
  SUBCASE("deleted with what is in it") {
    Watched folder;
    folder.write("a");
    folder.drain();
    fs::remove_all(folder.root);
    CHECK(folder.drain() == "");
    CHECK(folder.roots_gone == 1);
    CHECK(folder.watcher->watches() == 0);
  }
}

}  // namespace
}  // namespace dagsync
