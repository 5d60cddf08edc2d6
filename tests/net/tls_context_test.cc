#include "net/tls_context.h"

#include <doctest/doctest.h>
#include <openssl/pem.h>

#include <cstdio>
#include <fstream>

#include "net/net_fixture.h"

namespace dagsync::test {
namespace {

UnixNanos now() {
  return UnixNanos{
      std::chrono::duration_cast<Duration>(std::chrono::system_clock::now().time_since_epoch())
          .count()};
}

Error load_error(const TlsFiles& files, UnixNanos at = now()) {
  const auto loaded = TlsContext::load(files, at);
  REQUIRE_FALSE(loaded.has_value());
  return loaded.error();
}

}  // namespace

TEST_CASE("a certificate tells its DNS names in lower case, and until when it is valid") {
  TestCa ca;
  const auto files = ca.issue({"Node1", "node1.Example.test", "*.example.test"});
  const auto loaded = TlsContext::load(files_of(files), now());
  REQUIRE(loaded.has_value());
  CHECK(loaded->names() == std::vector{NodeName{"node1"}, NodeName{"node1.example.test"}});
  const Duration left = loaded->expires() - now();
  CHECK(left > std::chrono::hours(23));
  CHECK(left <= std::chrono::hours(24));
}

TEST_CASE("a file that is missing or holds nothing of use is named with its key") {
  TestCa ca;
  const TlsFiles good = files_of(ca.issue({"node1"}));
  const std::string empty = ca.dir() / "empty";
  std::ofstream(empty) << "nothing\n";
  const struct {
    const char* key;
    std::string TlsFiles::*file;
  } rows[] = {{"ca", &TlsFiles::ca}, {"cert", &TlsFiles::cert}, {"key", &TlsFiles::key}};
  for (const auto& row : rows) {
    CAPTURE(row.key);
    TlsFiles files = good;
    files.*row.file = ca.dir() / "absent";
    Error error = load_error(files);
    CHECK(error.code == ErrorCode::kNotFound);
    has(error, std::string("[tls] ") + row.key);
    has(error, "absent");
    files.*row.file = empty;
    error = load_error(files);
    CHECK(error.code == ErrorCode::kInvalid);
    has(error, std::string("[tls] ") + row.key);
    has(error, empty);
  }
}

TEST_CASE("files that cannot be read are named all at once, with their mends") {
  TestCa ca;
  TlsFiles files = files_of(ca.issue({"node1"}));
  files.ca = files.key = "/nowhere/file";
  const std::string message = load_error(files).message;
  CHECK(
      message ==
      "[tls] ca: open /nowhere/file: No such file or directory: make it with `dagsync certs`, or "
      "name the file that there is; "
      "[tls] key: open /nowhere/file: No such file or directory: make it with `dagsync certs`, or "
      "name the file that there is");
}

TEST_CASE("a key of another certificate is refused, naming both files") {
  TestCa ca;
  TlsFiles files = files_of(ca.issue({"node1"}));
  files.key = ca.issue({"node1"}).key;
  const Error error = load_error(files);
  has(error, files.key);
  has(error, "does not belong to the certificate " + files.cert);
}

TEST_CASE("a key with a passphrase is refused without asking for it") {
  TestCa ca;
  TlsFiles files = files_of(ca.issue({"node1"}));
  const KeyPtr key(EVP_EC_gen("P-256"));
  std::FILE* file = std::fopen(files.key.c_str(), "w");
  REQUIRE(file != nullptr);
  const unsigned char phrase[] = "secret";
  PEM_write_PrivateKey(file, key.get(), EVP_aes_128_cbc(), phrase, 6, nullptr, nullptr);
  std::fclose(file);
  has(load_error(files), "without a passphrase");
}

TEST_CASE("a certificate out of its time is refused with the date and the mend") {
  TestCa ca;
  const TlsFiles files = files_of(ca.issue({"node1"}));
  Error error = load_error(files, now() + std::chrono::hours(25));
  has(error, files.cert + ": expired on 20");
  has(error, "dagsync certs renew");
  error = load_error(files, now() - std::chrono::hours(2));
  has(error, files.cert + ": is valid only from 20");
  has(error, "clock");
}

TEST_CASE("an expired CA is named, not the certificate") {
  TestCa ca({.valid_until = std::chrono::hours(1)});
  const TlsFiles files = files_of(ca.issue({"node1"}));
  has(load_error(files, now() + std::chrono::hours(2)), files.ca + ": expired on 20");
}

TEST_CASE("a certificate of another CA is refused, also where the CAs are called alike") {
  TestCa ours;
  TestCa theirs;
  TlsFiles files = files_of(theirs.issue({"node1"}));
  files.ca = ours.ca_file();
  const Error error = load_error(files);
  has(error, files.cert + ": is not signed by the CA in " + files.ca);
}

TEST_CASE("nothing but the CA file is trusted") {
  TestCa ca;
  const TlsFiles files = files_of(ca.issue({"node1"}));
  const auto loaded = TlsContext::load(files, now());
  REQUIRE(loaded.has_value());
  STACK_OF(X509_OBJECT)* trusted = X509_STORE_get0_objects(SSL_CTX_get_cert_store(loaded->raw()));
  CHECK(sk_X509_OBJECT_num(trusted) == 1);
}

}  // namespace dagsync::test
