#include "daemon/certificates.h"

#include <doctest/doctest.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cstdlib>

#include "daemon/files.h"
#include "temp_dir.h"

namespace dagsync {
namespace {

constexpr std::int64_t kDay = std::int64_t{24} * 3600 * 1'000'000'000;
const UnixNanos kNow{std::int64_t{1'900'000'000} * 1'000'000'000};  // in 2030

X509* read_pem(const std::string& path) {
  BIO* bio = BIO_new_file(path.c_str(), "r");
  X509* certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
  BIO_free(bio);
  REQUIRE(certificate != nullptr);
  return certificate;
}

// What a peer's TLS would say of it at that time.
int verify(const std::string& authority, const std::string& file, int purpose, UnixNanos moment) {
  X509* ca = read_pem(authority);
  X509* certificate = read_pem(file);
  X509_STORE* store = X509_STORE_new();
  X509_STORE_add_cert(store, ca);
  X509_STORE_CTX* context = X509_STORE_CTX_new();
  X509_STORE_CTX_init(context, store, certificate, nullptr);
  X509_VERIFY_PARAM* param = X509_STORE_CTX_get0_param(context);
  X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_X509_STRICT);
  X509_VERIFY_PARAM_set_time(param, moment.value / 1'000'000'000);
  X509_STORE_CTX_set_purpose(context, purpose);
  X509_verify_cert(context);
  const int error = X509_STORE_CTX_get_error(context);
  X509_STORE_CTX_free(context);
  X509_STORE_free(store);
  X509_free(certificate);
  X509_free(ca);
  return error;
}

std::vector<std::string> entries_of(const std::string& path) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(path)) {
    names.push_back(entry.path().filename().string());
  }
  std::ranges::sort(names);
  return names;
}

struct Cluster {
  TempDir dir;
  std::string tls = dir / "tls";
  Cluster() {
    const auto made = init_authority(tls, {{"node1"}, {"node2"}}, 825, kNow);
    REQUIRE_MESSAGE(made, made.error().message);
    CHECK(made->size() == 6);
  }
};

TEST_CASE_FIXTURE(Cluster, "init makes a CA and nodes that it vouches for, both ways") {
  CHECK(entries_of(tls) == std::vector<std::string>{"ca.crt", "ca.key", "node1.crt", "node1.key",
                                                    "node2.crt", "node2.key"});
  for (const char* name : {"node1", "node2"}) {
    const std::string file = tls + "/" + name + ".crt";
    CHECK(verify(tls + "/ca.crt", file, X509_PURPOSE_SSL_SERVER, kNow) == X509_V_OK);
    CHECK(verify(tls + "/ca.crt", file, X509_PURPOSE_SSL_CLIENT, kNow) == X509_V_OK);
    X509* certificate = read_pem(file);
    CHECK(X509_check_host(certificate, name, 0, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, nullptr) == 1);
    CHECK(X509_check_host(certificate, "ca", 0, 0, nullptr) == 0);
    X509_free(certificate);
  }
}

TEST_CASE_FIXTURE(Cluster, "keys are for their owner alone") {
  for (const char* name : {"ca", "node1", "node2"}) {
    CHECK(mode_of(tls + "/" + name + ".key") == 0600);
    CHECK(mode_of(tls + "/" + name + ".crt") == 0644);
  }
}

TEST_CASE_FIXTURE(Cluster, "a certificate is valid from an hour ago for as long as was asked") {
  const auto files = read_certificates(tls + "/node1.crt");
  REQUIRE(files);
  const CertificateInfo& info = files->front().info;
  CHECK(info.not_before.value == kNow.value - kDay / 24);
  CHECK(info.not_after.value == kNow.value + 825 * kDay);
  CHECK(info.names == std::vector<std::string>{"node1"});
  CHECK(info.issuer == "dagsync CA of node1 node2");
  CHECK(info.fingerprint.size() == 95);
  CHECK(verify(tls + "/ca.crt", tls + "/node1.crt", X509_PURPOSE_SSL_SERVER,
               {kNow.value + 826 * kDay}) == X509_V_ERR_CERT_HAS_EXPIRED);
}

TEST_CASE_FIXTURE(Cluster, "a node cannot vouch for another") {
  const KeyPair node{read_file(tls + "/node1.crt"), read_file(tls + "/node1.key")};
  CHECK_FALSE(make_certificate(node, {{"evil"}}, 1, kNow));
  const KeyPair mixed{read_file(tls + "/ca.crt"), read_file(tls + "/node1.key")};
  CHECK_FALSE(make_certificate(mixed, {{"evil"}}, 1, kNow));
}

TEST_CASE_FIXTURE(Cluster, "init never overwrites, and names what is there") {
  const std::string key = read_file(tls + "/ca.key");
  const auto again = init_authority(tls, {{"node1"}, {"node3"}}, 825, kNow);
  REQUIRE_FALSE(again);
  CHECK(again.error().code == ErrorCode::kExists);
  CHECK(again.error().message.find(tls + "/ca.key") != std::string::npos);
  CHECK(again.error().message.find(tls + "/node1.crt") != std::string::npos);
  CHECK(again.error().message.find("node3") == std::string::npos);
  CHECK(read_file(tls + "/ca.key") == key);
  CHECK(entries_of(tls).size() == 6);
}

TEST_CASE("init leaves nothing where one name is taken, a broken link among them") {
  const TempDir dir;
  std::filesystem::create_symlink("nowhere", dir / "b.key");
  CHECK_FALSE(init_authority(dir.path(), {{"a"}, {"b"}}, 1, kNow));
  CHECK(entries_of(dir.path()) == std::vector<std::string>{"b.key"});
}

TEST_CASE("names that cannot be are refused") {
  const TempDir dir;
  CHECK_FALSE(init_authority(dir / "x", {{"ca"}}, 1, kNow));
  CHECK_FALSE(init_authority(dir / "x", {{"a"}, {"a"}}, 1, kNow));
  CHECK_FALSE(init_authority(dir / "x", {}, 1, kNow));
  CHECK_FALSE(std::filesystem::exists(dir / "x"));
}

TEST_CASE_FIXTURE(Cluster, "issue makes a certificate for one more node, under several names") {
  const auto made = issue_certificate(tls, {{"ci"}, {"runner.example.org"}}, 30, kNow);
  REQUIRE_MESSAGE(made, made.error().message);
  const auto files = read_certificates(tls + "/ci.crt");
  REQUIRE(files);
  CHECK(files->front().info.names == std::vector<std::string>{"ci", "runner.example.org"});
  CHECK(files->front().key == CertificateFile::Key::kMatches);
  CHECK(verify(tls + "/ca.crt", tls + "/ci.crt", X509_PURPOSE_SSL_CLIENT, kNow) == X509_V_OK);
  const auto again = issue_certificate(tls, {{"ci"}}, 30, kNow);
  REQUIRE_FALSE(again);
  CHECK(again.error().message.find("certs renew") != std::string::npos);
}

TEST_CASE_FIXTURE(Cluster, "renew gives a new key under the same names and keeps the old ones") {
  REQUIRE(issue_certificate(tls, {{"ci"}, {"runner"}}, 1, kNow));
  const std::string old_certificate = read_file(tls + "/ci.crt");
  const std::string old_key = read_file(tls + "/ci.key");
  const auto made = renew_certificate(tls, {"ci"}, 10, kNow + Duration(kDay));
  REQUIRE_MESSAGE(made, made.error().message);
  const auto files = read_certificates(tls + "/ci.crt");
  REQUIRE(files);
  CHECK(files->front().info.names == std::vector<std::string>{"ci", "runner"});
  CHECK(files->front().info.not_after.value == kNow.value + 11 * kDay);
  CHECK(files->front().key == CertificateFile::Key::kMatches);
  CHECK(read_file(tls + "/ci.key") != old_key);
  CHECK(mode_of(tls + "/ci.key") == 0600);
  CHECK(read_file(tls + "/ci.crt.20300318T174640Z") == old_certificate);
  CHECK(read_file(tls + "/ci.key.20300318T174640Z") == old_key);
  CHECK(mode_of(tls + "/ci.key.20300318T174640Z") == 0600);
  CHECK_FALSE(renew_certificate(tls, {"unknown"}, 10, kNow));
}

TEST_CASE_FIXTURE(Cluster, "nothing outlives the CA, and an expired one signs nothing") {
  const UnixNanos late{kNow.value + (kAuthorityDays - 5) * kDay};
  REQUIRE(issue_certificate(tls, {{"late"}}, 825, late));
  const auto files = read_certificates(tls + "/late.crt");
  REQUIRE(files);
  CHECK(files->front().info.not_after.value == kNow.value + kAuthorityDays * kDay);
  const auto never = issue_certificate(tls, {{"never"}}, 825, {late.value + 6 * kDay});
  REQUIRE_FALSE(never);
  CHECK(never.error().message.find("the CA expired") != std::string::npos);
}

TEST_CASE_FIXTURE(Cluster, "a key that is another certificate's is seen") {
  std::filesystem::copy_file(tls + "/node2.key", tls + "/node1.key",
                             std::filesystem::copy_options::overwrite_existing);
  std::filesystem::remove(tls + "/node2.key");
  const auto files = read_certificates(tls);
  REQUIRE(files);
  REQUIRE(files->size() == 3);
  CHECK((*files)[0].info.is_authority);
  CHECK((*files)[1].key == CertificateFile::Key::kDiffers);
  CHECK((*files)[2].key == CertificateFile::Key::kMissing);
}

TEST_CASE("what is no certificate is an error that names the file") {
  const TempDir dir;
  CHECK_FALSE(read_certificates(dir.path()));
  write_file(dir / "x.crt", "nothing of the kind");
  for (const std::string& path : {dir.path(), dir / "x.crt", dir / "none.crt"}) {
    const auto files = read_certificates(path);
    REQUIRE_FALSE(files);
    CHECK(files.error().message.find(".crt") != std::string::npos);
  }
}

TEST_CASE("a long name of a node is fine") {
  const TempDir dir;
  const std::string label(60, 'x');
  const NodeName name{label + "." + label + "." + label};
  const auto made = init_authority(dir / "tls", {name}, 1, kNow);
  REQUIRE_MESSAGE(made, made.error().message);
  const auto files = read_certificates(dir / "tls");
  REQUIRE(files);
  CHECK((*files)[1].info.names == std::vector<std::string>{name.value});
}

TEST_CASE_FIXTURE(Cluster, "openssl verify agrees") {
  if (std::system("openssl version >/dev/null 2>&1") != 0) return;
  const std::string command =
      "openssl verify -x509_strict -no_check_time -purpose sslserver -CAfile " + tls + "/ca.crt " +
      tls + "/node1.crt >/dev/null 2>&1";
  CHECK(std::system(command.c_str()) == 0);
}

TEST_CASE_FIXTURE(Cluster, "a certificate that is renewed twice in a second keeps both old ones") {
  for (int times = 0; times < 2; ++times) {
    const auto renewed = renew_certificate(tls, {"node1"}, 90, kNow);
    REQUIRE_MESSAGE(renewed, renewed.error().message);
  }
  CHECK(entries_of(tls).size() == 6 + 4);
}

TEST_CASE_FIXTURE(Cluster, "every certificate of a file is read, and the first one has the key") {
  const std::string both = tls + "/both.crt";
  REQUIRE(create_file(both, read_file(tls + "/node1.crt") + read_file(tls + "/ca.crt"), 0644));
  const auto found = read_certificates(both);
  REQUIRE_MESSAGE(found, found.error().message);
  REQUIRE(found->size() == 2);
  CHECK(found->front().info.names == std::vector<std::string>{"node1"});
  CHECK(found->back().info.is_authority);
}

}  // namespace
}  // namespace dagsync
