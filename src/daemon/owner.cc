#include "daemon/owner.h"

#include <grp.h>
#include <pwd.h>

#include <charconv>
#include <optional>

#include "dagsync/base/rel_path.h"

namespace dagsync {
namespace {

std::optional<std::uint32_t> number_of(const std::string& text) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole ? std::optional(number) : std::nullopt;
}

Unexpected unknown(const char* what, const std::string& name) {
  return fail(ErrorCode::kNotFound, std::string("[[folder]] owner: this machine has no ") + what +
                                        " " + escape_bytes(name) +
                                        ": create it, or give the number");
}

}  // namespace

Result<OwnerIds> look_up_owner(const std::string& owner) {
  const std::size_t colon = owner.find(':');
  const std::string user = owner.substr(0, colon);
  OwnerIds ids;
  const passwd* entry = getpwnam(user.c_str());
  if (entry != nullptr) {
    ids = {entry->pw_uid, entry->pw_gid};
  } else if (const auto number = number_of(user)) {
    ids.user = *number;
    if (const passwd* known = getpwuid(*number); known != nullptr) ids.group = known->pw_gid;
  } else {
    return unknown("user", user);
  }
  if (colon == std::string::npos) return ids;
  const std::string group = owner.substr(colon + 1);
  if (const ::group* named = getgrnam(group.c_str()); named != nullptr) {
    ids.group = named->gr_gid;
  } else if (const auto number = number_of(group)) {
    ids.group = *number;
  } else {
    return unknown("group", group);
  }
  return ids;
}

}  // namespace dagsync
