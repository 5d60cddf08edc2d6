// A real folder in a temporary directory, watched.
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "posix/inotify_watcher.h"
#include "support/paths.h"

namespace dagsync {

// A folder of its own with a watcher on it, which keeps what the handlers were told: of the hints,
// "file directory/ file".
struct Watched {
  std::filesystem::path base, root;
  std::unique_ptr<InotifyWatcher> watcher;
  std::string hints;
  int overflows = 0;
  int roots_gone = 0;
  bool follow = false;  // watch every directory that is hinted at, as an owner does

  Watched() {
    std::string name = (std::filesystem::temp_directory_path() / "dagsync-watch-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    base = name;
    root = base / "root";
    std::filesystem::create_directory(root);
    auto opened = InotifyWatcher::open(root.string());
    REQUIRE(opened.has_value());
    watcher = std::move(*opened);
    watcher->start({[this](std::vector<Hint> some) { take(some); }, [this] { ++overflows; },
                    [this] { ++roots_gone; }});
    REQUIRE(watcher->watch(RelPath()).has_value());
  }
  ~Watched() {
    watcher.reset();
    std::error_code ignored;
    std::filesystem::remove_all(base, ignored);
  }
  void take(const std::vector<Hint>& some) {
    for (const Hint& hint : some) {
      if (!hints.empty()) hints += ' ';
      hints += display(hint.path) + (hint.is_directory ? "/" : "");
      if (follow && hint.is_directory) static_cast<void>(watcher->watch(hint.path));
    }
  }
  std::string drain() {
    hints.clear();
    watcher->drain();
    return hints;
  }
  // Those of the kernel, without that of the root's parent.
  [[nodiscard]] int kernel_watches() const {
    std::ifstream info("/proc/self/fdinfo/" + std::to_string(watcher->fd()));
    int count = -1;
    for (std::string line; std::getline(info, line);)
      count += line.starts_with("inotify wd:") ? 1 : 0;
    return count;
  }
  void write(const std::string& name, std::string_view text = "x") const {
    std::ofstream(root / name) << text;
  }
};

}  // namespace dagsync
