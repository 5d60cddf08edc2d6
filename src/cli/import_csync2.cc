#include <sys/stat.h>
#include <unistd.h>

#include <array>

#include "cli/commands.h"
#include "cli/console.h"
#include "csync2/csync2_import.h"
#include "daemon/files.h"
#include "daemon/print_error.h"

namespace dagsync {
namespace {

constexpr std::size_t kMaxFileBytes = 1 << 20;

// As csync2 asks for it, without a domain.
std::string own_host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "localhost";
  return name.data();
}

bool is_regular_file(const std::string& path) {
  struct stat seen {};
  return ::stat(path.c_str(), &seen) == 0 && S_ISREG(seen.st_mode);
}

}  // namespace

int run_import_csync2(const ImportCsync2Options& options) {
  const auto read = [](const std::string& file) { return read_small_file(file, kMaxFileBytes); };
  const auto text = read(options.file);
  if (!text) {
    print_error(text.error().message);
    return kExitUsage;
  }
  const auto config = parse_csync2(options.file, *text, read);
  if (!config) {
    print_error(config.error().message);
    return kExitUsage;
  }
  const auto toml = import_csync2(
      *config, {lower(options.host.empty() ? own_host_name() : options.host), is_regular_file});
  if (!toml) {
    print_error(options.file + ": " + toml.error().message);
    return kExitUsage;
  }
  print(*toml);
  return 0;
}

}  // namespace dagsync
