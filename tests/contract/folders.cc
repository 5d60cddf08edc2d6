#include "contract/folders.h"

#include <unistd.h>

#include "contract/sim_folder.h"
#include "posix/disk_world.h"
#include "posix/mounted.h"

namespace dagsync {
namespace {

// On a file system of its own, which goes with it.
class SmallDiskWorld final : private Mounted, public DiskWorld {
 public:
  explicit SmallDiskWorld(Ground ground)
      : Mounted("-t tmpfs -o size=2m none"), DiskWorld(ground, true, {}, Mounted::path()) {}
  [[nodiscard]] static bool is_possible() { return Mounted("-t tmpfs none").is_there(); }
};

FolderKind real_folder(Ground ground, bool keeps_owners = false) {
  return {to_string(ground), [=] {
            OwnerRule rule;
            rule.keep = keeps_owners;
            rule.may_give = keeps_owners;
            return std::make_unique<DiskWorld>(ground, true, rule);
          }};
}

FolderKind simulated(bool keeps_owners = false, bool is_full = false) {
  return {"simulated", [=] { return std::make_unique<SimFolder>(keeps_owners, is_full); }};
}

std::vector<FolderKind> folders_on(const std::vector<Ground>& grounds) {
  std::vector<FolderKind> kinds{simulated()};
  for (const Ground ground : grounds)
    kinds.push_back(real_folder(ground));
  return kinds;
}

}  // namespace

std::vector<FolderKind> all_folders() {
  return folders_on(all_grounds());
}

std::vector<FolderKind> safe_folders() {
  return folders_on(safe_grounds());
}

std::vector<FolderKind> linking_folders() {
  return folders_on({Ground::kOneFileSystem, Ground::kNoExchange});
}

std::vector<FolderKind> owning_folders() {
  std::vector<FolderKind> kinds{simulated(true)};
  if (::geteuid() != 0) {
    MESSAGE("the real folders are left out: only root can give files away");
    return kinds;
  }
  for (const Ground ground : all_grounds())
    kinds.push_back(real_folder(ground, true));
  return kinds;
}

std::vector<FolderKind> small_folders() {
  std::vector<FolderKind> kinds{simulated(false, true)};
  if (!SmallDiskWorld::is_possible()) {
    MESSAGE("the real folders are left out: nothing can be mounted here");
    return kinds;
  }
  for (const Ground ground : safe_grounds()) {
    kinds.push_back(
        {"small, " + to_string(ground), [=] { return std::make_unique<SmallDiskWorld>(ground); }});
  }
  return kinds;
}

}  // namespace dagsync
