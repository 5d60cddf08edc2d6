// What the command line asked for, and the commands that do it. Each returns the exit status of
// interface.md and prints what it has to say.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace dagsync {

// The exit statuses that all commands share; 0 is good.
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;     // the command line or the configuration
inline constexpr int kExitNoDaemon = 3;  // nobody answers on the control socket

struct StatusOptions {
  bool json = false;
  bool watch = false;
  std::optional<double> wait;  // seconds
};
[[nodiscard]] int run_status(const std::string& config_path, const StatusOptions& options);

struct PushOptions {
  std::vector<std::string> paths;
  std::optional<std::string> folder;
  double timeout = 60;           // seconds
  std::string min_acks = "all";  // or a number
  bool json = false;
  std::vector<std::string> to;  // not empty: without a daemon, and then:
  std::string from;
  bool delete_missing = false;
  bool dry_run = false;
};
[[nodiscard]] int run_push(const std::string& config_path, const PushOptions& options);

struct VersionsOptions {
  std::optional<std::string> path;  // none: every path
  std::optional<std::string> folder;
  bool json = false;
};
[[nodiscard]] int run_conflicts(const std::string& config_path, const VersionsOptions& options);
[[nodiscard]] int run_versions(const std::string& config_path, const VersionsOptions& options);

struct RestoreOptions {
  std::string path;
  std::optional<std::string> folder;
  std::optional<std::string> version;  // none: the newest
};
[[nodiscard]] int run_restore(const std::string& config_path, const RestoreOptions& options);

struct PauseOptions {
  std::string folder;
};
[[nodiscard]] int run_pause(const std::string& config_path, const PauseOptions& options);

struct ResumeOptions {
  std::string folder;
  bool accept_deletes = false;
};
[[nodiscard]] int run_resume(const std::string& config_path, const ResumeOptions& options);

struct VerifyOptions {
  std::optional<std::string> folder;
  bool json = false;
  bool repair = false;
};
[[nodiscard]] int run_verify(const std::string& config_path, const VerifyOptions& options);

struct EventsOptions {
  bool json = false;
};
[[nodiscard]] int run_events(const std::string& config_path, const EventsOptions& options);

struct InitOptions {
  std::vector<std::string> nodes;  // NAME[=HOST[:PORT]]; none: asked for, on a terminal
  std::string node;                // this one
  std::string folder;              // its path
  std::string folder_name;
  std::string listen;     // of this one; "": every address
  std::string authority;  // the CA's directory; "": beside the configuration
};
[[nodiscard]] int run_init(const std::string& config_path, const InitOptions& options);

struct CertsOptions {
  std::string path;                // the CA's directory; of show also a file
  std::vector<std::string> nodes;  // of init
  std::string node;                // of issue and renew
  std::vector<std::string> names;  // further names, of issue
  int days = 0;
};
[[nodiscard]] int run_certs_init(const CertsOptions& options);
[[nodiscard]] int run_certs_issue(const CertsOptions& options);
[[nodiscard]] int run_certs_renew(const CertsOptions& options);
// Without a path: what the configuration names.
[[nodiscard]] int run_certs_show(const std::string& config_path, const CertsOptions& options);

struct ImportCsync2Options {
  std::string file;
  std::string host;  // "": this machine's name
};
[[nodiscard]] int run_import_csync2(const ImportCsync2Options& options);

}  // namespace dagsync
