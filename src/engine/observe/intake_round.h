// A round of the intake: what it has looked at, and what it found.
#pragma once

#include <cstdint>
#include <set>

#include "dagsync/engine/observe/intake.h"

namespace dagsync {

struct Intake::Round {
  static constexpr Duration kPollInterval = std::chrono::seconds(2);  // of what nobody hints at
  static constexpr std::uint64_t kKeptBytesMost = 64 << 20;           // of small contents

  Batch batch;
  bool whole = false;
  UnixNanos moment;      // when the looks began
  UnixNanos gone_since;  // the moment of deletes that are found by a scan
  std::set<RelPath> hinted;
  std::set<RelPath> looked;
  std::set<std::uint64_t> linked;  // inodes with several names, seen and not followed up
  std::uint64_t kept_bytes = 0;
};

}  // namespace dagsync
