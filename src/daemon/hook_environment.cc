#include "daemon/hook_environment.h"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "daemon/rights.h"
#include "dagsync/base/rel_path.h"

namespace dagsync {
namespace {

// What the service manager tells the daemon alone, and what names a person.
constexpr std::array<std::string_view, 6> kOfTheDaemon = {
    "NOTIFY_SOCKET=", "WATCHDOG_PID=", "WATCHDOG_USEC=", "LISTEN_PID=", "LISTEN_FDS=", "MAINPID="};
constexpr std::array<std::string_view, 4> kOfThePerson = {"HOME=", "USER=", "LOGNAME=", "SHELL="};

template <std::size_t N>
bool begins_with_one(std::string_view text, const std::array<std::string_view, N>& heads) {
  return std::any_of(heads.begin(), heads.end(),
                     [&](std::string_view head) { return text.starts_with(head); });
}

}  // namespace

Result<HookUser> find_hook_user(const std::string& user) {
  if (user.empty()) return HookUser{};
  const passwd* entry = getpwnam(user.c_str());
  if (entry == nullptr) {
    return fail(ErrorCode::kNotFound, "[[hook]] user: this machine has no user " +
                                          escape_bytes(user) + ": create it, or name another one");
  }
  HookUser found;
  found.name = user;
  found.home = entry->pw_dir;
  if (entry->pw_uid != geteuid() || entry->pw_gid != getegid())
    found.change_to = ProcessPlan::User{entry->pw_uid, entry->pw_gid};
  return found;
}

std::vector<std::string> hook_environment(const HookUser& user) {
  std::vector<std::string> list;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    if (begins_with_one(text, kOfTheDaemon)) continue;
    if (!user.name.empty() && begins_with_one(text, kOfThePerson)) continue;
    list.emplace_back(text);
  }
  if (!user.name.empty()) {
    list.push_back("HOME=" + user.home);
    list.push_back("USER=" + user.name);
    list.push_back("LOGNAME=" + user.name);
  }
  return list;
}

Status check_hook(const HookConfig& hook) {
  const std::string& program = hook.run.front();
  struct stat found {};
  if (stat(program.c_str(), &found) != 0 || !S_ISREG(found.st_mode)) {
    return fail(ErrorCode::kNotFound, "[[hook]] run: there is no program " + escape_bytes(program) +
                                          ": install it, or name another one");
  }
  if ((found.st_mode & 0111) == 0) {
    return fail(ErrorCode::kPermission, "[[hook]] run: " + escape_bytes(program) +
                                            " is not executable: chmod +x it, or run it by its "
                                            "interpreter, e.g. [\"/bin/sh\", \"" +
                                            escape_bytes(program) + "\"]");
  }
  const auto user = find_hook_user(hook.user);
  if (!user) return Unexpected(user.error());
  if (!user->change_to || (has_right(Right::kSetUser) && has_right(Right::kSetGroup))) return {};
  return fail(
      ErrorCode::kPermission,
      "[[hook]] user: the daemon may not become " + escape_bytes(hook.user) +
          ": give it CAP_SETUID and CAP_SETGID (conf/systemd/hooks-as-user.conf), run it as "
          "that user, or leave user out");
}

}  // namespace dagsync
