// The log, behind a facade so that only base knows the library. Thread-safe. Never prints contents.
#pragma once

#include <spdlog/fmt/fmt.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "dagsync/base/result.h"

namespace dagsync::log {

enum class Level { kDebug, kInfo, kWarning, kError, kOff };

// What a line is about, beside its words: a journal can be asked for it. Each may be empty.
struct About {
  std::string_view folder;
  std::string_view path;  // bytes, within the folder
  std::string_view peer;
};

// To standard error from now on, with this level.
void start(Level level);
// Takes the lines instead of standard error; false: it could not. Called by any thread.
using Taker = std::function<bool(Level, std::string_view line, const About&)>;
void divert(Taker taker);  // at the start, before there are threads
// Into a file as well; when it would be larger than `max_bytes`, it becomes FILE.1 and so on, of
// which `keep` stay ("x.log" becomes "x.1.log"). At the start.
[[nodiscard]] Status also_to(const std::string& file, std::uint64_t max_bytes, std::size_t keep);
void set_level(Level level);
[[nodiscard]] bool enabled(Level level);
void write(Level level, std::string_view line, const About& about = {});

template <typename... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::kDebug))
    write(Level::kDebug, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::kInfo)) write(Level::kInfo, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void warning(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::kWarning, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::kError, fmt::format(format, std::forward<Args>(args)...));
}

// The same, with what the line is about.
template <typename... Args>
void info(const About& about, fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::kInfo))
    write(Level::kInfo, fmt::format(format, std::forward<Args>(args)...), about);
}
template <typename... Args>
void warning(const About& about, fmt::format_string<Args...> format, Args&&... args) {
  write(Level::kWarning, fmt::format(format, std::forward<Args>(args)...), about);
}
template <typename... Args>
void error(const About& about, fmt::format_string<Args...> format, Args&&... args) {
  write(Level::kError, fmt::format(format, std::forward<Args>(args)...), about);
}

}  // namespace dagsync::log
