// Errors as every command shows them.
#pragma once

#include <string>
#include <string_view>

#include "dagsync/base/result.h"

namespace dagsync {

// On standard error, "dagsync: " before each line; control characters come escaped.
void print_error(std::string_view message);
inline void print_error(const Error& error) {
  print_error(std::string_view(error.message));
}

// The text with its control characters as \xNN, so that nothing in it can steer a terminal.
[[nodiscard]] std::string without_controls(std::string_view text);

}  // namespace dagsync
