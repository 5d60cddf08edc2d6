#include "daemon/x509.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <array>
#include <memory>

namespace dagsync {
namespace {

constexpr std::int64_t kBackdateSeconds = 3600;
constexpr std::int64_t kDaySeconds = 24 * 3600;
constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::size_t kMaxCommonName = 64;  // RFC 5280, ub-common-name
constexpr std::size_t kSerialBytes = 16;

template <auto Free>
struct Freed {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Bio = std::unique_ptr<BIO, Freed<BIO_free_all>>;
using Extension = std::unique_ptr<X509_EXTENSION, Freed<X509_EXTENSION_free>>;
using Names = std::unique_ptr<GENERAL_NAMES, Freed<GENERAL_NAMES_free>>;
using Number = std::unique_ptr<BIGNUM, Freed<BN_free>>;

Unexpected openssl_failed(const std::string& doing) {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* reason = ERR_reason_error_string(code);
  return fail(ErrorCode::kInvalid, doing + ": " + (reason ? reason : "OpenSSL gave no reason"));
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

Bio reading(const std::string& text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

Result<Certificate> parse_certificate(const std::string& pem) {
  Certificate certificate(PEM_read_bio_X509(reading(pem).get(), nullptr, nullptr, nullptr));
  if (!certificate) return openssl_failed("not a certificate in PEM");
  return certificate;
}

Result<Key> parse_key(const std::string& pem) {
  Key key(PEM_read_bio_PrivateKey(reading(pem).get(), nullptr, nullptr, nullptr));
  if (!key) return openssl_failed("not a private key in PEM");
  return key;
}

Result<KeyPair> to_pem(X509* certificate, EVP_PKEY* key) {
  const Bio certificate_text(BIO_new(BIO_s_mem()));
  const Bio key_text(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_X509(certificate_text.get(), certificate) != 1 ||
      PEM_write_bio_PrivateKey(key_text.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return openssl_failed("write a certificate");
  }
  return KeyPair{text_of(certificate_text.get()), text_of(key_text.get())};
}

bool set_random_serial(X509* certificate) {
  std::array<unsigned char, kSerialBytes> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) return false;
  bytes[0] = static_cast<unsigned char>((bytes[0] & 0x7F) | 0x40);  // positive, of full length
  const Number number(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
  return BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool set_common_name(X509* certificate, const std::string& name) {
  const std::string fitting = name.substr(0, kMaxCommonName);
  return X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(fitting.data()),
                                    static_cast<int>(fitting.size()), -1, 0) == 1;
}

// Everything but issuer, extensions and signature.
Certificate begin_certificate(EVP_PKEY* key, const std::string& common_name, std::int64_t from,
                              std::int64_t until) {
  Certificate certificate(X509_new());
  const bool good = certificate && X509_set_version(certificate.get(), X509_VERSION_3) == 1 &&
                    set_random_serial(certificate.get()) &&
                    ASN1_TIME_set(X509_getm_notBefore(certificate.get()), from) != nullptr &&
                    ASN1_TIME_set(X509_getm_notAfter(certificate.get()), until) != nullptr &&
                    X509_set_pubkey(certificate.get(), key) == 1 &&
                    set_common_name(certificate.get(), common_name);
  return good ? std::move(certificate) : nullptr;
}

UnixNanos moment_of(const ASN1_TIME* time) {
  tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return {timegm(&parts) * kSecond};
}

std::string common_name_of(const X509_NAME* name) {
  const int index = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  if (index < 0) return "";
  unsigned char* text = nullptr;
  const int size =
      ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, index)));
  std::string out =
      size > 0 ? std::string(reinterpret_cast<char*>(text), static_cast<std::size_t>(size)) : "";
  OPENSSL_free(text);
  return out;
}

std::vector<std::string> dns_names_of(X509* certificate) {
  std::vector<std::string> out;
  const Names names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_DNS) continue;
    out.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
                     static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
  }
  return out;
}

std::string fingerprint_of(const X509* certificate) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned size = 0;
  if (X509_digest(certificate, EVP_sha256(), bytes.data(), &size) != 1) return "";
  std::string out;
  for (unsigned i = 0; i < size; ++i) {
    if (i > 0) out += ':';
    out += kDigits[bytes[i] >> 4];
    out += kDigits[bytes[i] & 15];
  }
  return out;
}

bool is_authority(X509* certificate) {
  return X509_check_ca(certificate) == 1;
}

// When a certificate of this authority ends; an error where it may sign none now.
Result<std::int64_t> end_under(X509* authority, EVP_PKEY* key, int days, std::int64_t now) {
  if (!is_authority(authority)) return fail(ErrorCode::kInvalid, "this certificate is no CA's");
  if (X509_check_private_key(authority, key) != 1) {
    ERR_clear_error();
    return fail(ErrorCode::kInvalid, "the key of the CA is another certificate's");
  }
  const UnixNanos end = moment_of(X509_get0_notAfter(authority));
  if (end.value / kSecond <= now) {
    return fail(ErrorCode::kInvalid, "the CA expired on " + to_rfc3339(end) +
                                         ": make a new one with `dagsync certs init`");
  }
  return std::min(now + days * kDaySeconds, end.value / kSecond);
}

bool add_node_extensions(X509* certificate, X509* authority, const std::vector<NodeName>& names) {
  std::string alternatives;
  for (const NodeName& name : names) {
    alternatives += (alternatives.empty() ? "DNS:" : ",DNS:") + name.value;
  }
  return add_extension(certificate, authority, NID_basic_constraints, "critical,CA:FALSE") &&
         add_extension(certificate, authority, NID_key_usage, "critical,digitalSignature") &&
         add_extension(certificate, authority, NID_ext_key_usage, "serverAuth,clientAuth") &&
         add_extension(certificate, authority, NID_subject_alt_name, alternatives) &&
         add_extension(certificate, authority, NID_subject_key_identifier, "hash") &&
         add_extension(certificate, authority, NID_authority_key_identifier, "keyid:always");
}

}  // namespace

Result<KeyPair> make_authority(const std::string& common_name, UnixNanos now) {
  const std::int64_t seconds = now.value / kSecond;
  const Key key(EVP_EC_gen("P-256"));
  if (!key) return openssl_failed("make a key");
  const Certificate made = begin_certificate(key.get(), common_name, seconds - kBackdateSeconds,
                                             seconds + kAuthorityDays * kDaySeconds);
  X509* raw = made.get();
  const bool good = raw && X509_set_issuer_name(raw, X509_get_subject_name(raw)) == 1 &&
                    add_extension(raw, raw, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
                    add_extension(raw, raw, NID_key_usage, "critical,keyCertSign,cRLSign") &&
                    add_extension(raw, raw, NID_subject_key_identifier, "hash") &&
                    X509_sign(raw, key.get(), EVP_sha256()) > 0;
  if (!good) return openssl_failed("make a CA");
  return to_pem(raw, key.get());
}

Result<KeyPair> make_certificate(const KeyPair& authority, const std::vector<NodeName>& names,
                                 int days, UnixNanos now) {
  const auto issuer = parse_certificate(authority.certificate);
  if (!issuer) return Unexpected(issuer.error());
  const auto issuer_key = parse_key(authority.key);
  if (!issuer_key) return Unexpected(issuer_key.error());
  const std::int64_t seconds = now.value / kSecond;
  const auto until = end_under(issuer->get(), issuer_key->get(), days, seconds);
  if (!until) return Unexpected(until.error());

  const Key key(EVP_EC_gen("P-256"));
  if (!key) return openssl_failed("make a key");
  const Certificate made =
      begin_certificate(key.get(), names.front().value, seconds - kBackdateSeconds, *until);
  const bool good = made &&
                    X509_set_issuer_name(made.get(), X509_get_subject_name(issuer->get())) == 1 &&
                    add_node_extensions(made.get(), issuer->get(), names) &&
                    X509_sign(made.get(), issuer_key->get(), EVP_sha256()) > 0;
  if (!good) return openssl_failed("make the certificate of " + names.front().value);
  return to_pem(made.get(), key.get());
}

Result<std::vector<CertificateInfo>> inspect_certificates(const std::string& pem) {
  std::vector<CertificateInfo> found;
  const Bio text = reading(pem);
  while (true) {
    const Certificate certificate(PEM_read_bio_X509(text.get(), nullptr, nullptr, nullptr));
    if (!certificate) break;
    X509* raw = certificate.get();
    found.push_back({common_name_of(X509_get_subject_name(raw)), dns_names_of(raw),
                     common_name_of(X509_get_issuer_name(raw)), is_authority(raw),
                     moment_of(X509_get0_notBefore(raw)), moment_of(X509_get0_notAfter(raw)),
                     fingerprint_of(raw)});
  }
  if (found.empty()) return openssl_failed("not a certificate in PEM");
  ERR_clear_error();  // the end of the text is an error to OpenSSL
  return found;
}

Result<bool> key_matches(const KeyPair& pair) {
  const auto certificate = parse_certificate(pair.certificate);
  if (!certificate) return Unexpected(certificate.error());
  const auto key = parse_key(pair.key);
  if (!key) return Unexpected(key.error());
  const bool matches = X509_check_private_key(certificate->get(), key->get()) == 1;
  ERR_clear_error();
  return matches;
}

}  // namespace dagsync
