#include "daemon/owner.h"

#include <grp.h>
#include <pwd.h>

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

#include "daemon/rights.h"
#include "dagsync/base/log.h"
#include "dagsync/base/rel_path.h"

namespace dagsync {
namespace {

std::optional<std::uint32_t> number_of(const std::string& text) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && number != kNobody ? std::optional(number) : std::nullopt;
}

Unexpected unknown(const char* what, const std::string& name) {
  return fail(ErrorCode::kNotFound, std::string("[[folder]] owner: this machine has no ") + what +
                                        " " + escape_bytes(name) +
                                        ": create it, or give the number");
}

Result<Owner> look_up(const std::string& owner) {
  const std::size_t colon = owner.find(':');
  const std::string user = owner.substr(0, colon);
  Owner ids;
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

bool is_own_group(std::uint32_t group) {
  if (group == ::getegid()) return true;
  std::vector<gid_t> groups(static_cast<std::size_t>(std::max(0, ::getgroups(0, nullptr))));
  const int count = ::getgroups(static_cast<int>(groups.size()), groups.data());
  groups.resize(static_cast<std::size_t>(std::max(0, count)));
  return std::ranges::find(groups, group) != groups.end();
}

}  // namespace

Result<OwnerRule> owner_rule(const FolderConfig& folder) {
  OwnerRule rule;
  rule.keep = folder.owner.keep;
  rule.may_give = has_right(Right::kChown);
  if (folder.owner.fixed.empty()) return rule;
  const auto ids = look_up(folder.owner.fixed);
  if (!ids) return tl::unexpected(ids.error());
  rule.fixed = *ids;
  return rule;
}

void warn_of_owner(const FolderConfig& folder, const OwnerRule& rule) {
  const bool publishes = folder.mode != FolderMode::kSendOnly;
  const bool is_own =
      !rule.fixed || (rule.fixed->user == ::geteuid() && is_own_group(rule.fixed->group));
  if (rule.may_give || !publishes || (!rule.keep && is_own)) return;
  log::warning(
      "folder {}: owner = \"{}\" needs CAP_CHOWN, which this process lacks: what it publishes will "
      "belong to its own user; give it that right (conf/systemd/any-owner.conf), run it as root, "
      "or "
      "change owner",
      folder.name, rule.keep ? "keep" : escape_bytes(folder.owner.fixed));
}

}  // namespace dagsync
