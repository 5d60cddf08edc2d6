// The users and groups of this machine by name, for owners that travel as "user:group". Asks NSS,
// which may block for long, so answers are held for a while, and one thread asks at a time.
// Thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "dagsync/base/shared.h"

namespace dagsync {

// A user and a group in the numbers of this machine.
struct Owner {
  std::uint32_t user = 0;
  std::uint32_t group = 0;
  auto operator<=>(const Owner&) const = default;
};

class OwnerNames {
 public:
  using Clock = std::chrono::steady_clock;
  // What NSS says; a test puts other answers in. `failed` is set, and the answer means nothing,
  // where it could not be asked.
  struct Source {
    std::function<std::optional<std::uint32_t>(const std::string& name, bool& failed)> user_named;
    std::function<std::optional<std::uint32_t>(const std::string& name, bool& failed)> group_named;
    std::function<std::string(std::uint32_t user, bool& failed)> name_of_user;  // "": it has none
    std::function<std::string(std::uint32_t group, bool& failed)> name_of_group;
    std::function<Clock::time_point()> now;
  };
  OwnerNames() : OwnerNames(system()) {}
  explicit OwnerNames(Source source) : source_(std::move(source)) {}

  // "user:group", each by name, or by number where this machine has no name for it. "" where it
  // cannot be asked now.
  [[nodiscard]] Shared<std::string> name_of(const Owner& ids);
  // None where this machine knows no such user or group.
  [[nodiscard]] std::optional<Owner> ids_of(const std::string& owner);

  // An unknown name may have been made meanwhile, a known one be another's.
  static constexpr Clock::duration kUnknownHolds = std::chrono::seconds(5);
  static constexpr Clock::duration kKnownHolds = std::chrono::minutes(1);

 private:
  template <typename Answer>
  struct Held {
    Answer answer;
    Clock::time_point until;
  };
  static constexpr std::size_t kMostHeld = 1024;

  [[nodiscard]] static Source system();
  [[nodiscard]] Shared<std::string> ask_name(const Owner& ids) const;
  [[nodiscard]] std::optional<Owner> ask_ids(const std::string& owner, bool& failed) const;

  const Source source_;
  std::mutex mutex_;
  std::map<Owner, Held<Shared<std::string>>> names_;       // under mutex_
  std::map<std::string, Held<std::optional<Owner>>> ids_;  // under mutex_
};

}  // namespace dagsync
