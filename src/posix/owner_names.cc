#include "posix/owner_names.h"

#include <grp.h>
#include <pwd.h>

#include <cerrno>
#include <charconv>
#include <vector>

#include "dagsync/core/record.h"

namespace dagsync {
namespace {

constexpr std::size_t kFirstRoom = 1024;
constexpr std::size_t kMostRoom = 1 << 20;  // a group of very many members

// What getpwnam(3) gives where there is no such name; any other error says that it is not known
// whether there is.
bool is_absence(int error) {
  return error == 0 || error == ENOENT || error == ESRCH || error == EBADF || error == EPERM;
}

// Calls `get(entry, buffer, size, result)`, as those of getpwnam_r's kind want it, and gives what
// `take` makes of the entry.
template <typename Entry, typename Get, typename Take>
auto entry_of(const Get& get, bool& failed, const Take& take) {
  std::optional<decltype(take(Entry{}))> found;
  for (std::vector<char> room(kFirstRoom);; room.resize(2 * room.size())) {
    Entry entry{};
    Entry* result = nullptr;
    const int error = get(&entry, room.data(), room.size(), &result);
    if (error == ERANGE && room.size() < kMostRoom) continue;
    failed = result == nullptr && !is_absence(error);
    if (result != nullptr) found = take(entry);
    return found;
  }
}

std::string name_in(const passwd& entry) {
  return entry.pw_name;
}
std::string name_in(const group& entry) {
  return entry.gr_name;
}

std::optional<std::uint32_t> number_of(const std::string& text) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  // chown(2) takes the last number for "leave it as it is".
  return whole && number != kNobody ? std::optional(number) : std::nullopt;
}

// A name that is a number would be taken for another one's on a machine without it.
std::string name_or_number(const std::string& name, std::uint32_t number) {
  return is_owner(name + ":0") && !number_of(name) ? name : std::to_string(number);
}

}  // namespace

OwnerNames::Source OwnerNames::system() {
  Source source;
  source.user_named = [](const std::string& name, bool& failed) {
    return entry_of<passwd>([&](auto... room) { return ::getpwnam_r(name.c_str(), room...); },
                            failed, [](const passwd& entry) { return entry.pw_uid; });
  };
  source.group_named = [](const std::string& name, bool& failed) {
    return entry_of<group>([&](auto... room) { return ::getgrnam_r(name.c_str(), room...); },
                           failed, [](const group& entry) { return entry.gr_gid; });
  };
  source.name_of_user = [](std::uint32_t user, bool& failed) {
    return entry_of<passwd>([&](auto... room) { return ::getpwuid_r(user, room...); }, failed,
                            [](const passwd& entry) { return name_in(entry); })
        .value_or("");
  };
  source.name_of_group = [](std::uint32_t group_id, bool& failed) {
    return entry_of<group>([&](auto... room) { return ::getgrgid_r(group_id, room...); }, failed,
                           [](const group& entry) { return name_in(entry); })
        .value_or("");
  };
  source.now = [] { return Clock::now(); };
  return source;
}

Shared<std::string> OwnerNames::ask_name(const Owner& ids) const {
  bool no_user = false;
  bool no_group = false;
  const std::string user = source_.name_of_user(ids.user, no_user);
  const std::string group = source_.name_of_group(ids.group, no_group);
  if (no_user || no_group) return {};
  return name_or_number(user, ids.user) + ":" + name_or_number(group, ids.group);
}

std::optional<Owner> OwnerNames::ask_ids(const std::string& owner, bool& failed) const {
  if (!is_owner(owner)) return std::nullopt;
  const std::size_t colon = owner.find(':');
  const std::string user = owner.substr(0, colon);
  const std::string group = owner.substr(colon + 1);
  auto user_id = source_.user_named(user, failed);
  if (failed) return std::nullopt;
  auto group_id = source_.group_named(group, failed);
  if (failed) return std::nullopt;
  if (!user_id) user_id = number_of(user);
  if (!group_id) group_id = number_of(group);
  if (!user_id || !group_id) return std::nullopt;
  return Owner{*user_id, *group_id};
}

Shared<std::string> OwnerNames::name_of(const Owner& ids) {
  const std::lock_guard lock(mutex_);
  const auto now = source_.now();
  const auto held = names_.find(ids);
  if (held != names_.end() && now < held->second.until) return held->second.answer;
  Shared<std::string> name = ask_name(ids);
  if (name->empty()) return held == names_.end() ? name : held->second.answer;
  if (names_.size() >= kMostHeld) names_.clear();
  Held<Shared<std::string>>& fresh = names_[ids];
  if (fresh.answer != name) fresh.answer = name;  // or those who hold it would share no more
  fresh.until = now + kKnownHolds;
  return fresh.answer;
}

std::optional<Owner> OwnerNames::ids_of(const std::string& owner) {
  const std::lock_guard lock(mutex_);
  const auto now = source_.now();
  const auto held = ids_.find(owner);
  if (held != ids_.end() && now < held->second.until) return held->second.answer;
  bool failed = false;
  const std::optional<Owner> ids = ask_ids(owner, failed);
  if (failed && held != ids_.end()) return held->second.answer;
  if (ids_.size() >= kMostHeld) ids_.clear();
  ids_[owner] = {ids, now + (ids ? kKnownHolds : kUnknownHolds)};
  return ids;
}

}  // namespace dagsync
