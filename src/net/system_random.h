// The Random port of a real node: the kernel's.
#pragma once

#include "dagsync/ports/clock.h"

namespace dagsync {

class SystemRandom final : public Random {
 public:
  [[nodiscard]] std::uint64_t next() override;
};

}  // namespace dagsync
