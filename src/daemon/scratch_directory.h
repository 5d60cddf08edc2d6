// A directory of this process alone, in $TMPDIR, that is gone with all that is in it in the end.
#pragma once

#include <string>
#include <utility>

#include "dagsync/base/result.h"

namespace dagsync {

class ScratchDirectory {
 public:
  // Named "dagsync-<purpose>-" and six random characters. Fails where it cannot be made there.
  [[nodiscard]] static Result<ScratchDirectory> make(const std::string& purpose);
  ~ScratchDirectory();
  ScratchDirectory(ScratchDirectory&& other) noexcept;
  ScratchDirectory& operator=(ScratchDirectory&&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  explicit ScratchDirectory(std::string path) : path_(std::move(path)) {}

  std::string path_;  // "": moved from
};

}  // namespace dagsync
