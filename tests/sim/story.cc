#include "story.h"

#include "dagsync/base/log.h"

namespace dagsync::sim {
namespace {

constexpr std::int64_t kStart = 3'600'000'000'000;  // where virtual time begins
constexpr std::size_t kMostLines = 400;             // of a story

}  // namespace

void Story::tell(MonoNanos at, const std::string& machine, const RelPath& path, std::string what) {
  count(at, lines_.size());
  digest_.update(machine);
  digest_.update(path.bytes());
  digest_.update(what);
  lines_.push_back({at, machine, path, std::move(what)});
}

void Story::count(MonoNanos at, std::uint64_t event) {
  const std::int64_t numbers[2] = {at.value, static_cast<std::int64_t>(event)};
  digest_.update({reinterpret_cast<const char*>(numbers), sizeof numbers});
}

std::string Story::print(const Line& line) {
  return fmt::format("{:12.6f}  {:3} {:14} {}\n", static_cast<double>(line.at.value - kStart) / 1e9,
                     line.machine, line.path.is_root() ? "" : display(line.path), line.what);
}

std::string Story::all() const {
  std::string text;
  for (const Line& line : lines_)
    text += print(line);
  return text;
}

std::string Story::about(const RelPath& path) const {
  std::vector<const Line*> chosen;
  for (const Line& line : lines_) {
    const bool concerns = path.is_root() || line.path.is_root() || line.path == path ||
                          line.path.is_below(path) || path.is_below(line.path);
    if (concerns) chosen.push_back(&line);
  }
  std::string text;
  std::size_t from = 0;
  if (chosen.size() > kMostLines) {
    from = chosen.size() - kMostLines;
    text = fmt::format("({} lines before these)\n", from);
  }
  for (; from < chosen.size(); ++from)
    text += print(*chosen[from]);
  return text;
}

}  // namespace dagsync::sim
