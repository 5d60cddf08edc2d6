// The names under which publishing keeps something between two system calls.
//
// A rename that exchanges puts the old content under a name of ours. If the process dies before the
// next step, whoever finds that name must tell whether it still holds what was staged, which may
// go, or already what somebody wrote, which must be kept. So the name itself says which inode was
// staged, and as which kept version anything else goes on.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "dagsync/ports/disk.h"

namespace dagsync {

struct SwapName {
  KeptId id;
  std::uint64_t inode = 0;  // of what was staged; 0: unknown, or nothing was
  bool operator==(const SwapName&) const = default;
};

[[nodiscard]] std::string to_string(const SwapName& name);
[[nodiscard]] std::optional<SwapName> parse_swap_name(std::string_view text);

// Such names within the folder have this in front; the built-in ignores know it.
inline constexpr std::string_view kStrayPrefix = ".dagsync-";

}  // namespace dagsync
