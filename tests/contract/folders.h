// The folders on which each case of the contract runs. A case that only one of them can show does
// not belong here: see tests/posix and tests/sim.
#pragma once

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "support/test_folder.h"

namespace dagsync {

struct FolderKind {
  std::string name;
  std::function<std::unique_ptr<TestFolder>()> make;
};

// Real ones, on one file system and on two, with and without an exchange of names; simulated.
[[nodiscard]] std::vector<FolderKind> all_folders();
// Where no edit is lost: those that exchange names.
[[nodiscard]] std::vector<FolderKind> safe_folders();
// Where a link goes from the folder to the staging area.
[[nodiscard]] std::vector<FolderKind> linking_folders();
// With owners kept. A real one only where the test may give files away.
[[nodiscard]] std::vector<FolderKind> owning_folders();
// With room for less than 2 MiB. A real one only where the test may mount.
[[nodiscard]] std::vector<FolderKind> small_folders();

}  // namespace dagsync

// The test's body, once for each kind.
#define DAGSYNC_IN_EACH(kinds, folder)                     \
  for (const dagsync::FolderKind& each_kind : (kinds))     \
    if (INFO("folder: ", each_kind.name); true)            \
      if (const auto made_folder = each_kind.make(); true) \
        if (dagsync::TestFolder& folder = *made_folder; true)
