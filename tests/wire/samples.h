// Messages to try the wire format with.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "dagsync/core/messages.h"

namespace dagsync::test {

using Random = std::mt19937_64;

[[nodiscard]] RelPath path(std::string_view bytes);
[[nodiscard]] AuthorId author(std::string name, std::uint64_t epoch);
[[nodiscard]] Digest digest(std::uint8_t first);

// A change of a file, valid in every field.
[[nodiscard]] Change file_change(std::string_view name = "dags/etl.py");
[[nodiscard]] Announce announce(Change change);

// One of each kind, the same in every run.
[[nodiscard]] std::vector<Message> one_of_each();

// Any valid message: extreme numbers, strange bytes, all kinds.
[[nodiscard]] Message random_message(Random& random);

}  // namespace dagsync::test
