// Errors of the disk, with the path they concern and, where there is one, the mend.
#pragma once

#include <string>
#include <string_view>

#include "dagsync/base/rel_path.h"
#include "dagsync/base/result.h"

namespace dagsync {

// "<doing> <where>: <text of the error number>: <mend>".
[[nodiscard]] Unexpected fail_at(int error_number, std::string_view doing,
                                 const std::string& where);
[[nodiscard]] inline Unexpected fail_at(int error_number, std::string_view doing,
                                        const RelPath& path) {
  return fail_at(error_number, doing, display(path));
}

}  // namespace dagsync
