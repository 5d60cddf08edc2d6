#include "dagsync/base/log.h"

#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <utility>

namespace dagsync::log {
namespace {

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::kDebug:
      return spdlog::level::debug;
    case Level::kInfo:
      return spdlog::level::info;
    case Level::kWarning:
      return spdlog::level::warn;
    case Level::kError:
      return spdlog::level::err;
    case Level::kOff:
      return spdlog::level::off;
  }
  return spdlog::level::info;
}

spdlog::logger& logger() {
  // Never destroyed: worker threads may still log while the process ends.
  static auto* instance = [] {
    auto* made = new spdlog::logger("dagsync", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_level(spdlog::level::warn);
    return made;
  }();
  return *instance;
}

constexpr const char* kPattern = "%Y-%m-%dT%H:%M:%S.%e%z %l %v";

// Not destroyed either.
Taker& taker() {
  static auto* instance = new Taker();
  return *instance;
}
std::unique_ptr<spdlog::logger>& file_logger() {
  static auto* instance = new std::unique_ptr<spdlog::logger>();
  return *instance;
}

}  // namespace

void start(Level level) {
  logger().set_pattern(kPattern);
  set_level(level);
}

void divert(Taker into) {
  taker() = std::move(into);
}

Status also_to(const std::string& file, std::uint64_t max_bytes, std::size_t keep) {
  try {
    auto sink = std::make_shared<spdlog::sinks::rotating_file_sink_mt>(file, max_bytes, keep);
    file_logger() = std::make_unique<spdlog::logger>("dagsync", std::move(sink));
  } catch (const spdlog::spdlog_ex& error) {
    return fail(ErrorCode::kPermission, std::string("[log] file: ") + error.what() +
                                            ": give a file that the daemon's user may write");
  }
  file_logger()->set_pattern(kPattern);
  file_logger()->set_level(spdlog::level::trace);
  file_logger()->flush_on(spdlog::level::trace);  // a line is to be there when the machine is not
  return {};
}

void set_level(Level level) {
  logger().set_level(to_spdlog(level));
}
bool enabled(Level level) {
  return logger().should_log(to_spdlog(level));
}
void write(Level level, std::string_view line, const About& about) {
  if (!enabled(level)) return;
  if (!taker() || !taker()(level, line, about)) logger().log(to_spdlog(level), line);
  if (file_logger()) file_logger()->log(to_spdlog(level), line);
}

}  // namespace dagsync::log
