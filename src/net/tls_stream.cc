#include "net/tls_stream.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "dagsync/base/assert.h"
#include "net/tls_error.h"

namespace dagsync {
namespace {

constexpr std::size_t kRecordOverhead = 32;  // header, type and tag of a TLS 1.3 record are 22

}  // namespace

// On the heap, because OpenSSL holds pointers to it.
struct TlsStream::State {
  SslPtr ssl;
  TlsUse use = TlsUse::kNodes;
  std::string expected;    // "" where we accept
  std::string_view input;  // not yet used: of the caller, or of `kept`
  std::string kept;
  std::string output;
  std::optional<Error> refusal;  // why the other end's certificate was not accepted

  static int read_wire(BIO* bio, char* into, int size);
  static int write_wire(BIO* bio, const char* from, int size);
  static const BIO_METHOD* wire();
  static int ssl_index();
  static int check_certificate(int accepted, X509_STORE_CTX* chain);
};

int TlsStream::State::read_wire(BIO* bio, char* into, int size) {
  auto& input = static_cast<State*>(BIO_get_data(bio))->input;
  BIO_clear_retry_flags(bio);
  if (size <= 0) return 0;
  if (input.empty()) {
    BIO_set_retry_read(bio);
    return -1;
  }
  const std::size_t count = std::min(input.size(), static_cast<std::size_t>(size));
  std::memcpy(into, input.data(), count);
  input.remove_prefix(count);
  return static_cast<int>(count);
}

int TlsStream::State::write_wire(BIO* bio, const char* from, int size) {
  BIO_clear_retry_flags(bio);
  if (size <= 0) return 0;
  static_cast<State*>(BIO_get_data(bio))->output.append(from, static_cast<std::size_t>(size));
  return size;
}

const BIO_METHOD* TlsStream::State::wire() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "dagsync wire");
    BIO_meth_set_read(made, read_wire);
    BIO_meth_set_write(made, write_wire);
    BIO_meth_set_ctrl(made, [](BIO*, int command, long, void*) -> long {
      return command == BIO_CTRL_FLUSH ? 1 : 0;
    });
    return made;
  }();
  return method;
}

int TlsStream::State::ssl_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

// Called for each certificate of the chain. The name is checked here, within the handshake, so that
// a wrong server is told so and never sees our certificate.
int TlsStream::State::check_certificate(int accepted, X509_STORE_CTX* chain) {
  const auto* ssl =
      static_cast<SSL*>(X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto* state = static_cast<State*>(SSL_get_ex_data(ssl, ssl_index()));
  const X509* certificate = X509_STORE_CTX_get_current_cert(chain);
  const int depth = X509_STORE_CTX_get_error_depth(chain);
  if (accepted != 1) {
    if (!state->refusal) {
      state->refusal = certificate_error(X509_STORE_CTX_get_error(chain), depth, certificate);
    }
    return 0;
  }
  if (depth != 0 || state->expected.empty()) return 1;
  const auto names = dns_names_of(certificate);
  if (std::find(names.begin(), names.end(), NodeName{state->expected}) != names.end()) return 1;
  state->refusal = Error{ErrorCode::kRefused,
                         "its certificate is for " + list_names(names) + ", not for " +
                             state->expected + ": set the [[peer]] name to one of its names, or " +
                             "issue it a certificate for " + state->expected};
  X509_STORE_CTX_set_error(chain, X509_V_ERR_HOSTNAME_MISMATCH);
  return 0;
}

TlsStream::TlsStream(const TlsContext& context) : state_(std::make_unique<State>()) {
  state_->ssl.reset(SSL_new(context.raw()));
  BIO* bio = BIO_new(State::wire());
  DAGSYNC_ASSERT(state_->ssl != nullptr && bio != nullptr);  // out of memory
  BIO_set_data(bio, state_.get());
  BIO_set_init(bio, 1);
  SSL* ssl = state_->ssl.get();
  SSL_set_bio(ssl, bio, bio);  // owns it now
  SSL_set_ex_data(ssl, State::ssl_index(), state_.get());
  state_->use = context.use();
  if (state_->use == TlsUse::kBrowsers) return;  // which prove nothing
  SSL_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, State::check_certificate);
}

TlsStream::TlsStream(TlsStream&&) noexcept = default;
TlsStream& TlsStream::operator=(TlsStream&&) noexcept = default;
TlsStream::~TlsStream() = default;

TlsStream TlsStream::accept(const TlsContext& context) {
  TlsStream stream(context);
  SSL_set_accept_state(stream.state_->ssl.get());
  return stream;
}

TlsStream TlsStream::dial(const TlsContext& context, const NodeName& expected) {
  TlsStream stream(context);
  stream.state_->expected = lower_case(expected.value);
  DAGSYNC_ASSERT(!expected.value.empty());
  SSL_set_connect_state(stream.state_->ssl.get());
  return stream;
}

void TlsStream::feed(std::string_view wire) {
  if (state_->input.empty()) {
    state_->input = wire;
    return;
  }
  DAGSYNC_ASSERT(!state_->kept.empty());
  std::string joined(state_->input);
  joined += wire;
  state_->kept = std::move(joined);
  state_->input = state_->kept;
}

void TlsStream::keep_input() {
  std::string rest(state_->input);
  state_->kept = std::move(rest);
  state_->input = state_->kept;
}

Result<bool> TlsStream::handshake() {
  ERR_clear_error();
  const int code = SSL_do_handshake(state_->ssl.get());
  if (code == 1) {
    if (const Status good = check_protocol(); !good) return Unexpected(good.error());
    return true;
  }
  if (SSL_get_error(state_->ssl.get(), code) == SSL_ERROR_WANT_READ) return false;
  Error error = take_tls_error();
  return Unexpected(state_->refusal.value_or(std::move(error)));
}

// A client that offers no protocol at all passes OpenSSL.
Status TlsStream::check_protocol() const {
  if (state_->use == TlsUse::kBrowsers) return {};
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(state_->ssl.get(), &name, &size);
  if (std::string_view(reinterpret_cast<const char*>(name), size) == kProtocol) return {};
  return fail(ErrorCode::kRefused,
              "it does not speak dagsync/1: let only dagsync nodes use this address");
}

Result<std::size_t> TlsStream::read(std::span<char> into) {
  if (into.empty() || is_finished()) return 0;
  ERR_clear_error();
  std::size_t count = 0;
  const int code = SSL_read_ex(state_->ssl.get(), into.data(), into.size(), &count);
  if (code == 1) return count;
  const int why = SSL_get_error(state_->ssl.get(), code);
  if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_ZERO_RETURN) return 0;
  Error error = take_tls_error();
  return Unexpected(state_->refusal.value_or(std::move(error)));
}

bool TlsStream::is_finished() const {
  return (SSL_get_shutdown(state_->ssl.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
}

Status TlsStream::write(std::string_view bytes) {
  if (bytes.empty()) return {};
  const std::size_t records = 1 + bytes.size() / SSL3_RT_MAX_PLAIN_LENGTH;
  state_->output.reserve(state_->output.size() + bytes.size() + records * kRecordOverhead);
  ERR_clear_error();
  std::size_t count = 0;
  if (SSL_write_ex(state_->ssl.get(), bytes.data(), bytes.size(), &count) != 1) {
    return Unexpected(take_tls_error());
  }
  DAGSYNC_ASSERT(count == bytes.size());  // the output takes everything
  return {};
}

void TlsStream::write_goodbye() {
  ERR_clear_error();
  SSL_shutdown(state_->ssl.get());
  ERR_clear_error();
}

std::string& TlsStream::output() {
  return state_->output;
}

PeerIdentity TlsStream::identity() const {
  const X509* certificate = SSL_get0_peer_certificate(state_->ssl.get());
  DAGSYNC_ASSERT(certificate != nullptr);
  return PeerIdentity{dns_names_of(certificate), valid_until(certificate), ""};
}

}  // namespace dagsync
