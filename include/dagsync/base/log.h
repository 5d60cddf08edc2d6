// The log, behind a facade so that only base knows the library. Thread-safe. Never prints contents.
#pragma once

#include <spdlog/fmt/fmt.h>

#include <string_view>
#include <utility>

namespace dagsync::log {

enum class Level { kDebug, kInfo, kWarning, kError, kOff };

// To standard error from now on, with this level; under systemd (JOURNAL_STREAM) without times.
void start(Level level);
void set_level(Level level);
[[nodiscard]] bool enabled(Level level);
void write(Level level, std::string_view line);

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

}  // namespace dagsync::log
