#include "support/test_certs.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cstdio>
#include <stdexcept>

namespace dagsync::test {
namespace {

void require(bool done, const char* what) {
  if (!done) throw std::runtime_error(std::string("test certificates: ") + what);
}

std::filesystem::path make_dir() {
  std::string path = std::filesystem::temp_directory_path() / "dagsync-certs-XXXXXX";
  require(mkdtemp(path.data()) != nullptr, "make a temporary directory");
  return path;
}

template <typename Write>
void write_file(const std::filesystem::path& path, mode_t mode, Write write) {
  std::FILE* file = std::fopen(path.c_str(), "w");
  require(file != nullptr, "create a file");
  fchmod(fileno(file), mode);
  const bool written = write(file) == 1;
  require(std::fclose(file) == 0 && written, "write a file");
}

void add_extension(X509* cert, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, cert, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  require(extension != nullptr, "make an extension");
  X509_add_ext(cert, extension, -1);
  X509_EXTENSION_free(extension);
}

}  // namespace

TestCa::TestCa(const CertOptions& options) : dir_(make_dir()), key_(EVP_EC_gen("P-256")) {
  require(key_ != nullptr, "make a key");
  CertOptions named = options;
  named.common_name = "test CA of " + dir_.filename().string();
  cert_ = make(key_.get(), named, nullptr);
  add_extension(cert_.get(), cert_.get(), NID_basic_constraints, "critical,CA:TRUE");
  add_extension(cert_.get(), cert_.get(), NID_key_usage, "critical,keyCertSign,cRLSign");
  add_extension(cert_.get(), cert_.get(), NID_subject_key_identifier, "hash");
  sign(cert_.get());
  write_file(ca_file(), 0644, [&](std::FILE* file) { return PEM_write_X509(file, cert_.get()); });
}

TestCa::~TestCa() {
  std::error_code ignored;
  std::filesystem::remove_all(dir_, ignored);
}

CertFiles TestCa::issue(const std::vector<std::string>& names, const CertOptions& options) {
  const Key key(EVP_EC_gen("P-256"));
  require(key != nullptr, "make a key");
  const Cert cert = make(key.get(), options, cert_.get());
  add_extension(cert.get(), cert_.get(), NID_basic_constraints, "critical,CA:FALSE");
  add_extension(cert.get(), cert_.get(), NID_ext_key_usage, "serverAuth,clientAuth");
  std::string list;
  for (const std::string& name : names)
    list += (list.empty() ? "DNS:" : ",DNS:") + name;
  if (!list.empty()) add_extension(cert.get(), cert_.get(), NID_subject_alt_name, list);
  sign(cert.get());
  const std::string stem = dir_ / ("node" + std::to_string(serial_));
  const CertFiles files{ca_file(), stem + ".crt", stem + ".key"};
  write_file(files.cert, 0644, [&](std::FILE* file) { return PEM_write_X509(file, cert.get()); });
  write_file(files.key, 0600, [&](std::FILE* file) {
    return PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
  return files;
}

TestCa::Cert TestCa::make(EVP_PKEY* key, const CertOptions& options, X509* issuer) {
  Cert cert(X509_new());
  require(cert != nullptr, "make a certificate");
  X509_set_version(cert.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(cert.get()), ++serial_);
  X509_gmtime_adj(X509_getm_notBefore(cert.get()), options.valid_from.count());
  X509_gmtime_adj(X509_getm_notAfter(cert.get()), options.valid_until.count());
  X509_set_pubkey(cert.get(), key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(cert.get()), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(options.common_name.c_str()),
                             -1, -1, 0);
  X509_set_issuer_name(cert.get(), X509_get_subject_name(issuer != nullptr ? issuer : cert.get()));
  return cert;
}

void TestCa::sign(X509* cert) {
  require(X509_sign(cert, key_.get(), EVP_sha256()) > 0, "sign a certificate");
}

}  // namespace dagsync::test
