#include "net/tls_context.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "dagsync/base/assert.h"
#include "dagsync/base/log.h"
#include "net/tls_error.h"

namespace dagsync {
namespace {

constexpr int kLongestChain = 4;     // certificates between a node's and the CA
constexpr std::size_t kMaxCas = 64;  // in the CA file

struct Certificates {
  X509Ptr own;
  std::vector<X509Ptr> between;
};

Result<BioPtr> open_file(const std::string& key, const std::string& path) {
  errno = 0;
  BioPtr file(BIO_new_file(path.c_str(), "r"));
  const int error_number = errno;
  ERR_clear_error();
  if (file == nullptr) {
    Error error = fail_errno(error_number, "[tls] " + key + ": open " + path).value();
    if (error.code == ErrorCode::kNotFound) {
      error.message += ": make it with `dagsync certs`, or name the file that there is";
    } else if (error.code == ErrorCode::kPermission) {
      error.message += ": give it to the user that the daemon runs as";
    }
    return tl::unexpected(std::move(error));
  }
  return file;
}

Unexpected unusable(const std::string& key, const std::string& path, const std::string& what) {
  return fail(ErrorCode::kInvalid, "[tls] " + key + ": " + path + ": " + what);
}

int no_passphrase(char*, int, int, void*) {
  return -1;  // never ask at a terminal
}

Result<std::vector<X509Ptr>> read_certificates(const std::string& key, const std::string& path,
                                               std::size_t most) {
  auto file = open_file(key, path);
  if (!file) return Unexpected(file.error());
  std::vector<X509Ptr> found;
  while (found.size() < most) {
    X509Ptr one(PEM_read_bio_X509(file->get(), nullptr, no_passphrase, nullptr));
    if (one == nullptr) break;
    found.push_back(std::move(one));
  }
  ERR_clear_error();  // the end of the file is an error to OpenSSL
  if (found.empty()) {
    return unusable(key, path, "holds no certificate: make one with `dagsync certs init`");
  }
  return found;
}

Result<KeyPtr> read_key(const std::string& path) {
  auto file = open_file("key", path);
  if (!file) return Unexpected(file.error());
  KeyPtr key(PEM_read_bio_PrivateKey(file->get(), nullptr, no_passphrase, nullptr));
  ERR_clear_error();
  if (key == nullptr) {
    return unusable("key", path, "holds no private key that can be read without a passphrase");
  }
  struct stat about {};
  if (::stat(path.c_str(), &about) == 0 && (about.st_mode & S_IRWXO) != 0) {
    log::warning("[tls] key: {} can be read by everybody: chmod o= {}", path, path);
  }
  return key;
}

template <typename T>
const Error* error_of(const Result<T>& result) {
  return result ? nullptr : &result.error();
}

// So that a person mends all of them once. Of the kind of the first.
Unexpected all_of(std::initializer_list<const Error*> errors) {
  Error all;
  for (const Error* one : errors) {
    if (one == nullptr) continue;
    if (all.message.empty()) all.code = one->code;
    all.message += (all.message.empty() ? "" : "; ") + one->message;
  }
  return tl::unexpected(std::move(all));
}

Status check_dates(const std::string& key, const std::string& path, const X509* certificate,
                   UnixNanos now) {
  const UnixNanos from = valid_from(certificate);
  const UnixNanos until = valid_until(certificate);
  if (now > until) {
    return unusable(key, path,
                    "expired on " + to_rfc3339(until) + ": renew it with `dagsync certs renew`");
  }
  if (now < from) {
    return unusable(key, path,
                    "is valid only from " + to_rfc3339(from) + " on: set this node's clock right");
  }
  return {};
}

// Our own certificate as the others will look at it, so that it is said here and now.
Status check_own(SSL_CTX* context, const TlsFiles& files, X509* own, int purpose, UnixNanos now) {
  STACK_OF(X509)* between = nullptr;
  SSL_CTX_get0_chain_certs(context, &between);
  const std::unique_ptr<X509_STORE_CTX, OpensslFree<X509_STORE_CTX_free>> check(
      X509_STORE_CTX_new());
  X509_STORE_CTX_init(check.get(), SSL_CTX_get_cert_store(context), own, between);
  X509_STORE_CTX_set_purpose(check.get(), purpose);
  X509_STORE_CTX_set_time(check.get(), 0, now.value / 1'000'000'000);
  const int good = X509_verify_cert(check.get());
  ERR_clear_error();
  if (good == 1) return {};
  const int code = X509_STORE_CTX_get_error(check.get());
  if (code == X509_V_ERR_CERT_HAS_EXPIRED || code == X509_V_ERR_CERT_NOT_YET_VALID) {
    // Of the chain, since our own dates are checked already.
    const Status dates =
        check_dates("ca", files.ca, X509_STORE_CTX_get_current_cert(check.get()), now);
    if (!dates) return dates;
  }
  if (code == X509_V_ERR_INVALID_PURPOSE) {
    return unusable("cert", files.cert,
                    "may not be used as TLS server and client both: issue it with `dagsync certs "
                    "issue`");
  }
  return unusable("cert", files.cert,
                  "is not signed by the CA in " + files.ca + " (" +
                      X509_verify_cert_error_string(code) +
                      "): set [tls] ca and cert to files of one cluster");
}

// Takes `wanted` out of what the other end offers; false where it is not among that.
bool choose(std::string_view wanted, const unsigned char* offered, unsigned offered_size,
            const unsigned char** chosen, unsigned char* chosen_size) {
  for (unsigned at = 0; at < offered_size; at += 1U + offered[at]) {
    const std::string_view one(reinterpret_cast<const char*>(offered + at + 1), offered[at]);
    if (one != wanted) continue;
    *chosen = offered + at + 1;
    *chosen_size = offered[at];
    return true;
  }
  return false;
}

int select_protocol(SSL*, const unsigned char** chosen, unsigned char* chosen_size,
                    const unsigned char* offered, unsigned offered_size, void*) {
  const bool speaks = choose(kProtocol, offered, offered_size, chosen, chosen_size);
  return speaks ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

// A client that names nothing, or nothing that we know, is answered in HTTP/1.1 all the same.
int select_http(SSL*, const unsigned char** chosen, unsigned char* chosen_size,
                const unsigned char* offered, unsigned offered_size, void*) {
  const bool speaks = choose("http/1.1", offered, offered_size, chosen, chosen_size);
  return speaks ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

SslCtxPtr new_context(TlsUse use) {
  SslCtxPtr context(SSL_CTX_new(TLS_method()));
  DAGSYNC_ASSERT(context != nullptr);  // out of memory
  SSL_CTX* raw = context.get();
  std::string protocols(1, static_cast<char>(kProtocol.size()));
  protocols += kProtocol;
  SSL_CTX_set_security_level(raw, 2);  // at least 112 bits everywhere
  const bool set =
      SSL_CTX_set_min_proto_version(raw, TLS1_3_VERSION) == 1 &&
      SSL_CTX_set_max_proto_version(raw, TLS1_3_VERSION) == 1 &&
      // 128 bits first: as safe here, and about a quarter faster than 256.
      SSL_CTX_set_ciphersuites(
          raw, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256") == 1 &&
      SSL_CTX_set_num_tickets(raw, 0) == 1 &&
      SSL_CTX_set_alpn_protos(raw, reinterpret_cast<const unsigned char*>(protocols.data()),
                              static_cast<unsigned>(protocols.size())) == 0;
  DAGSYNC_ASSERT(set);
  SSL_CTX_set_options(raw, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_max_early_data(raw, 0);
  // Without this OpenSSL would send the CA's own certificate along in each handshake.
  SSL_CTX_set_mode(raw, SSL_MODE_NO_AUTO_CHAIN);
  SSL_CTX_set_verify_depth(raw, kLongestChain);
  SSL_CTX_set_alpn_select_cb(raw, use == TlsUse::kNodes ? select_protocol : select_http, nullptr);
  return context;
}

}  // namespace

TlsContext::TlsContext(SslCtxPtr context, const X509* certificate, TlsUse use)
    : context_(std::move(context)),
      names_(dns_names_of(certificate)),
      expires_(valid_until(certificate)),
      use_(use) {}

Result<TlsContext> TlsContext::load(const TlsFiles& files, UnixNanos now, TlsUse use) {
  const auto cas = read_certificates("ca", files.ca, kMaxCas);
  auto chain = read_certificates("cert", files.cert, 1 + kLongestChain);
  const auto key = read_key(files.key);
  if (!cas || !chain || !key) return all_of({error_of(cas), error_of(chain), error_of(key)});

  SslCtxPtr context = new_context(use);
  for (const X509Ptr& ca : *cas) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), ca.get());
  }
  X509* own = chain->front().get();
  if (SSL_CTX_use_certificate(context.get(), own) != 1) {
    return unusable("cert", files.cert, "cannot be used: " + take_openssl_reason());
  }
  if (X509_check_private_key(own, key->get()) != 1) {
    ERR_clear_error();
    return unusable("key", files.key,
                    "does not belong to the certificate " + files.cert +
                        ": set [tls] cert and key to files of one node");
  }
  if (SSL_CTX_use_PrivateKey(context.get(), key->get()) != 1) {
    return unusable("key", files.key, "cannot be used: " + take_openssl_reason());
  }
  for (std::size_t i = 1; i < chain->size(); ++i) {
    SSL_CTX_add1_chain_cert(context.get(), (*chain)[i].get());
  }
  if (const Status dates = check_dates("cert", files.cert, own, now); !dates) {
    return Unexpected(dates.error());
  }
  for (const int purpose : {X509_PURPOSE_SSL_SERVER, X509_PURPOSE_SSL_CLIENT}) {
    const Status good = check_own(context.get(), files, own, purpose, now);
    if (!good) return Unexpected(good.error());
  }
  return TlsContext(std::move(context), own, use);
}

}  // namespace dagsync
