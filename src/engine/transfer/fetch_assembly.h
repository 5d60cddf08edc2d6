// What comes of a content is put together in a staged file. Any thread, one at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "dagsync/base/digest.h"
#include "dagsync/base/result.h"
#include "dagsync/core/messages.h"
#include "dagsync/delta/delta.h"
#include "dagsync/ports/disk.h"

namespace dagsync {

inline constexpr const char* kUnaskedDelta = "a delta came that nobody asked for";

// What a worker fills; the loop thread does not look at it while a job runs.
struct Assembly {
  std::unique_ptr<StagedFile> staged;
  std::unique_ptr<ReadFile> basis;
  std::unique_ptr<Patcher> patcher;  // none: the content comes whole
  DigestStream digest;
  std::uint64_t size = 0;
  std::uint64_t most = 0;

  Status take(std::string_view piece);
  std::function<Status(std::string_view)> sink();
};

[[nodiscard]] Status digest_pieces(Assembly& assembly, const std::vector<Chunk>& pieces);
// kCorrupt where it is not the content that was announced.
[[nodiscard]] Result<std::unique_ptr<Staged>> complete(Assembly& assembly, const Content& content);

}  // namespace dagsync
