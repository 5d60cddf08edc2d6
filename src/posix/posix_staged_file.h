// A file while it is written: in staging under a name, or anonymous.
#pragma once

#include <optional>

#include "posix/staging.h"

namespace dagsync {

class PosixStagedFile final : public StagedFile, public PosixStaged {
 public:
  // `file` is open for writing; `name` is none of an anonymous one, else holds it from now on.
  // Space for `size` bytes is reserved where that is worth a call.
  [[nodiscard]] static Result<std::unique_ptr<StagedFile>> start(UniqueFd file, TempName name,
                                                                 std::uint64_t size,
                                                                 Owners& owners);
  ~PosixStagedFile() override;

  Status append(std::string_view bytes) override;
  Status append_from(ReadFile& source, std::uint64_t offset, std::uint64_t length) override;
  Status finish(const Attributes& attributes) override;
  StagedThing& thing() override { return thing_; }

 private:
  PosixStagedFile(UniqueFd file, TempName name, Owners& owners);
  [[nodiscard]] Status append_by_reading(ReadFile& source, std::uint64_t offset,
                                         std::uint64_t length);
  [[nodiscard]] Status advance(std::uint64_t length);
  [[nodiscard]] Sys<void> complete(const Attributes& attributes);

  Owners& owners_;
  UniqueFd writing_;  // none after finish()
  StagedThing thing_;
  std::uint64_t written_ = 0;
  std::uint64_t written_back_ = 0;
  bool reserved_ = false;
};

}  // namespace dagsync
