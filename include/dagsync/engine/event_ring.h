// The newest events, packed: each with strings of its own on the heap, they would take three times
// the room, and stand between what a burst needs for a moment. Loop thread only.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "dagsync/engine/event.h"

namespace dagsync {

class EventRing {
 public:
  explicit EventRing(std::size_t kept) : kept_(kept) {}

  void add(const Event& event);  // its number is that of the last one plus one
  [[nodiscard]] std::uint64_t last() const { return last_; }
  // None: it has not come yet, or is not kept any more.
  [[nodiscard]] std::optional<Event> find(std::uint64_t number) const;

 private:
  static constexpr std::size_t kTexts = 4;  // folder, path, peer, what
  struct Row {
    UnixNanos at;
    Event::Kind kind = Event::Kind::kError;
    std::array<std::uint32_t, kTexts> ends{};  // of each text, in the page's; one follows the other
  };
  struct Page {
    std::vector<Row> rows;
    std::string text;
  };

  std::size_t kept_;
  std::uint64_t last_ = 0;
  std::deque<Page> pages_;  // all full but the last one
};

}  // namespace dagsync
