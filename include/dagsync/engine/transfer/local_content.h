// Contents made from what this node has already: a copy of another file of the folder, a delta
// against one. Blocking; for workers.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dagsync/core/record.h"
#include "dagsync/ports/disk.h"

namespace dagsync {

// A file of the folder that had the wanted content, or the wanted basis, when the index last knew.
struct LocalSource {
  RelPath path;
  DiskState state;
  bool may_link = false;  // it is about to be deleted, so its inode may move to the new name
  Shared<std::string> owner = {};  // as the index has it
};

struct LocalContent {
  std::unique_ptr<Staged> staged;  // none: no source had it
  std::optional<RelPath> linked;   // the source whose inode it is
};

// The content from the first source that still has it, checked against its digest.
[[nodiscard]] Result<LocalContent> copy_local(Disk& disk, const std::vector<LocalSource>& sources,
                                              const Content& content);

// The content that a delta makes of the first source that gives the right digest. kNotFound: none.
[[nodiscard]] Result<std::unique_ptr<StagedFile>> patch_local(Disk& disk,
                                                              const std::vector<LocalSource>& bases,
                                                              std::string_view delta,
                                                              const Content& content);

// librsync's signature of a file, for a Fetch. "" where it is too small to be worth it.
[[nodiscard]] Result<std::string> signature_of(Disk& disk, const RelPath& path);

}  // namespace dagsync
