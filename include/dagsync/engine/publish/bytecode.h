// What Python compiled from a file, and would go on running. Python takes a .pyc in `__pycache__`
// for that of a source with the same modification time, in whole seconds, and the same size; so one
// that was compiled from what stood there before must go when both agree. Blocking; for the lane.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "dagsync/core/record.h"
#include "dagsync/ports/disk.h"

namespace dagsync {

class StaleBytecode {
 public:
  explicit StaleBytecode(Disk& disk) : disk_(disk) {}

  // `content` has just been made visible at `path`, where `old` stood before (none: nothing did).
  void drop(const RelPath& path, const Content& content, const std::optional<Content>& old);

 private:
  [[nodiscard]] const std::vector<Disk::Listed>& listing(const RelPath& cache);
  [[nodiscard]] bool claims(const RelPath& compiled, const Content& content);

  Disk& disk_;
  std::map<RelPath, std::vector<Disk::Listed>> listings_;  // of this batch
};

}  // namespace dagsync
