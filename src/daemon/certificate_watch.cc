#include "daemon/certificate_watch.h"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "daemon/files.h"
#include "daemon/x509.h"
#include "dagsync/base/log.h"
#include "dagsync/base/rel_path.h"

namespace dagsync {
namespace {

constexpr Duration kLook = std::chrono::seconds(3);
constexpr Duration kRest = std::chrono::seconds(1);  // of files that have changed
constexpr Duration kOneDay = std::chrono::hours(24);
constexpr std::size_t kMaxPemFile = 256 * 1024;

// What a file has; nothing where it cannot be read.
std::vector<CertificateInfo> certificates_in(const std::string& path) {
  const auto pem = read_small_file(path, kMaxPemFile);
  if (!pem) return {};
  auto found = inspect_certificates(*pem);
  return found ? std::move(*found) : std::vector<CertificateInfo>();
}

// "on 2027-01-01T00:00:00.000Z, in 12 days"
std::string when(UnixNanos end, UnixNanos now) {
  const auto days = (end - now) / kOneDay;
  return to_rfc3339(end) + (end <= now ? "" : fmt::format(", in {} days", days));
}

}  // namespace

CertificateWatch::CertificateWatch(Clock& clock, TlsPaths paths, Hooks hooks)
    : clock_(clock),
      paths_(std::move(paths)),
      hooks_(std::move(hooks)),
      tried_(look_at(paths_)),
      seen_(tried_) {
  read_dates();
  told_ = {expires_, warnings()};
  hooks_.tell(told_);
  logged_ = clock_.mono();
  for (const std::string& warning : told_.warnings)
    log::warning("{}", warning);
  timer_ = clock_.about(kLook, [this] { look(); });
}

CertificateWatch::~CertificateWatch() {
  clock_.cancel(timer_);
}

Status CertificateWatch::reload(const TlsPaths& paths) {
  const Stamps stamps = look_at(paths);
  if (Status taken = hooks_.take_over(paths); !taken) return taken;
  paths_ = paths;
  tried_ = seen_ = stamps;
  trouble_.clear();
  read_dates();
  tell();
  return {};
}

CertificateWatch::Stamps CertificateWatch::look_at(const TlsPaths& paths) {
  Stamps stamps;
  std::size_t index = 0;
  for (const std::string& path : {paths.ca, paths.cert, paths.key}) {
    struct stat about {};
    Stamp& stamp = stamps[index++];
    if (::stat(path.c_str(), &about) != 0) continue;
    stamp = {about.st_dev, about.st_ino, about.st_size,
             std::int64_t{about.st_ctim.tv_sec} * 1'000'000'000 + about.st_ctim.tv_nsec};
  }
  return stamps;
}

// Certificate and key are replaced one after the other: they are tried when both have come to rest.
void CertificateWatch::look() {
  const Stamps now = look_at(paths_);
  const bool is_moving = now != seen_;
  timer_ =
      is_moving ? clock_.after(kRest, [this] { look(); }) : clock_.about(kLook, [this] { look(); });
  const bool is_new = now != tried_ && !is_moving;
  seen_ = now;
  if (is_new) {
    tried_ = now;
    if (const Status taken = hooks_.take_over(paths_); taken) {
      trouble_.clear();
      read_dates();
      log::info("the new files of [tls] are in force, the certificate until {}",
                to_rfc3339(expires_));
    } else {
      trouble_ = "the new files of [tls] are not in force: " + taken.error().message;
    }
  }
  tell();
}

// Of files that are in force, so that they can be read; else the dates stay what they were.
void CertificateWatch::read_dates() {
  if (const auto own = certificates_in(paths_.cert); !own.empty()) {
    expires_ = own.front().not_after;
  }
  UnixNanos last;  // while CAs are changed there are two
  for (const CertificateInfo& ca : certificates_in(paths_.ca))
    last = std::max(last, ca.not_after);
  if (last != UnixNanos()) authority_expires_ = last;
}

void CertificateWatch::tell() {
  State state{expires_, warnings()};
  const bool is_other = state.expires != told_.expires || state.warnings != told_.warnings;
  if (is_other || clock_.mono() - logged_ >= kOneDay) {
    logged_ = clock_.mono();
    for (const std::string& warning : state.warnings)
      log::warning("{}", warning);
  }
  if (!is_other) return;
  told_ = std::move(state);
  hooks_.tell(told_);
}

std::vector<std::string> CertificateWatch::warnings() const {
  std::vector<std::string> out;
  if (!trouble_.empty()) out.push_back(trouble_);
  const UnixNanos now = clock_.now();
  const auto warn = [&](UnixNanos end, const std::string& whose, const std::string& mend) {
    if (end == UnixNanos() || end - now >= kWarningDays * kOneDay) return;
    out.push_back(whose + (end <= now ? " ended on " : " ends on ") + when(end, now) + ": " + mend);
  };
  warn(expires_, "this node's certificate",
       "make a new one with `dagsync certs renew`, and put it in the place of " +
           escape_bytes(paths_.cert));
  warn(authority_expires_, "the CA", "bring in a new one, as the README says under \"Another CA\"");
  return out;
}

}  // namespace dagsync
