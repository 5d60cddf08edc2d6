// To whom the things of a folder belong: what `[[folder]] owner` asks for, and what could not be
// done of it. A thing whose owner is unknown here, or cannot be given, is published all the same
// and belongs to the daemon; what stood there already and may not be given away stays whose it is.
// Thread-safe.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "dagsync/ports/disk.h"
#include "posix/owner_names.h"
#include "posix/sys.h"

namespace dagsync {

struct OwnerRule {
  bool keep = false;           // to whom it belongs elsewhere
  std::optional<Owner> fixed;  // else to this one; none: to the daemon's user
  bool may_give = true;        // the process has CAP_CHOWN
};

// To whom a thing is to be given.
struct OwnerOrder {
  Shared<std::string> name;  // "": to nobody in particular
  std::optional<Owner> ids;  // none of an unknown name
};

// How that went. kUnknown: this machine has no such user or group; kRefused: it may not be done.
enum class Gave { kNothing, kDone, kUnknown, kRefused };

// Gives what the descriptor, which may be O_PATH, stands for.
[[nodiscard]] Sys<Gave> give(int fd, const OwnerOrder& order);
// The same for what stands there and shows `state`: nothing is done where it belongs to that one
// already, and where he is unknown it becomes the daemon's.
[[nodiscard]] Sys<Gave> give(int fd, const OwnerOrder& order, const DiskState& state);

class Owners {
 public:
  explicit Owners(OwnerRule rule);

  [[nodiscard]] bool keeps() const { return rule_.keep; }
  // Of something new whose record calls the owner `recorded`.
  [[nodiscard]] OwnerOrder for_new(const Shared<std::string>& recorded);
  // Of something that stands there and gets other attributes.
  [[nodiscard]] OwnerOrder for_standing(const Shared<std::string>& recorded);
  // As Disk::owner_of().
  [[nodiscard]] Disk::Owned owner_of(const RelPath& path, const DiskState& state,
                                     const Shared<std::string>& recorded);

  // What stands at the path `now` was given so, or not; or nothing does.
  void note(const RelPath& path, Gave gave, const Shared<std::string>& name, const DiskState& now);
  void gone(const RelPath& path);
  // What does not belong to whom it should, for people; "" where nothing is so.
  [[nodiscard]] std::string degraded() const;

 private:
  static constexpr std::size_t kMostNoted = 1000;

  struct NotGiven {
    Gave gave;
    Shared<std::string> name;
    Owner stands;  // to whom it belonged then
  };
  [[nodiscard]] bool was_refused(const RelPath& path, const Shared<std::string>& recorded,
                                 const Owner& stands) const;
  [[nodiscard]] std::string describe(Gave gave) const;  // under mutex_

  const OwnerRule rule_;
  const std::uint32_t self_;
  OwnerNames names_;
  mutable std::mutex mutex_;
  std::map<RelPath, NotGiven> not_given_;  // under mutex_; beyond kMostNoted no more are noted
};

}  // namespace dagsync
