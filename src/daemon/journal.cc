// What code file and line would be is left out: no reader is helped by it.
#define SD_JOURNAL_SUPPRESS_LOCATION
#include "daemon/journal.h"

#include <sys/stat.h>
#include <sys/uio.h>
#include <syslog.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

namespace dagsync {
namespace {

int priority_of(log::Level level) {
  switch (level) {
    case log::Level::kDebug:
      return LOG_DEBUG;
    case log::Level::kInfo:
      return LOG_INFO;
    case log::Level::kWarning:
      return LOG_WARNING;
    case log::Level::kError:
    case log::Level::kOff:
      return LOG_ERR;
  }
  return LOG_ERR;
}

bool take_line(log::Level level, std::string_view line, const log::About& about) {
  const std::array fields = {
      std::string("MESSAGE=").append(line),     "PRIORITY=" + std::to_string(priority_of(level)),
      std::string("SYSLOG_IDENTIFIER=dagsync"), std::string("FOLDER=").append(about.folder),
      std::string("PATH=").append(about.path),  std::string("PEER=").append(about.peer),
  };
  std::array<iovec, fields.size()> parts{};
  int count = 0;
  for (const std::string& field : fields) {
    if (field.back() == '=') continue;  // nothing to say
    parts[static_cast<std::size_t>(count++)] = {const_cast<char*>(field.data()), field.size()};
  }
  return sd_journal_sendv(parts.data(), count) == 0;
}

}  // namespace

bool is_journal(std::string_view stream, int fd) {
  struct stat found {};
  if (::fstat(fd, &found) != 0) return false;
  return stream == std::to_string(found.st_dev) + ":" + std::to_string(found.st_ino);
}

void log_to_journal() {
  const char* stream = std::getenv("JOURNAL_STREAM");
  if (stream != nullptr && is_journal(stream, STDERR_FILENO)) log::divert(take_line);
}

}  // namespace dagsync
