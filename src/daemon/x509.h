// Keys and certificates as PEM texts, so that nobody else sees OpenSSL's types. Pure but for the
// random numbers of keys and serials. EC P-256: TLS 1.3 everywhere has it, and its handshakes are
// cheap.
#pragma once

#include <string>
#include <vector>

#include "dagsync/base/result.h"
#include "dagsync/base/time.h"
#include "dagsync/core/names.h"

namespace dagsync {

struct KeyPair {
  std::string certificate;  // PEM
  std::string key;          // PEM, PKCS #8, not encrypted
};

struct CertificateInfo {
  std::string common_name;
  std::vector<std::string> names;  // the DNS names, in order
  std::string issuer;              // its common name
  bool is_authority = false;
  UnixNanos not_before;
  UnixNanos not_after;
  std::string fingerprint;  // SHA-256, "AB:CD:..."
};

inline constexpr int kAuthorityDays = 3650;
inline constexpr int kDefaultCertificateDays = 825;

// A CA that may sign nodes and no further CA, for kAuthorityDays.
[[nodiscard]] Result<KeyPair> make_authority(const std::string& common_name, UnixNanos now);

// A new key and its certificate for server and client alike, valid from an hour ago (a peer's clock
// may be behind) for `days`, but no longer than the authority. kInvalid: the authority has expired,
// is none, or its key is another one's.
[[nodiscard]] Result<KeyPair> make_certificate(const KeyPair& authority,
                                               const std::vector<NodeName>& names, int days,
                                               UnixNanos now);

// All certificates of the text, in their order; at least one.
[[nodiscard]] Result<std::vector<CertificateInfo>> inspect_certificates(const std::string& pem);
// Whether the key is the certificate's.
[[nodiscard]] Result<bool> key_matches(const KeyPair& pair);

}  // namespace dagsync
