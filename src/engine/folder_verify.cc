// What verifying needs of its folder.
#include <algorithm>
#include <utility>

#include "dagsync/base/log.h"
#include "dagsync/engine/folder.h"

namespace dagsync {

Verifier::Hooks Folder::verifier_hooks() {
  Verifier::Hooks hooks;
  hooks.take_in = [this](const std::vector<RelPath>& paths, bool whole,
                         std::function<void()> done) { take_in(paths, whole, std::move(done)); };
  hooks.is_quiet = [this] {
    const auto& peers = replica_.peers();
    return is_at_rest() && std::all_of(peers.begin(), peers.end(), [&](const auto& peer) {
             const bool is_asked = peer.second.counted && peer.second.connected;
             return !is_asked || replica_.in_sync_with(peer.second);
           });
  };
  hooks.look_at = [this](const RelPath& path) { intake_.look_at(path); };
  hooks.reclaim = [this](const std::vector<Observation>& wrong) {
    perform(replica_.reclaim(wrong));
    changed();
  };
  hooks.discard = [this](const Observation& seen, const std::function<void()>& done) {
    discard(seen, done);
  };
  hooks.trouble = [this](const RelPath& path, const std::string& what) { trouble(path, what); };
  hooks.is_stuck = [this](const RelPath& path) { return errors_.contains(path); };
  return hooks;
}

// What was made here, may not leave, and stands at a path where the mesh has nothing: it goes,
// kept.
void Folder::discard(const Observation& seen, const std::function<void()>& done) {
  if (!seen.disk) {
    intake_.look_at(seen.path);
    intake_.flush(done);
    return;
  }
  KeptVersion kept;
  kept.id = versions_.new_id();
  kept.path = seen.path;
  kept.content = seen.content;
  kept.kept_at = ports_.clock.now();
  kept.origin = self_;
  ports_.worker.compute(
      journal_.lane(),
      [this, path = seen.path, state = *seen.disk, id = kept.id,
       rules = rules_]() -> Result<Published> {
        if (state.type != FileType::kDirectory) return ports_.disk.remove(path, state, id);
        return ports_.disk.remove_directory(path, disposable_by(rules));
      },
      [this, kept, done](const Result<Published>& removed) {
        if (!removed) trouble(kept.path, removed.error().message);
        if (removed && removed->kept) versions_.add(kept);
        intake_.touched(kept.path);
        intake_.look_at(kept.path);
        intake_.flush(done);
      });
}

}  // namespace dagsync
