#include "daemon/scratch_directory.h"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include "dagsync/base/rel_path.h"

namespace dagsync {

Result<ScratchDirectory> ScratchDirectory::make(const std::string& purpose) {
  std::error_code unusable;
  const auto parent = std::filesystem::temp_directory_path(unusable);
  if (unusable) {
    const char* named = std::getenv("TMPDIR");
    const std::string what = named != nullptr ? "TMPDIR=" + escape_bytes(named) + " is no directory"
                                              : "there is no directory for temporary files";
    return fail(ErrorCode::kInvalid, what + ": name one with TMPDIR");
  }
  std::string path = (parent / ("dagsync-" + purpose + "-XXXXXX")).string();
  if (mkdtemp(path.data()) == nullptr)
    return fail_errno(errno, "make a directory in " + escape_bytes(parent.string()));
  return ScratchDirectory(std::move(path));
}

ScratchDirectory::ScratchDirectory(ScratchDirectory&& other) noexcept
    : path_(std::exchange(other.path_, {})) {}

ScratchDirectory::~ScratchDirectory() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

}  // namespace dagsync
