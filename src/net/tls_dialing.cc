#include "net/tls_dialing.h"

#include <algorithm>
#include <utility>

#include "dagsync/base/assert.h"

namespace dagsync {
namespace {

std::string in_milliseconds(Duration time) {
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(time).count()) +
         " ms";
}

Error cannot_connect(int code) {
  std::string mend;
  if (code == UV_ECONNREFUSED) mend = ": is dagsync running there, and listening on this address?";
  if (code == UV_EHOSTUNREACH || code == UV_ENETUNREACH) mend = ": is this the right address?";
  return {ErrorCode::kUnavailable, uv_strerror(code) + mend};
}

// The one that tells most decides the kind: somebody was there and was the wrong one.
Error join(const std::vector<Error>& errors) {
  Error joined = errors.front();
  for (std::size_t i = 1; i < errors.size(); ++i) {
    if (errors[i].code == ErrorCode::kRefused) joined.code = ErrorCode::kRefused;
    joined.message += "; " + errors[i].message;
  }
  return joined;
}

}  // namespace

TlsDialing::TlsDialing(std::shared_ptr<TlsRuntime> runtime, const std::string& address,
                       NodeName expected, Transport::OnDialed on_dialed)
    : runtime_(std::move(runtime)),
      wanted_(address),
      expected_(std::move(expected)),
      on_dialed_(std::move(on_dialed)) {
  const auto parsed = parse_host_port(address);
  if (!parsed) {
    limit_ =
        runtime_->clock.after(Duration(0), [this, why = parsed.error()] { done(Unexpected(why)); });
    return;
  }
  limit_ = runtime_->clock.after(runtime_->limits.handshake, [this] { on_limit(); });
  lookup_ = std::make_unique<Lookup>(runtime_->loop, runtime_->resolve, *parsed,
                                     [this](Result<std::vector<SocketAddress>> found) {
                                       if (!found) return done(Unexpected(found.error()));
                                       addresses_ = std::move(*found);
                                       try_next();
                                     });
}

TlsDialing::~TlsDialing() {
  runtime_->clock.cancel(limit_);
  runtime_->clock.cancel(connect_limit_);
}

void TlsDialing::try_next() {
  while (next_ < addresses_.size()) {
    trying_ = to_string(addresses_[next_]);
    ++next_;
    const int code = connect();
    if (code == 0) return;
    errors_.push_back(cannot_connect(code).with_context(trying_));
  }
  DAGSYNC_ASSERT(!errors_.empty());
  done(Unexpected(join(errors_)));
}

int TlsDialing::connect() {
  int code =
      tcp_.open([this](uv_tcp_t* handle) { return uv_tcp_init(runtime_->loop.raw(), handle); });
  if (code != 0) return code;
  tcp_.get()->data = this;
  auto request = std::make_unique<uv_connect_t>();
  code = uv_tcp_connect(request.get(), tcp_.get(), addresses_[next_ - 1].raw(),
                        [](uv_connect_t* made, int status) {
                          const std::unique_ptr<uv_connect_t> owned(made);
                          auto* self = static_cast<TlsDialing*>(made->handle->data);
                          if (self != nullptr) self->on_connected(status);
                        });
  if (code != 0) return code;
  request.release();  // the callback frees it, also when the handle is closed before
  connect_limit_ = runtime_->clock.after(runtime_->limits.connect, [this] { on_connect_limit(); });
  return 0;
}

void TlsDialing::on_connected(int code) {
  runtime_->clock.cancel(std::exchange(connect_limit_, {}));
  if (code != 0) return failed(cannot_connect(code));
  uv_tcp_nodelay(tcp_.get(), 1);
  shake_hands();
}

void TlsDialing::shake_hands() {
  connection_ = std::make_unique<TlsConnection>(
      runtime_, std::move(tcp_), TlsStream::dial(*runtime_->context, expected_), trying_,
      [this](const Status& status) { on_ready(status); });
  if (const Status begun = connection_->begin(); !begun) {
    connection_.reset();
    failed(begun.error());
  }
}

void TlsDialing::on_ready(const Status& status) {
  // Not destroyed before the end of this call, which the connection makes.
  std::unique_ptr<TlsConnection> connection = std::move(connection_);
  if (!status) return failed(status.error());
  done(std::move(connection));
}

void TlsDialing::on_connect_limit() {
  connect_limit_ = {};
  tcp_.close();
  failed({ErrorCode::kUnavailable, "no answer within " + in_milliseconds(runtime_->limits.connect) +
                                       ": is the host up, and does a firewall drop this port?"});
}

void TlsDialing::on_limit() {
  limit_ = {};
  const std::string where = trying_.empty() ? wanted_ : trying_;
  const std::string what = trying_.empty() ? "its name could not be looked up" : "no handshake";
  errors_.push_back(Error{ErrorCode::kUnavailable,
                          what + " within " + in_milliseconds(runtime_->limits.handshake) +
                              ": is it a dagsync node, and not overloaded?"}
                        .with_context(where));
  done(Unexpected(join(errors_)));
}

void TlsDialing::failed(Error why) {
  tcp_.close();
  errors_.push_back(why.with_context(trying_));
  try_next();
}

void TlsDialing::done(Result<std::unique_ptr<Connection>> outcome) {
  runtime_->clock.cancel(std::exchange(limit_, {}));
  runtime_->clock.cancel(std::exchange(connect_limit_, {}));
  lookup_.reset();
  tcp_.close();
  connection_.reset();
  const Transport::OnDialed call = std::exchange(on_dialed_, nullptr);
  call(std::move(outcome));  // may destroy this
}

}  // namespace dagsync
