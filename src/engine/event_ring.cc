#include "dagsync/engine/event_ring.h"

#include <string_view>
#include <utility>

#include "dagsync/base/assert.h"

namespace dagsync {
namespace {

constexpr std::size_t kRowsOfAPage = 256;

}  // namespace

void EventRing::add(const Event& event) {
  if (pages_.empty() || pages_.back().rows.size() == kRowsOfAPage) {
    if (!pages_.empty()) pages_.back().text.shrink_to_fit();
    pages_.emplace_back().rows.reserve(kRowsOfAPage);
  }
  auto& [rows, text] = pages_.back();
  Row row{event.at, event.kind, {}};
  std::size_t index = 0;
  for (const std::string* part : {&event.folder, &event.path.bytes(), &event.peer, &event.what}) {
    text += *part;
    row.ends[index++] = static_cast<std::uint32_t>(text.size());
  }
  rows.push_back(row);
  ++last_;
  if ((pages_.size() - 1) * kRowsOfAPage + rows.size() >= kept_ + kRowsOfAPage) pages_.pop_front();
}

std::optional<Event> EventRing::find(std::uint64_t number) const {
  if (number > last_ || number + kept_ <= last_ || number == 0) return std::nullopt;
  const std::size_t from_the_end = static_cast<std::size_t>(last_ - number);
  const std::size_t in_last = pages_.back().rows.size();
  const std::size_t all = (pages_.size() - 1) * kRowsOfAPage + in_last;
  const std::size_t index = all - 1 - from_the_end;
  const Page& page = pages_[index / kRowsOfAPage];
  const std::size_t in_page = index % kRowsOfAPage;
  const Row& row = page.rows[in_page];
  std::uint32_t begin = in_page == 0 ? 0 : page.rows[in_page - 1].ends.back();
  const auto next = [&](std::uint32_t end) {
    const std::string_view part = std::string_view(page.text).substr(begin, end - begin);
    begin = end;
    return part;
  };
  Event event;
  event.number = number;
  event.at = row.at;
  event.kind = row.kind;
  event.folder = next(row.ends[0]);
  if (const std::string_view bytes = next(row.ends[1]); !bytes.empty()) {
    auto path = RelPath::parse(bytes);
    DAGSYNC_ASSERT(path.has_value());  // it was one
    event.path = std::move(*path);
  }
  event.peer = next(row.ends[2]);
  event.what = next(row.ends[3]);
  return event;
}

}  // namespace dagsync
