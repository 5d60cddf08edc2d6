// Run by the build: writes a manual page or a shell's completions to standard output.
//   dagsync-docs bash|zsh|fish
//   dagsync-docs man1 TEMPLATE
//   dagsync-docs man5 TEMPLATE SAMPLE
#include <cstdio>
#include <string>
#include <vector>

#include "cli/completions.h"
#include "cli/manual.h"
#include "daemon/files.h"
#include "daemon/print_error.h"
#include "daemon/version.h"

namespace dagsync {
namespace {

constexpr std::size_t kMaxInput = 1 << 20;

Result<std::string> make_text(const std::vector<std::string>& arguments) {
  const std::string kind = arguments.empty() ? "" : arguments.front();
  std::vector<std::string> texts;
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    auto text = read_small_file(arguments[i], kMaxInput);
    if (!text) return Unexpected(text.error());
    texts.push_back(std::move(*text));
  }
  if (kind == "man1" && texts.size() == 1) {
    return fill_command_page(texts[0], command_tree(), dagsync_version());
  }
  if (kind == "man5" && texts.size() == 2) {
    return fill_config_page(texts[0], texts[1], dagsync_version());
  }
  if (const auto script = completions_for(kind, command_tree()); script && texts.empty()) {
    return *script;
  }
  return fail(ErrorCode::kInvalid, "nothing is made of these arguments: see docs_main.cc");
}

}  // namespace
}  // namespace dagsync

int main(int argc, char** argv) {
  const auto text = dagsync::make_text({argv + 1, argv + argc});
  if (!text) {
    dagsync::print_error(text.error());
    return 1;
  }
  return std::fwrite(text->data(), 1, text->size(), stdout) == text->size() ? 0 : 1;
}
