// Ignore rules: any text makes rules, and they agree with themselves. An input is a piece that
// becomes .dagsyncignore, a piece for the configured lines, and then paths, with NULs between.
#include "dagsync/core/ignore.h"

#include "fuzz/fuzz.h"

namespace dagsync {
namespace {

constexpr std::size_t kMostPaths = 50;

void check(const IgnoreRules& rules, const RelPath& path) {
  for (const bool is_directory : {false, true}) {
    const bool ignored = rules.ignores(path, is_directory);
    DAGSYNC_ASSERT(ignored || !rules.is_built_in_ignored(path, is_directory));
    DAGSYNC_ASSERT(ignored || !path.name().starts_with(".dagsync-"));
    for (RelPath above = path.parent(); !above.is_root(); above = above.parent())
      DAGSYNC_ASSERT(ignored || !rules.ignores(above, true));
  }
  // Nothing below an ignored directory can be taken back.
  const Result<RelPath> child = path.child("child.py");
  if (child && rules.ignores(path, true)) DAGSYNC_ASSERT(rules.ignores(*child, false));
}

}  // namespace

std::vector<std::string> fuzz_seeds() {
  const std::string paths = std::string("a") + '\0' + "a/b/c.py" + '\0' + "logs/x.log" + '\0' +
                            "data/__pycache__/a.pyc" + '\0' + "x y\\z" + '\0' + ".dagsync-1";
  std::vector<std::string> seeds;
  for (const char* text : {"# a comment\n*.log\n!keep.log\n/build/\ndocs/**/*.txt\n",
                           "a/**\n**/b\na/**/b\n\\#x\n", "[a-z0-9_]*.p[!y]\n[[:alpha:]]?\n[]-]x\n",
                           "\xEF\xBB\xBF"
                           "x\r\n y\\ \n",
                           "!*.pyc\n*\n!*/\n", "****/x\\/**\\/y\n[\n\\\n"}) {
    seeds.push_back(fuzz_piece(text) + fuzz_piece("logs/") + paths);
    seeds.push_back(fuzz_piece("*.txt\n") + fuzz_piece(text) + paths);
  }
  return seeds;
}

}  // namespace dagsync

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace dagsync;
  FuzzInput input(data, size);
  const std::string_view text = input.piece();
  const std::string configured(input.piece());
  const IgnoreRules rules({configured, "x*"}, text);
  std::string_view paths = input.rest();
  for (std::size_t i = 0; i < kMostPaths && !paths.empty(); ++i) {
    const std::size_t end = std::min(paths.find('\0'), paths.size());
    const Result<RelPath> path = RelPath::parse(paths.substr(0, end));
    paths.remove_prefix(std::min(end + 1, paths.size()));
    if (path && !path->is_root()) check(rules, *path);
  }
  return 0;
}
