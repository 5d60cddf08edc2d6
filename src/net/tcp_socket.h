// A connected TCP stream with its queue of bytes to write. Loop thread only.
#pragma once

#include <uv.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "dagsync/base/result.h"
#include "net/uv_handle.h"

namespace dagsync {

using TcpHandle = UvHandle<uv_tcp_t>;

// Writes go to the kernel at once; only what it does not take is queued. The queue has no limit of
// its own: the caller looks at queued_bytes(). The user may destroy the socket in its callbacks.
class TcpSocket {
 public:
  class User {
   public:
    virtual void on_bytes(std::string_view bytes) = 0;  // valid during the call
    virtual void on_written() = 0;                      // the queue became shorter
    virtual void on_end(Error why) = 0;                 // end of stream, or a fault; called once

   protected:
    ~User() = default;
  };

  // Takes a connected handle. Reads into `buffer`, which sockets of one loop may share.
  TcpSocket(TcpHandle handle, std::vector<char>& buffer, User& user);
  ~TcpSocket() = default;
  TcpSocket(const TcpSocket&) = delete;
  TcpSocket& operator=(const TcpSocket&) = delete;

  [[nodiscard]] Status start_reading();
  void stop_reading();
  // Takes all of `bytes` and leaves it empty. A fault is returned, and on_end is then not called
  // from here.
  [[nodiscard]] Status write(std::string& bytes);
  void shut_down();  // ends our direction once everything is written
  void close();      // at once; no callback follows

  [[nodiscard]] std::size_t queued_bytes() const;
  [[nodiscard]] std::uint64_t bytes_sent() const { return bytes_sent_; }  // taken by the kernel
  [[nodiscard]] std::uint64_t bytes_received() const { return bytes_received_; }

 private:
  struct WriteRequest;

  static void on_alloc(uv_handle_t* handle, std::size_t, uv_buf_t* buffer);
  static void on_read(uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer);
  static void on_write_done(uv_write_t* request, int code);
  Result<std::size_t> try_write(std::string_view bytes);
  Status submit(std::string bytes, std::size_t written);
  Status write_backlog();
  void shut_down_now();
  void end(Error why);

  TcpHandle handle_;
  std::vector<char>& buffer_;
  User& user_;
  bool in_flight_ = false;           // one write request at a time, so that each end is noticed
  std::deque<std::string> backlog_;  // what waits for it, in pieces of about kPiece
  std::size_t backlog_bytes_ = 0;
  bool shut_down_wanted_ = false;
  std::uint64_t bytes_sent_ = 0;
  std::uint64_t bytes_received_ = 0;
};

}  // namespace dagsync
