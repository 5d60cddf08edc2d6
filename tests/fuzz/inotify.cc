// The bytes of inotify. An input is a byte of choices, and then either the bytes themselves or
// events, put together here from small numbers, so that a fuzzer finds names and watches.
#include <sys/inotify.h>

#include <array>
#include <cstring>
#include <set>
#include <utility>

#include "fuzz/fuzz.h"
#include "posix/inotify_events.h"

namespace dagsync {
namespace {

constexpr std::array kWatched = {"", "a", "a/b", "a/b/c", "a.b", "a0", "d"};  // as watches 1, 2, …
constexpr std::array<std::uint32_t, 13> kMasks = {
    IN_CLOSE_WRITE, IN_MODIFY,    IN_ATTRIB,     IN_CREATE,  IN_DELETE,  IN_MOVED_FROM, IN_MOVED_TO,
    IN_DELETE_SELF, IN_MOVE_SELF, IN_Q_OVERFLOW, IN_UNMOUNT, IN_IGNORED, 0xFFFFFFFF};

RelPath path(std::string_view text) {
  return text.empty() ? RelPath() : *RelPath::parse(text);
}

WatchTable make_table() {
  WatchTable table;
  for (std::size_t i = 0; i < kWatched.size(); ++i)
    table.put(WatchId{static_cast<int>(i) + 1}, path(kWatched[i]));
  return table;
}

std::string event_bytes(int watch, std::uint32_t mask, std::string_view name) {
  inotify_event header{};
  header.wd = watch;
  header.mask = mask;
  if (!name.empty()) header.len = static_cast<std::uint32_t>(name.size() / 16 * 16 + 16);
  std::string bytes(sizeof header, '\0');
  std::memcpy(bytes.data(), &header, sizeof header);
  std::string padded(name);
  padded.resize(header.len, '\0');
  return bytes + padded;
}

std::vector<std::string> events_of(FuzzInput& input) {
  std::vector<std::string> events;
  while (!input.empty()) {
    const int watch = input.byte() % static_cast<int>(kWatched.size() + 2);
    const std::uint8_t kind = input.byte();
    const std::uint32_t mask = kMasks[kind % kMasks.size()] | (kind >= 128 ? IN_ISDIR : 0);
    events.push_back(event_bytes(watch, mask, input.take(input.byte() % 8)));
  }
  return events;
}

std::string joined(const std::vector<std::string>& parts) {
  std::string all;
  for (const std::string& part : parts)
    all += part;
  return all;
}

// What is told is about watched directories and names in them, once each; what is given up was
// watched, and is not any more.
void check(const InotifyNews& news, const WatchTable& table) {
  std::set<std::pair<RelPath, bool>> seen;
  const std::set<std::string> watched(kWatched.begin(), kWatched.end());
  for (const Hint& hint : news.hints) {
    DAGSYNC_ASSERT(!hint.path.is_root());
    DAGSYNC_ASSERT(RelPath::parse(hint.path.bytes()).has_value());
    DAGSYNC_ASSERT(watched.contains(hint.path.parent().bytes()) ||
                   watched.contains(hint.path.bytes()));
    DAGSYNC_ASSERT(seen.insert({hint.path, hint.is_directory}).second);
  }
  std::set<int> given_up;
  for (const WatchId watch : news.given_up) {
    DAGSYNC_ASSERT(watch.value >= 1 && watch.value <= static_cast<int>(kWatched.size()));
    DAGSYNC_ASSERT(given_up.insert(watch.value).second);
    DAGSYNC_ASSERT(table.find(watch) == nullptr);
  }
  DAGSYNC_ASSERT(table.size() + given_up.size() <= kWatched.size());
}

// One read for all events, or one for each: the same is heard.
void check_one_by_one(const std::vector<std::string>& events) {
  WatchTable at_once = make_table();
  const InotifyNews all = read_inotify_events(joined(events), at_once);
  WatchTable table = make_table();
  std::vector<Hint> hints;
  bool lost = false;
  bool root_gone = false;
  for (const std::string& event : events) {
    const InotifyNews one = read_inotify_events(event, table);
    for (const Hint& hint : one.hints)
      if (std::find(hints.begin(), hints.end(), hint) == hints.end()) hints.push_back(hint);
    lost |= one.hints_were_lost;
    root_gone |= one.root_gone;
  }
  DAGSYNC_ASSERT(hints == all.hints);
  DAGSYNC_ASSERT(lost == all.hints_were_lost);
  DAGSYNC_ASSERT(root_gone == all.root_gone);
  DAGSYNC_ASSERT(table.size() == at_once.size());
}

}  // namespace

std::vector<std::string> fuzz_seeds() {
  std::string built = "\1";
  for (unsigned kind = 0; kind < kMasks.size(); ++kind)
    for (const unsigned directory : {0u, 130u}) {
      built.push_back(static_cast<char>(1 + kind % 7));
      built.push_back(static_cast<char>(directory == 0 ? kind : directory + kind));
      built += "\2ab";
    }
  return {built, "\1\1\x86\1a\2\3\1f", std::string(1, '\0') + event_bytes(1, IN_CREATE, "new.py"),
          std::string(1, '\0') + event_bytes(2, IN_DELETE | IN_ISDIR, "b") +
              event_bytes(-1, IN_Q_OVERFLOW, "") + event_bytes(1, IN_DELETE_SELF, "")};
}

}  // namespace dagsync

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace dagsync;
  FuzzInput input(data, size);
  const bool built = input.byte() % 2 == 1;
  std::vector<std::string> events;
  if (built) {
    events = events_of(input);
    check_one_by_one(events);
  } else {
    events.emplace_back(input.rest());
  }
  WatchTable table = make_table();
  check(read_inotify_events(joined(events), table), table);
  return 0;
}
