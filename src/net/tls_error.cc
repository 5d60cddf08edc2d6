#include "net/tls_error.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/sslerr.h>
#include <openssl/x509_vfy.h>

#include "net/certificate.h"

namespace dagsync {
namespace {

// The other end tells by an alert why it turned us away.
Error alert_error(int alert) {
  const std::string words = SSL_alert_desc_string_long(alert);
  switch (alert) {
    case SSL_AD_CERTIFICATE_EXPIRED:
      return {ErrorCode::kRefused,
              "the other end says that our certificate has expired: renew it with `dagsync certs "
              "renew`, and compare the clocks of both nodes"};
    case SSL_AD_UNKNOWN_CA:
      return {ErrorCode::kRefused,
              "the other end does not know the CA of our certificate: give both nodes certificates "
              "of the same CA and the same [tls] ca"};
    case SSL_AD_BAD_CERTIFICATE:
      return {
          ErrorCode::kRefused,
          "the other end does not accept our certificate: does it bear the name by which we are "
          "dialed? its log says more"};
    case TLS13_AD_CERTIFICATE_REQUIRED:
    case TLS1_AD_BAD_CERTIFICATE_STATUS_RESPONSE:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
    case SSL_AD_CERTIFICATE_REVOKED:
    case SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_ACCESS_DENIED:
      return {ErrorCode::kRefused,
              "the other end refused our certificate (" + words + "): its log says what to change"};
    case SSL_AD_NO_APPLICATION_PROTOCOL:
      return {ErrorCode::kRefused,
              "the other end does not speak dagsync/1: is this address that of a dagsync?"};
    case SSL_AD_PROTOCOL_VERSION:
      return {ErrorCode::kRefused, "the other end does not speak TLS 1.3, which dagsync asks for"};
    default:
      return {ErrorCode::kRefused,
              "the other end broke off with \"" + words + "\": its log says why"};
  }
}

}  // namespace

std::string take_openssl_reason() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "unknown reason";
}

Error take_tls_error() {
  const unsigned long code = ERR_peek_error();
  const int reason = ERR_GET_REASON(code);
  const std::string words = take_openssl_reason();
  if (ERR_GET_LIB(code) == ERR_LIB_SSL) {
    if (reason > SSL_AD_REASON_OFFSET) return alert_error(reason - SSL_AD_REASON_OFFSET);
    switch (reason) {
      case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
        return {ErrorCode::kRefused,
                "it shows no certificate: issue one for it with `dagsync certs issue`"};
      case SSL_R_HTTP_REQUEST:
      case SSL_R_HTTPS_PROXY_REQUEST:
      case SSL_R_WRONG_VERSION_NUMBER:
      case SSL_R_BAD_PROTOCOL_VERSION_NUMBER:
        return {ErrorCode::kRefused,
                "it does not speak TLS: let only dagsync nodes use this address"};
      case SSL_R_UNSUPPORTED_PROTOCOL:
      case SSL_R_NO_PROTOCOLS_AVAILABLE:
        return {ErrorCode::kRefused, "it does not speak TLS 1.3, which dagsync asks for"};
      case SSL_R_NO_APPLICATION_PROTOCOL:
        return {ErrorCode::kRefused,
                "it does not speak dagsync/1: let only dagsync nodes use this address"};
      case SSL_R_UNEXPECTED_EOF_WHILE_READING:
        return {ErrorCode::kUnavailable, "the other end closed the connection"};
      default:
        break;
    }
  }
  return {ErrorCode::kRefused, "TLS failed (" + words + ")"};
}

Error certificate_error(int code, int depth, const X509* certificate) {
  const std::string whose = depth == 0 ? "its certificate" : "the CA of its certificate";
  const bool known = certificate != nullptr;
  switch (code) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return {ErrorCode::kRefused, whose + " expired on " +
                                       (known ? to_rfc3339(valid_until(certificate)) : "?") +
                                       ": renew it with `dagsync certs renew`"};
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return {ErrorCode::kRefused, whose + " is valid only from " +
                                       (known ? to_rfc3339(valid_from(certificate)) : "?") +
                                       " on: set the clocks of both nodes right"};
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
    case X509_V_ERR_CERT_UNTRUSTED:
      return {
          ErrorCode::kRefused,
          "its certificate is not signed by our CA: issue it with `dagsync certs issue` of this "
          "cluster, or give both nodes the same [tls] ca"};
    case X509_V_ERR_INVALID_PURPOSE:
      return {ErrorCode::kRefused,
              whose +
                  " may not be used for this: issue it for TLS servers and clients both, as "
                  "`dagsync certs issue` does"};
    default:
      return {ErrorCode::kRefused,
              whose + " was not accepted: " + X509_verify_cert_error_string(code)};
  }
}

}  // namespace dagsync
