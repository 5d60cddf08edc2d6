#include "posix/owners.h"

#include <fcntl.h>
#include <unistd.h>

#include "dagsync/base/log.h"

namespace dagsync {

Sys<Gave> give(int fd, const OwnerOrder& order) {
  if (!order.ids) return order.name->empty() ? Gave::kNothing : Gave::kUnknown;
  if (::fchownat(fd, "", order.ids->user, order.ids->group, AT_EMPTY_PATH) == 0) return Gave::kDone;
  // EINVAL: a number that this user namespace does not have.
  if (errno == EPERM || is_unsupported(errno)) return Gave::kRefused;
  return sys_error();
}

Sys<Gave> give(int fd, const OwnerOrder& order, const DiskState& state) {
  if (order.ids && *order.ids == Owner{state.user, state.group}) return Gave::kDone;
  const auto gave = give(fd, order);
  // Not left to the one from whom it was taken. Best effort: without the right it stays his.
  if (gave && *gave == Gave::kUnknown && state.user != ::geteuid()) {
    const OwnerOrder to_us{{}, Owner{::geteuid(), ::getegid()}};
    [[maybe_unused]] const auto ignored = give(fd, to_us);
  }
  return gave;
}

Owners::Owners(OwnerRule rule) : rule_(std::move(rule)), self_(::geteuid()) {}

OwnerOrder Owners::for_new(const Shared<std::string>& recorded) {
  if (rule_.keep) return for_standing(recorded);
  if (!rule_.fixed) return {};
  return {names_.name_of(*rule_.fixed), rule_.fixed};
}

OwnerOrder Owners::for_standing(const Shared<std::string>& recorded) {
  if (!rule_.keep || recorded->empty()) return {};
  return {recorded, names_.ids_of(*recorded)};
}

Disk::Owned Owners::owner_of(const RelPath& path, const DiskState& state,
                             const Shared<std::string>& recorded) {
  const Owner ids{state.user, state.group};
  if (!rule_.keep) {
    if (rule_.fixed == ids) gone(path);
    return {recorded, false};
  }
  if (!recorded->empty()) {
    const auto should = names_.ids_of(*recorded);
    if (should == ids) {
      gone(path);
      return {recorded, false};
    }
    if (was_refused(path, recorded, ids)) return {recorded, true};
    if ((!should || !rule_.may_give) && state.user == self_) {
      note(path, should ? Gave::kRefused : Gave::kUnknown, recorded, state);
      return {recorded, true};
    }
  }
  gone(path);
  Shared<std::string> name = names_.name_of(ids);
  return {name->empty() ? recorded : std::move(name), false};
}

// Nobody has given it to another one since: to whom it belongs now is no person's choice.
bool Owners::was_refused(const RelPath& path, const Shared<std::string>& recorded,
                         const Owner& stands) const {
  const std::lock_guard lock(mutex_);
  const auto it = not_given_.find(path);
  return it != not_given_.end() && it->second.gave == Gave::kRefused &&
         *it->second.name == *recorded && it->second.stands == stands;
}

void Owners::note(const RelPath& path, Gave gave, const Shared<std::string>& name,
                  const DiskState& now) {
  if (gave == Gave::kNothing || gave == Gave::kDone) return gone(path);
  const std::lock_guard lock(mutex_);
  if (not_given_.size() >= kMostNoted && !not_given_.contains(path)) return;
  const Owner stands{now.user, now.group};
  const bool is_new = not_given_.insert_or_assign(path, NotGiven{gave, name, stands}).second;
  if (is_new && not_given_.size() == 1)
    log::warning("{}: it does not belong to {}, whom it should", display(path),
                 escape_bytes(*name));
}

void Owners::gone(const RelPath& path) {
  const std::lock_guard lock(mutex_);
  if (!not_given_.empty()) not_given_.erase(path);
}

std::string Owners::degraded() const {
  const std::lock_guard lock(mutex_);
  std::string text = describe(Gave::kUnknown);
  const std::string refused = describe(Gave::kRefused);
  if (!text.empty() && !refused.empty()) text += "; ";
  return text + refused;
}

std::string Owners::describe(Gave gave) const {
  std::size_t count = 0;
  const std::pair<const RelPath, NotGiven>* first = nullptr;
  for (const auto& each : not_given_) {
    if (each.second.gave != gave) continue;
    if (first == nullptr) first = &each;
    ++count;
  }
  if (first == nullptr) return "";
  const std::string name = escape_bytes(*first->second.name);
  const char* why = "whom this machine does not know: create that user and group";
  if (gave == Gave::kRefused) {
    why = rule_.may_give
              ? "to whom the file system, or the user namespace, lets nobody give them: put the "
                "folder elsewhere"
              : "whom the daemon may not give them to: let it have CAP_CHOWN "
                "(conf/systemd/any-owner.conf)";
  }
  const char* then = rule_.keep ? "dagsync verify --repair" : "chown";
  return fmt::format(
      "{}{} path(s), {} for one, do not belong to {}, {}, or set another [[folder]] owner; then "
      "`{}` mends them",
      count >= kMostNoted ? "at least " : "", count, display(first->first), name, why, then);
}

}  // namespace dagsync
