// The files of the web page (src/http/page), which are built into the binary.
#pragma once

#include <string_view>

namespace dagsync {

// "page.html", "page.css", "page.js", ...; empty for anything else. Lives for ever.
[[nodiscard]] std::string_view page_file(std::string_view name);

}  // namespace dagsync
