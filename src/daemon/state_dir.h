// The state directory: what a node knows and keeps, for one daemon at a time.
#pragma once

#include <string>

#include "daemon/files.h"
#include "dagsync/base/result.h"
#include "dagsync/core/names.h"

namespace dagsync {

// Holds the lock of the directory for as long as it lives; the kernel gives it back when the
// process ends, however that happens. Calls block. Inside stand:
//   lock             locked by the running daemon, with its process id
//   node             the name of the node whose state this is
//   folders/<name>/  the index and the kept versions of a folder
class StateDir {
 public:
  // Makes the directory (0700, with those above it) where it is missing. kUnavailable: another
  // daemon runs on it; kInvalid: it is another node's state.
  [[nodiscard]] static Result<StateDir> open(const std::string& path, const NodeName& node);

  // Whether root asks for it, and it is the directory of another user: what root made inside would
  // be shut to him, and his daemon not start. False where it is missing.
  [[nodiscard]] static bool is_of_another(const std::string& path);

  [[nodiscard]] const std::string& path() const { return path_; }
  // The directory of a folder's own state, made where it is missing. `name` is checked already.
  [[nodiscard]] Result<std::string> folder_dir(const std::string& name) const;

 private:
  StateDir(std::string path, OwnedFd lock) : path_(std::move(path)), lock_(std::move(lock)) {}

  std::string path_;
  OwnedFd lock_;
};

}  // namespace dagsync
