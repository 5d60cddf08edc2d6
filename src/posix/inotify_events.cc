// Events name a watch, not a path, and tell of the past: when one is read, the directory behind its
// watch may have another name. The kernel keeps the order, so it is enough to forget the watches
// below a directory when the event of its move or removal comes by: what it did under the new name
// is found when the owner, after our hint, watches and lists it anew. The alternative, to follow a
// move by its cookie and rename the paths, saves the listing but has to guess when the two halves
// of a move come apart, or when the new parent is not watched yet.
#include "posix/inotify_events.h"

#include <sys/inotify.h>

#include <cstdint>
#include <cstring>
#include <unordered_set>
#include <utility>

#include "dagsync/base/log.h"

namespace dagsync {
namespace {

struct Event {
  WatchId watch;
  std::uint32_t mask = 0;
  std::string_view name;  // "": of the watched directory itself

  [[nodiscard]] bool has(std::uint32_t bits) const { return (mask & bits) != 0; }
  [[nodiscard]] bool is_departure_of_directory() const {
    return has(IN_ISDIR) && has(IN_MOVED_FROM | IN_DELETE);
  }
  [[nodiscard]] bool is_end_of_itself() const {
    return has(IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT);
  }
};

// Takes the next event off `bytes`; false where they do not hold a whole one.
bool take_event(std::string_view& bytes, Event& event) {
  inotify_event header{};
  if (bytes.size() < sizeof header) return false;
  std::memcpy(&header, bytes.data(), sizeof header);
  bytes.remove_prefix(sizeof header);
  if (header.len > bytes.size()) return false;
  const std::string_view padded = bytes.substr(0, header.len);
  bytes.remove_prefix(header.len);
  event = {WatchId{header.wd}, header.mask, padded.substr(0, padded.find('\0'))};
  return true;
}

class Reading {
 public:
  explicit Reading(WatchTable& table) : table_(table) {}

  void take_in(const Event& event) {
    if (event.has(IN_Q_OVERFLOW)) news_.hints_were_lost = true;
    const RelPath* known = table_.find(event.watch);
    if (known == nullptr) return;  // of a watch that was given up before this was read
    const RelPath directory = *known;
    if (directory.is_root() && event.is_end_of_itself()) {
      news_.root_gone = true;
    } else if (event.has(IN_IGNORED)) {
      table_.erase(event.watch);
    } else if (!event.name.empty()) {
      take_in_name(event, directory);
    } else if (event.has(IN_ATTRIB) && !directory.is_root()) {
      hint(directory, true);
    }
  }
  void lose_hints() { news_.hints_were_lost = true; }
  [[nodiscard]] InotifyNews finish() { return std::move(news_); }

 private:
  void take_in_name(const Event& event, const RelPath& directory) {
    Result<RelPath> path = directory.child(event.name);
    if (!path) return log::warning("not watched: {}", path.error().message);
    if (event.is_departure_of_directory()) {
      const std::vector<WatchId> taken = table_.take(*path);
      news_.given_up.insert(news_.given_up.end(), taken.begin(), taken.end());
    }
    hint(std::move(*path), event.has(IN_ISDIR));
  }
  void hint(RelPath path, bool is_directory) {
    if (!(is_directory ? directories_ : files_).insert(path).second) return;
    news_.hints.push_back(Hint{std::move(path), is_directory});
  }

  WatchTable& table_;
  InotifyNews news_;
  std::unordered_set<RelPath> files_, directories_;  // those in the hints
};

}  // namespace

InotifyNews read_inotify_events(std::string_view bytes, WatchTable& table) {
  Reading reading(table);
  Event event;
  while (!bytes.empty()) {
    if (!take_event(bytes, event)) {
      reading.lose_hints();
      break;
    }
    reading.take_in(event);
  }
  return reading.finish();
}

}  // namespace dagsync
