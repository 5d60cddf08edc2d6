#include "net/foreign_client.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <memory>

#include "net/address.h"
#include "net/certificate.h"

namespace dagsync::test {
namespace {

int connect_to(const std::string& address) {
  const auto to = numeric_address(*parse_host_port(address));
  const int fd = ::socket(to->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval limit{20, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  if (::connect(fd, to->raw(), sizeof(sockaddr_in)) != 0) std::abort();
  return fd;
}

SslCtxPtr make_context(const ForeignOptions& options) {
  SslCtxPtr context(SSL_CTX_new(TLS_client_method()));
  SSL_CTX_set_min_proto_version(context.get(), options.tls_version);
  SSL_CTX_set_max_proto_version(context.get(), options.tls_version);
  if (!options.protocol.empty()) {
    std::string offered(1, static_cast<char>(options.protocol.size()));
    offered += options.protocol;
    SSL_CTX_set_alpn_protos(context.get(), reinterpret_cast<const unsigned char*>(offered.data()),
                            static_cast<unsigned>(offered.size()));
  }
  if (options.certificate) {
    SSL_CTX_use_certificate_file(context.get(), options.certificate->cert.c_str(),
                                 SSL_FILETYPE_PEM);
    SSL_CTX_use_PrivateKey_file(context.get(), options.certificate->key.c_str(), SSL_FILETYPE_PEM);
  }
  return context;
}

}  // namespace

ForeignClient::ForeignClient(const std::string& address, const ForeignOptions& options)
    : thread_([this, address, options] { run(address, options); }) {}

ForeignClient::~ForeignClient() {
  thread_.join();
}

void ForeignClient::run(const std::string& address, const ForeignOptions& options) {
  const auto began = std::chrono::steady_clock::now();
  const SslCtxPtr context = make_context(options);
  const int fd = connect_to(address);
  {
    const SslPtr ssl(SSL_new(context.get()));
    SSL_set_fd(ssl.get(), fd);
    shook_hands_ = SSL_connect(ssl.get()) == 1;
    std::array<char, 4096> buffer{};
    int count = 0;
    while (shook_hands_ && (count = SSL_read(ssl.get(), buffer.data(), buffer.size())) > 0) {
      bytes_ += count;
    }
    goodbye_ = shook_hands_ && SSL_get_error(ssl.get(), count) == SSL_ERROR_ZERO_RETURN;
    while (::recv(fd, buffer.data(), buffer.size(), 0) > 0) {
    }
    ERR_clear_error();
  }
  took_ = std::chrono::steady_clock::now() - began;
  ::close(fd);
  done_ = true;
}

}  // namespace dagsync::test
