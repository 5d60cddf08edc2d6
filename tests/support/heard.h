// What a near end said to its far end, as messages.
#pragma once

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

#include "dagsync/wire/framing.h"
#include "support/fake_transport.h"

namespace dagsync {

// Taken off the far end: the next call tells of what came since.
[[nodiscard]] inline std::vector<Message> take_heard(FarEnd& far) {
  std::vector<Message> messages;
  FrameReader reader;
  reader.trust();
  const Status fed = reader.feed(far.heard, {[&](Message&& message) -> Status {
                                               messages.push_back(std::move(message));
                                               return {};
                                             },
                                             [](const Chunk&) -> Status { return {}; }});
  CHECK(fed.has_value());
  far.heard.clear();
  return messages;
}

template <typename T>
[[nodiscard]] std::optional<T> first_of(const std::vector<Message>& messages) {
  for (const Message& message : messages)
    if (const T* found = std::get_if<T>(&message)) return *found;
  return std::nullopt;
}

[[nodiscard]] inline std::string goodbye_of(FarEnd& far) {
  const auto goodbye = first_of<Goodbye>(take_heard(far));
  return goodbye ? goodbye->reason : "";
}

[[nodiscard]] inline Hello hello_from(const std::string& name) {
  Hello hello;
  hello.name = {name};
  hello.program_version = "1.2";
  return hello;
}

}  // namespace dagsync
