// Gathers the paths that hints name, until their folder falls quiet: editors, git and unzip touch a
// name several times, and what is saved together shall travel together. A file that is saved or
// moved alone need not wait as long: what writes many files has touched the next one after a part
// of the quiet time. Pure; one thread at a time.
#pragma once

#include <cstddef>
#include <optional>
#include <unordered_set>
#include <vector>

#include "dagsync/base/rel_path.h"
#include "dagsync/base/time.h"

namespace dagsync {

class Settler {
 public:
  static constexpr std::size_t kMaxWaiting = 200'000;  // paths; a rescan is cheaper beyond

  // A batch is due when nothing was added for `settle`, or `settle_max` after its first path,
  // whichever comes first; a lone save after a quarter of `settle`. 0: at once. Neither is
  // negative.
  Settler(Duration settle, Duration settle_max);
  void set_times(Duration settle, Duration settle_max);  // of the batch that waits, too

  // A path again is one path, but the folder is no longer quiet. `now` never goes back. May it be a
  // lone save: a file that somebody touched, where none was added for three times `settle` before,
  // and it stays the only path, or one of the two of a move, which come in one moment?
  void add(RelPath path, MonoNanos now, bool may_be_lone = false);

  [[nodiscard]] std::optional<MonoNanos> due() const;      // none while nothing waits
  [[nodiscard]] std::vector<RelPath> take(MonoNanos now);  // the batch, sorted; empty before due
  [[nodiscard]] std::vector<RelPath> take_all();           // for a push, which does not wait
  [[nodiscard]] std::size_t waiting() const { return paths_.size(); }
  [[nodiscard]] bool empty() const { return paths_.empty(); }
  [[nodiscard]] bool contains(const RelPath& path) const { return paths_.contains(path); }

  // More than kMaxWaiting came: the paths were dropped, and so are all that follow, until clear().
  // Call that when the rescan that replaces them begins.
  [[nodiscard]] bool overflowed() const { return overflowed_; }
  void clear();

 private:
  Duration settle_;
  Duration settle_max_;
  std::unordered_set<RelPath> paths_;
  MonoNanos first_;                // when the first of them was added
  std::optional<MonoNanos> last_;  // when the last path was, of this batch or one before
  bool is_lone_ = false;           // so far
  bool overflowed_ = false;
};

}  // namespace dagsync
