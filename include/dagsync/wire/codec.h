// Messages as bytes and back. FORMAT.md beside the code describes them. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "dagsync/base/result.h"
#include "dagsync/core/messages.h"

namespace dagsync {

// Further limits of one message, beside those of core/messages.h.
inline constexpr std::size_t kMaxFolderNameBytes = 255;
inline constexpr std::size_t kMaxConnectedNodes = 1024;           // in one Tell
inline constexpr std::size_t kMaxMessageAuthors = 4096;           // distinct ones
inline constexpr std::size_t kMaxMessageVectorEntries = 1 << 18;  // of all its vectors together
inline constexpr Sequence kMaxSequence = INT64_MAX;               // so that the next one exists

// The caller keeps to the limits: a message beyond them is refused by whoever receives it. Texts
// for people (reasons, errors, versions) are cut at kMaxTextBytes. An author without any sequence
// in a Knowledge says nothing and is left out.
[[nodiscard]] std::string encode(const Message& message);

// From untrusted bytes. kInvalid where anything breaks the format, a limit or the meaning of a
// field; kUnsupported for a kind of message that a later minor version brought: to be skipped.
// What it returns may be believed in form: paths stay inside the folder, kinds and modes are known
// ones, sequences are above 0 and have a next one, times are within kFarthestMoment, a record has
// seen its own origin.
[[nodiscard]] Result<Message> decode(std::string_view bytes);

// At least as many bytes as this item adds to an encoded Announce, for filling messages up to
// kMaxMessageBytes. An empty Announce takes less than kAnnounceOverhead.
[[nodiscard]] std::size_t encoded_bound(const Announce::Item& item);
[[nodiscard]] std::size_t encoded_bound(const Change& change);  // of an item without a content
inline constexpr std::size_t kAnnounceOverhead = 1024;

}  // namespace dagsync
