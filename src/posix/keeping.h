// How the old content of one path becomes a kept version.
//
// On the same file system what came out of the folder is simply moved. It cannot be where a rename
// does not reach, where the name is replaced without coming out at all, and where another hard link
// would go on changing it: then its bytes are copied first, and what comes out must still equal
// that copy.
#pragma once

#include "posix/publishing.h"

namespace dagsync {

class Keeping {
 public:
  explicit Keeping(Publishing& job) : job_(job) {}
  Keeping(const Keeping&) = delete;
  Keeping& operator=(const Keeping&) = delete;
  ~Keeping();  // an unfinished copy goes

  // Copies now what cannot be moved later, once. False: it changed meanwhile.
  [[nodiscard]] Result<bool> prepare(const Standing& old);

  // Whether the `old` that came out may go where it must: it equals the copy, or has no other name.
  [[nodiscard]] bool accepts(const Standing& old, const DiskState& came_out) const;

  // Moves or removes what came out. False: nothing asked to keep it. The name still holds it on
  // failure.
  [[nodiscard]] Sys<bool> finish(TempName& came_out);
  // The same where the name was replaced without coming out.
  bool finish_replaced();

 private:
  Publishing& job_;
  bool copied_ = false;    // and not finished
  bool labelled_ = false;  // the same
};

}  // namespace dagsync
