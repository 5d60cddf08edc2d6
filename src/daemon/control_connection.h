// One client of the control socket, seen from the server: writes lines, notices when it is gone.
#pragma once

#include <string>
#include <string_view>

#include "daemon/files.h"

namespace dagsync {

// Loop thread only. Shared by the server, which reads, and the reply, which writes.
class ControlConnection {
 public:
  explicit ControlConnection(OwnedFd fd) : fd_(std::move(fd)) {}

  // Writes all of it and a newline, or drops the client.
  void write_line(std::string_view line, int max_stall_ms);
  // Without waiting. False: the line before it is not all written yet, and nothing was done.
  [[nodiscard]] bool offer_line(std::string_view line);
  // Goes on writing what was offered, without waiting; whether nothing is left of it.
  bool flush();
  // Nothing more will be written; the client still gets what was. The server then reads the end.
  void finish();

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] bool is_open() const { return open_; }

 private:
  bool write_some(std::string_view& bytes);

  OwnedFd fd_;
  std::string offered_;  // the rest of it
  bool open_ = true;
};

}  // namespace dagsync
