// Our certificate, our key and our CA, ready for conversations. Loop thread only.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "dagsync/base/result.h"
#include "dagsync/base/time.h"
#include "dagsync/core/names.h"
#include "net/certificate.h"

namespace dagsync {

// What both ends must name in the handshake (ALPN).
inline constexpr std::string_view kProtocol = "dagsync/1";

// Paths of PEM files: the CA's certificates, our certificate (with the ones between it and the CA,
// if any), our private key without a passphrase.
struct TlsFiles {
  std::string ca;
  std::string cert;
  std::string key;
};

// Whom a context is for. Nodes prove themselves to each other; a browser only asks for our name.
enum class TlsUse { kNodes, kBrowsers };

// TLS 1.3 only, mutual (of kBrowsers: only we prove who we are); no tickets, no resumption, no
// early data; the CA file is all that is trusted, and the system's CAs are not.
class TlsContext {
 public:
  // Reads and checks all three at `now`: kNotFound, kPermission, kInvalid, naming the file. Blocks
  // for as long as the files do. Logs a warning where everybody may read the key.
  [[nodiscard]] static Result<TlsContext> load(const TlsFiles& files, UnixNanos now,
                                               TlsUse use = TlsUse::kNodes);

  [[nodiscard]] TlsUse use() const { return use_; }
  [[nodiscard]] SSL_CTX* raw() const { return context_.get(); }
  [[nodiscard]] const std::vector<NodeName>& names() const { return names_; }  // of our certificate
  [[nodiscard]] UnixNanos expires() const { return expires_; }

 private:
  TlsContext(SslCtxPtr context, const X509* certificate, TlsUse use);

  SslCtxPtr context_;
  std::vector<NodeName> names_;
  UnixNanos expires_;
  TlsUse use_;
};

}  // namespace dagsync
