#include "daemon/certificate_watch.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <utility>

#include "daemon/certificates.h"
#include "daemon/files.h"
#include "support/fake_clock.h"
#include "temp_dir.h"

namespace dagsync {
namespace {

constexpr Duration kADay = std::chrono::hours(24);
constexpr Duration kSomeLooks = std::chrono::seconds(5);

struct Watched {
  TempDir dir;
  FakeClock clock;
  std::string tls = dir / "tls";
  TlsPaths paths{tls + "/ca.crt", tls + "/node1.crt", tls + "/node1.key"};
  int taken_over = 0;
  std::string refusal;
  CertificateWatch::State told;

  // With a CA and a certificate for so many days, made so long ago.
  explicit Watched(int days = 825, Duration ago = Duration(0)) {
    REQUIRE(init_authority(tls, {{"node1"}}, days, clock.now() - ago));
  }
  CertificateWatch::Hooks hooks() {
    return {[this](const TlsPaths&) -> Status {
              ++taken_over;
              if (!refusal.empty()) return fail(ErrorCode::kInvalid, refusal);
              return {};
            },
            [this](const CertificateWatch::State& state) { told = state; }};
  }
  void renew(int days) { REQUIRE(renew_certificate(tls, {"node1"}, days, clock.now())); }
  [[nodiscard]] bool warns_of(const std::string& what) const {
    return told.warnings.size() == 1 && told.warnings[0].find(what) != std::string::npos;
  }
};

TEST_CASE("it is warned 30 days before the certificate ends") {
  Watched world(40, 10 * kADay - kSomeLooks);
  const CertificateWatch watch(world.clock, world.paths, world.hooks());
  CHECK(world.told.expires == world.clock.now() + 30 * kADay + kSomeLooks);
  CHECK(world.told.warnings.empty());
  world.clock.advance(2 * kSomeLooks);
  CHECK(world.warns_of("this node's certificate ends on "));
  CHECK(world.warns_of("in 29 days"));
  CHECK(world.warns_of("dagsync certs renew"));
  CHECK(world.taken_over == 0);
}

TEST_CASE("it is said when the certificate has ended") {
  Watched world(40, 40 * kADay - kSomeLooks);
  const CertificateWatch watch(world.clock, world.paths, world.hooks());
  CHECK(world.warns_of("in 0 days"));
  world.clock.advance(2 * kSomeLooks);
  CHECK(world.warns_of("this node's certificate ended on "));
}

TEST_CASE("a new certificate is taken over when it has come to rest, once") {
  Watched world(20);
  const CertificateWatch watch(world.clock, world.paths, world.hooks());
  CHECK_FALSE(world.told.warnings.empty());
  world.renew(100);
  world.clock.advance(kSomeLooks);
  CHECK(world.taken_over == 1);
  CHECK(world.told.warnings.empty());
  world.clock.advance(kSomeLooks);
  CHECK(world.taken_over == 1);
}

TEST_CASE("a certificate whose key comes a moment later is not tried before that") {
  Watched world;
  const CertificateWatch watch(world.clock, world.paths, world.hooks());
  constexpr Duration kLook = std::chrono::seconds(3);
  constexpr Duration kRest = std::chrono::seconds(1);
  Duration pause = kLook;
  for (const std::string& path : {world.paths.cert, world.paths.key}) {
    REQUIRE(replace_file(path, read_file(path), 0600));
    world.clock.advance(std::exchange(pause, kRest));
    CHECK(world.taken_over == 0);
  }
  world.clock.advance(kRest);
  CHECK(world.taken_over == 1);
}

TEST_CASE("what cannot be taken over is told, and tried again when it changes") {
  Watched world;
  const CertificateWatch watch(world.clock, world.paths, world.hooks());
  const UnixNanos before = world.told.expires;
  world.refusal = "it does not fit";
  world.renew(100);
  world.clock.advance(kSomeLooks);
  CHECK(world.taken_over == 1);
  CHECK(world.warns_of("not in force: it does not fit"));
  CHECK(world.told.expires == before);
  world.refusal.clear();
  world.renew(100);
  world.clock.advance(kSomeLooks);
  CHECK(world.taken_over == 2);
  CHECK(world.told.warnings.empty());
}

TEST_CASE("a reload takes over what is there, and is no change afterwards") {
  Watched world;
  CertificateWatch watch(world.clock, world.paths, world.hooks());
  world.renew(100);
  REQUIRE(watch.reload(world.paths));
  CHECK(world.told.expires == world.clock.now() + 100 * kADay);
  world.clock.advance(kSomeLooks);
  CHECK(world.taken_over == 1);
  world.refusal = "it does not fit";
  world.renew(50);
  CHECK_FALSE(watch.reload(world.paths));
}

TEST_CASE("of two CAs the one that lasts longer counts") {
  Watched world(825, (kAuthorityDays - 20) * kADay);
  world.renew(825);  // for no longer than the CA
  const CertificateWatch watch(world.clock, world.paths, world.hooks());
  const auto has_ca = [&] {
    return std::ranges::any_of(world.told.warnings, [](const std::string& warning) {
      return warning.starts_with("the CA ends on ");
    });
  };
  CHECK(has_ca());
  const std::string other = world.dir / "other";
  REQUIRE(init_authority(other, {{"node1"}}, 825, world.clock.now()));
  REQUIRE(
      replace_file(world.paths.ca, read_file(world.paths.ca) + read_file(other + "/ca.crt"), 0644));
  world.clock.advance(kSomeLooks);
  CHECK_FALSE(has_ca());
}

}  // namespace
}  // namespace dagsync
