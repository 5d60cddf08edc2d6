// What Prometheus reads at /metrics.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "dagsync/engine/status.h"

namespace dagsync {

// What the node itself does not know.
struct MetricsFacts {
  std::string_view version;
  std::optional<std::uint64_t> watch_limit;          // of the user, fs.inotify.max_user_watches
  std::map<std::string, std::uint64_t> index_bytes;  // on the disk, by folder
};

// In the text format of Prometheus, version 0.0.4. Labels are names of folders, of configured peers
// and of kinds, never paths, so their number does not grow.
[[nodiscard]] std::string metrics_text(const NodeStatus& status, const MetricsFacts& facts);

// fs.inotify.max_user_watches. Nothing where it cannot be read. Reads a file of /proc.
[[nodiscard]] std::optional<std::uint64_t> read_watch_limit();

}  // namespace dagsync
