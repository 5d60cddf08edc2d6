#include <time.h>

#include <cmath>

#include "cli/commands.h"
#include "cli/console.h"
#include "cli/daemon_command.h"
#include "daemon/certificates.h"
#include "daemon/config_values.h"
#include "daemon/print_error.h"
#include "dagsync/base/log.h"
#include "dagsync/base/rel_path.h"

namespace dagsync {
namespace {

constexpr std::int64_t kDayNanos = std::int64_t{24} * 3600 * 1'000'000'000;

UnixNanos now() {
  timespec time{};
  clock_gettime(CLOCK_REALTIME, &time);
  return {std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec};
}

Result<std::vector<NodeName>> parse_names(const std::vector<std::string>& texts) {
  std::vector<NodeName> names;
  for (const std::string& text : texts) {
    auto name = parse_node_name(text);
    if (!name) return Unexpected(name.error().with_context("node name"));
    names.push_back(std::move(*name));
  }
  return names;
}

int exit_of(const Error& error) {
  print_error(error);
  return error.code == ErrorCode::kInvalid ? kExitUsage : kExitFailed;
}

int list_made(const Result<std::vector<std::string>>& made) {
  if (!made) return exit_of(made.error());
  for (const std::string& path : *made)
    print(escape_bytes(path) + "\n");
  return 0;
}

std::string list_of_names(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names)
    out += (out.empty() ? "" : ", ") + escape_bytes(name);
  return out.empty() ? "none" : out;
}

std::string describe_expiry(const CertificateInfo& info, UnixNanos moment) {
  const std::string when = to_rfc3339(info.not_after);
  if (moment < info.not_before) return when + ", not valid before " + to_rfc3339(info.not_before);
  if (info.not_after < moment) return when + ", EXPIRED: `dagsync certs renew` makes a new one";
  return fmt::format("{}, in {} days", when, (info.not_after - moment).count() / kDayNanos);
}

std::string describe_key(CertificateFile::Key key) {
  switch (key) {
    case CertificateFile::Key::kMatches:
      return "matches";
    case CertificateFile::Key::kDiffers:
      return "DOES NOT MATCH: it is another certificate's";
    case CertificateFile::Key::kMissing:
      return "not here";
  }
  return "";
}

// Whether a node could use it now.
bool show(const CertificateFile& file, UnixNanos moment) {
  const CertificateInfo& info = file.info;
  print(fmt::format("{}\n  {:<12} {}\n  {:<12} {}\n  {:<12} {}\n  {:<12} {}\n  {:<12} {}\n",
                    escape_bytes(file.path), info.is_authority ? "CA" : "names",
                    info.is_authority ? escape_bytes(info.common_name) : list_of_names(info.names),
                    "issuer", escape_bytes(info.issuer), "expires", describe_expiry(info, moment),
                    "fingerprint", "SHA-256 " + info.fingerprint, "key", describe_key(file.key)));
  return info.not_before <= moment && moment <= info.not_after &&
         file.key != CertificateFile::Key::kDiffers;
}

}  // namespace

int run_certs_init(const CertsOptions& options) {
  const auto nodes = parse_names(options.nodes);
  if (!nodes) return exit_of(nodes.error());
  return list_made(init_authority(options.path, *nodes, options.days, now()));
}

int run_certs_issue(const CertsOptions& options) {
  std::vector<std::string> texts = options.names;
  texts.insert(texts.begin(), options.node);
  const auto names = parse_names(texts);
  if (!names) return exit_of(names.error());
  return list_made(issue_certificate(options.path, *names, options.days, now()));
}

int run_certs_renew(const CertsOptions& options) {
  const auto node = parse_node_name(options.node);
  if (!node) return exit_of(node.error().with_context("node name"));
  return list_made(renew_certificate(options.path, *node, options.days, now()));
}

int run_certs_show(const std::string& config_path, const CertsOptions& options) {
  std::vector<std::string> paths = {options.path};
  if (options.path.empty()) {
    const auto config = load_or_complain(config_path, ConfigUse::kOneShot);
    if (!config) return kExitUsage;
    paths = {config->tls.cert, config->tls.ca};
  }
  bool all_good = true;
  for (const std::string& path : paths) {
    const auto files = read_certificates(path);
    if (!files) return exit_of(files.error());
    for (const CertificateFile& file : *files)
      all_good = show(file, now()) && all_good;
  }
  return all_good ? 0 : kExitFailed;
}

}  // namespace dagsync
