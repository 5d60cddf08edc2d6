// What dagsync reads out of an X.509 certificate. Thread-safe.
#pragma once

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <vector>

#include "dagsync/base/time.h"
#include "dagsync/core/names.h"

namespace dagsync {

template <auto kFree>
struct OpensslFree {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using X509Ptr = std::unique_ptr<X509, OpensslFree<X509_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, OpensslFree<EVP_PKEY_free>>;
using BioPtr = std::unique_ptr<BIO, OpensslFree<BIO_free_all>>;
using SslCtxPtr = std::unique_ptr<SSL_CTX, OpensslFree<SSL_CTX_free>>;
using SslPtr = std::unique_ptr<SSL, OpensslFree<SSL_free>>;

inline constexpr std::size_t kMaxCertificateNames = 256;  // further ones do not count

// The DNS names among the subject alternative names, in lower case. A wildcard is nobody's name and
// is left out, as is the common name.
[[nodiscard]] std::vector<NodeName> dns_names_of(const X509* certificate);
[[nodiscard]] UnixNanos valid_from(const X509* certificate);
[[nodiscard]] UnixNanos valid_until(const X509* certificate);
[[nodiscard]] std::string lower_case(std::string_view name);  // of ASCII letters
// "node1, node2 and 3 more", or "no DNS name".
[[nodiscard]] std::string list_names(const std::vector<NodeName>& names);

}  // namespace dagsync
