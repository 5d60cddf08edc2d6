// What OpenSSL says, as sentences that end with what to change. Loop thread only: OpenSSL keeps its
// errors a thread.
#pragma once

#include <openssl/x509.h>

#include <string>

#include "dagsync/base/result.h"

namespace dagsync {

// Takes the error queue of this thread: kRefused where one end does not accept the other,
// kUnavailable where the stream is broken.
[[nodiscard]] Error take_tls_error();
// The first error of the queue in OpenSSL's words, and clears it.
[[nodiscard]] std::string take_openssl_reason();
// Why a certificate chain was not accepted: `code` is an X509_V_ERR_…, `depth` counts from the
// other end's own certificate, which is 0.
[[nodiscard]] Error certificate_error(int code, int depth, const X509* certificate);

}  // namespace dagsync
