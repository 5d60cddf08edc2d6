#include "net/tcp_socket.h"

#include <memory>
#include <utility>

namespace dagsync {
namespace {

constexpr std::size_t kPiece = 256 << 10;

Error lost(int uv_code) {
  return {ErrorCode::kUnavailable, std::string("the connection broke: ") + uv_strerror(uv_code)};
}

TcpSocket* socket_of(const void* data) {
  return static_cast<TcpSocket*>(const_cast<void*>(data));
}

}  // namespace

struct TcpSocket::WriteRequest {
  uv_write_t request{};
  std::string bytes;
  std::size_t written = 0;  // before the request was made
};

TcpSocket::TcpSocket(TcpHandle handle, std::vector<char>& buffer, User& user)
    : handle_(std::move(handle)), buffer_(buffer), user_(user) {
  handle_.get()->data = this;
}

Status TcpSocket::start_reading() {
  if (!handle_) return {};
  const int code = uv_read_start(handle_.stream(), on_alloc, on_read);
  if (code != 0 && code != UV_EALREADY) return Unexpected(lost(code));
  return {};
}

void TcpSocket::stop_reading() {
  if (handle_) uv_read_stop(handle_.stream());
}

Status TcpSocket::write(std::string& bytes) {
  if (!handle_ || bytes.empty()) {
    bytes.clear();
    return {};
  }
  if (!in_flight_) {
    const auto written = try_write(bytes);
    if (!written) return Unexpected(written.error());
    if (*written < bytes.size()) return submit(std::exchange(bytes, {}), *written);
    bytes.clear();  // and its memory is kept for the next
    return {};
  }
  backlog_bytes_ += bytes.size();
  if (!backlog_.empty() && backlog_.back().size() + bytes.size() <= kPiece) {
    backlog_.back() += bytes;
    bytes.clear();
  } else {
    backlog_.push_back(std::exchange(bytes, {}));
  }
  return {};
}

void TcpSocket::shut_down() {
  shut_down_wanted_ = true;
  if (!in_flight_) shut_down_now();
}

void TcpSocket::close() {
  handle_.close();
  backlog_.clear();
  backlog_bytes_ = 0;
  in_flight_ = false;
}

std::size_t TcpSocket::queued_bytes() const {
  if (!handle_) return 0;
  return backlog_bytes_ + uv_stream_get_write_queue_size(handle_.stream());
}

void TcpSocket::on_alloc(uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
  TcpSocket* self = socket_of(handle->data);
  if (self == nullptr) return;
  *buffer = uv_buf_init(self->buffer_.data(), static_cast<unsigned>(self->buffer_.size()));
}

void TcpSocket::on_read(uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer) {
  TcpSocket* self = socket_of(stream->data);
  if (self == nullptr || count == 0) return;
  if (count == UV_EOF) {
    return self->end({ErrorCode::kUnavailable, "the other end closed the connection"});
  }
  if (count < 0) return self->end(lost(static_cast<int>(count)));
  self->bytes_received_ += static_cast<std::uint64_t>(count);
  self->user_.on_bytes({buffer->base, static_cast<std::size_t>(count)});
}

Result<std::size_t> TcpSocket::try_write(std::string_view bytes) {
  const uv_buf_t buffer =
      uv_buf_init(const_cast<char*>(bytes.data()), static_cast<unsigned>(bytes.size()));
  const int written = uv_try_write(handle_.stream(), &buffer, 1);
  if (written == UV_EAGAIN) return 0;
  if (written < 0) return Unexpected(lost(written));
  bytes_sent_ += static_cast<std::uint64_t>(written);
  return static_cast<std::size_t>(written);
}

Status TcpSocket::submit(std::string bytes, std::size_t written) {
  auto request = std::make_unique<WriteRequest>();
  request->bytes = std::move(bytes);
  request->written = written;
  const uv_buf_t rest = uv_buf_init(request->bytes.data() + written,
                                    static_cast<unsigned>(request->bytes.size() - written));
  const int code = uv_write(&request->request, handle_.stream(), &rest, 1, on_write_done);
  if (code != 0) return Unexpected(lost(code));
  request.release();  // on_write_done frees it, also when the handle is closed before
  in_flight_ = true;
  return {};
}

void TcpSocket::on_write_done(uv_write_t* request, int code) {
  static_assert(offsetof(WriteRequest, request) == 0);
  const std::unique_ptr<WriteRequest> done(reinterpret_cast<WriteRequest*>(request));
  TcpSocket* self = socket_of(request->handle->data);
  if (self == nullptr) return;
  self->in_flight_ = false;
  if (code != 0) return self->end(lost(code));
  self->bytes_sent_ += done->bytes.size() - done->written;
  if (const Status status = self->write_backlog(); !status) return self->end(status.error());
  if (self->shut_down_wanted_ && !self->in_flight_) self->shut_down_now();
  self->user_.on_written();
}

Status TcpSocket::write_backlog() {
  while (!backlog_.empty() && !in_flight_) {
    std::string piece = std::move(backlog_.front());
    backlog_.pop_front();
    backlog_bytes_ -= piece.size();
    const auto written = try_write(piece);
    if (!written) return Unexpected(written.error());
    if (*written == piece.size()) continue;
    if (const Status status = submit(std::move(piece), *written); !status) return status;
  }
  return {};
}

void TcpSocket::shut_down_now() {
  if (!handle_) return;
  auto request = std::make_unique<uv_shutdown_t>();
  // Whether it worked makes no difference: the end of the stream, or a fault, is read.
  const int code = uv_shutdown(request.get(), handle_.stream(), [](uv_shutdown_t* done, int) {
    const std::unique_ptr<uv_shutdown_t> owned(done);
  });
  if (code == 0) request.release();
}

void TcpSocket::end(Error why) {
  close();
  user_.on_end(std::move(why));
}

}  // namespace dagsync
