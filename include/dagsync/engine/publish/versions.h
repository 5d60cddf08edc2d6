// The kept versions of a folder: what a younger one, a delete or a remote change replaced, for as
// long as the configuration says. Loop thread only.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "dagsync/base/time.h"
#include "dagsync/engine/publish/journal.h"
#include "dagsync/engine/publish/kept_catalogue.h"
#include "dagsync/ports/clock.h"
#include "dagsync/ports/store.h"

namespace dagsync {

class Versions {
 public:
  Versions(Clock& clock, Random& random, Worker& worker, Disk& disk, Journal& journal);

  void restore(const std::vector<KeptVersion>& kept);  // the catalogue of the last run
  void configure(Duration keep, std::uint64_t max_bytes);
  [[nodiscard]] KeptId new_id();
  void add(const KeptVersion& version);
  // Called with each that is added.
  void on_kept(std::function<void(const KeptVersion&)> call) { kept_ = std::move(call); }
  // Lists what the disk could only keep, as losers of a conflict on this node; then calls back.
  void adopt_rescued(const NodeName& self);  // if there is anything
  void adopt_rescued(const NodeName& self, std::function<void()> done);
  // Drops what is too old or too much, oldest first; a conflict's loser last.
  void expire();

  // As KeptCatalogue says.
  [[nodiscard]] std::vector<KeptVersion> of(const RelPath& path) const {
    return catalogue_.of(path);
  }
  [[nodiscard]] std::vector<KeptVersion> conflicts() const { return catalogue_.conflicts(); }
  [[nodiscard]] std::size_t conflict_count() const { return catalogue_.conflict_count(); }
  [[nodiscard]] std::optional<KeptId> with_digest(const Digest& digest) const {
    return catalogue_.with_digest(digest);
  }

 private:
  void drop(const KeptId& id);
  void drop_surplus();

  Clock& clock_;
  Random& random_;
  Worker& worker_;
  Disk& disk_;
  Journal& journal_;
  std::function<void(const KeptVersion&)> kept_;
  Duration keep_{};
  std::uint64_t max_bytes_ = 0;
  KeptCatalogue catalogue_;
};

}  // namespace dagsync
