// A regular file opened for reading.
#pragma once

#include <string>

#include "dagsync/ports/disk.h"
#include "posix/unique_fd.h"

namespace dagsync {

class PosixReadFile final : public ReadFile {
 public:
  PosixReadFile(UniqueFd file, std::string name) : file_(std::move(file)), name_(std::move(name)) {}

  Result<DiskState> state() override;
  Result<std::size_t> read(std::uint64_t offset, std::span<char> buffer) override;
  WriterCheck check_writer() override;
  [[nodiscard]] int fd() const { return file_.get(); }

 private:
  UniqueFd file_;
  std::string name_;  // for errors
};

}  // namespace dagsync
