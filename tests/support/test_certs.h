// Certificates for tests, made on the spot in a temporary directory of their own.
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace dagsync::test {

struct CertFiles {
  std::string ca;
  std::string cert;
  std::string key;
};

struct CertOptions {
  std::chrono::seconds valid_from = -std::chrono::hours(1);  // counted from now
  std::chrono::seconds valid_until = std::chrono::hours(24);
  std::string common_name = "a node";
};

// A CA with the files that it issued; they vanish with it. Failures throw: a test that gets none
// has nothing to go on with.
class TestCa {
 public:
  explicit TestCa(const CertOptions& options = {});
  ~TestCa();
  TestCa(const TestCa&) = delete;
  TestCa& operator=(const TestCa&) = delete;

  // A certificate and key for TLS servers and clients, with `names` as DNS names, as they are.
  [[nodiscard]] CertFiles issue(const std::vector<std::string>& names,
                                const CertOptions& options = {});
  [[nodiscard]] std::filesystem::path dir() const { return dir_; }
  [[nodiscard]] std::string ca_file() const { return dir_ / "ca.crt"; }

 private:
  struct FreeKey {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  };
  struct FreeCert {
    void operator()(X509* cert) const { X509_free(cert); }
  };
  using Key = std::unique_ptr<EVP_PKEY, FreeKey>;
  using Cert = std::unique_ptr<X509, FreeCert>;

  Cert make(EVP_PKEY* key, const CertOptions& options, X509* issuer);
  void sign(X509* cert);

  std::filesystem::path dir_;
  Key key_;
  Cert cert_;
  long serial_ = 0;
};

}  // namespace dagsync::test
