// The capabilities that this process has.
#pragma once

namespace dagsync {

// With the numbers of capabilities(7).
enum class Right { kChown = 0, kSetGroup = 6, kSetUser = 7 };

// Whether it is in force; false where the kernel does not say.
[[nodiscard]] bool has_right(Right right);

// Programs that are started from now on inherit none of them (unless they are run as root).
void keep_rights_to_ourselves();

}  // namespace dagsync
