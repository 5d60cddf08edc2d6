// The composition root: the only file that names every adapter.
#include "daemon/daemon.h"

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <map>
#include <memory>
#include <sstream>
#include <utility>

#include "daemon/certificate_watch.h"
#include "daemon/certificates.h"
#include "daemon/commands.h"
#include "daemon/config.h"
#include "daemon/config_check.h"
#include "daemon/config_conflicts.h"
#include "daemon/hooks.h"
#include "daemon/http_site.h"
#include "daemon/journal.h"
#include "daemon/loop_watcher.h"
#include "daemon/owner.h"
#include "daemon/print_error.h"
#include "daemon/reload.h"
#include "daemon/rights.h"
#include "daemon/running_daemon.h"
#include "daemon/service_manager.h"
#include "daemon/state_dir.h"
#include "daemon/version.h"
#include "dagsync/engine/node.h"
#include "net/system_random.h"
#include "net/tls_transport.h"
#include "net/uv_clock.h"
#include "net/uv_loop.h"
#include "net/uv_worker.h"
#include "posix/posix_disk.h"
#include "store/sqlite_store.h"

namespace dagsync {
namespace {

constexpr int kExitFailure = 1;
constexpr int kExitConfig = 2;
constexpr Duration kStopsWithin = std::chrono::milliseconds(800);

class LoopFdWatch final : public FdWatch {
 public:
  explicit LoopFdWatch(ReadableWatch watch) : watch_(std::move(watch)) {}

 private:
  ReadableWatch watch_;
};

TlsFiles tls_files(const TlsPaths& tls) {
  return {tls.ca, tls.cert, tls.key};
}

Status open_log(const LogConfig& log) {
  return log.file.empty() ? Status() : log::also_to(log.file, log.max_size, log.keep);
}

class Daemon {
 public:
  Daemon(DaemonOptions options, Config config)
      : options_(std::move(options)),
        config_(std::move(config)),
        clock_(std::make_unique<UvClock>(loop_)),
        worker_(std::make_unique<UvWorker>(loop_)) {}

  ~Daemon() {
    http_.reset();
    control_.reset();
    certificates_.reset();
    manager_.reset();
    hooks_.reset();
    worker_.reset();  // first: its jobs use what follows
    node_.reset();
    transport_.reset();
  }

  int run() {
    if (const Status watching = watch_signals(); !watching) {
      return give_up(watching.error(), kExitFailure);
    }
    if (options_.check) return check();
    if (const Status opened = open(); !opened) return give_up(opened.error(), kExitConfig);
    manager_ = std::make_unique<ServiceManager>(*clock_);
    begin_hooks();
    watch_certificates();
    node_->start(config_.node.listen, [this](const Status& started) { this->started(started); });
    loop_.run();
    // A worker may still read a large file for nothing: it is not waited for longer than this.
    std::signal(SIGALRM, [](int) { _exit(0); });
    if (exit_ == 0) alarm(1);
    return exit_;
  }

 private:
  // Opens everything and binds the ports, or only what a daemon of this configuration, where one
  // runs, does not have; and root nothing that a daemon of another user would be shut out of. Goes
  // on after what is wrong, so that a person mends all of it once.
  int check() {
    const auto running = find_running(config_.node.control_socket);
    const bool is_ours = running && running->node == config_.node.name;
    const bool leave_state = is_ours || StateDir::is_of_another(config_.node.state_dir);
    ConfigCheck check(loop_, config_);
    check.note(check_resolved(config_));
    if (!leave_state) check.note(open_state());
    check.ports(running && is_ours ? &*running : nullptr);
    if (!leave_state) check.control_socket(watch_readable());
    check.note(open_transport());
    if (!leave_state) check.note(open_log(config_.log));
    for (const FolderConfig& folder : config_.folders) {
      if (check.folder(folder, state_ == nullptr) && state_) check.note(open_adapters(folder));
    }
    check.hooks();
    return check.is_good() ? 0 : kExitConfig;
  }

  Status open_state() {
    auto state = StateDir::open(config_.node.state_dir, config_.node.name);
    if (!state) return Unexpected(state.error().with_context("[node] state_dir"));
    state_ = std::make_unique<StateDir>(std::move(*state));
    return {};
  }

  Status open_transport() {
    auto transport = TlsTransport::open(loop_, *clock_, tls_files(config_.tls));
    if (!transport) return Unexpected(transport.error());
    transport_ = std::move(*transport);
    return check_own_name(transport_->names(), config_.node.name, config_.tls.cert);
  }

  // Everything that may be wrong with the configuration shows here.
  Status open() {
    if (const Status apart = check_resolved(config_); !apart) return apart;
    if (const Status opened = open_state(); !opened) return opened;
    if (const Status transport = open_transport(); !transport) return transport;
    node_ = std::make_unique<Node>(config_.node.name, std::string(dagsync_version()),
                                   Node::Ports{*clock_, random_, *worker_, *transport_,
                                               // What a burst took goes back to the system.
                                               [] { malloc_trim(0); }});
    node_->configure_peers(config_.peers);
    for (const FolderConfig& folder : config_.folders) {
      if (const Status opened = open_folder(folder); !opened) return opened;
    }
    commands_ = std::make_unique<Commands>(*node_, *clock_);
    auto control = ControlServer::listen(config_.node.control_socket, watch_readable(), *commands_);
    if (!control) return Unexpected(control.error());
    control_ = std::move(*control);
    return config_.node.http.empty() ? Status() : open_http();
  }

  Status open_http() {
    HttpOptions options;
    options.address = config_.node.http;
    // Of others, whoever stands before it knows which names it has.
    const auto address = parse_host_port(config_.node.http);
    if (address && is_loopback(address->host)) options.hosts = {config_.node.name.value};
    if (config_.node.http_tls) {
      auto tls = http_tls(config_.tls);
      if (!tls) return Unexpected(tls.error());
      options.tls = std::move(*tls);
    }
    site_ = std::make_unique<HttpSite>(*node_, *clock_, [this] { return metrics_facts(); });
    auto http = HttpServer::listen(loop_, *clock_, std::move(options), *site_);
    if (!http) return Unexpected(http.error());
    http_ = std::move(*http);
    return {};
  }

  Result<std::shared_ptr<const TlsContext>> http_tls(const TlsPaths& tls) {
    auto context = TlsContext::load(tls_files(tls), clock_->now(), TlsUse::kBrowsers);
    if (!context) return Unexpected(context.error());
    return std::make_shared<const TlsContext>(std::move(*context));
  }

  MetricsFacts metrics_facts() const {
    MetricsFacts facts;
    facts.version = dagsync_version();
    facts.watch_limit = read_watch_limit();
    for (const FolderConfig& folder : config_.folders) {
      const auto directory = state_->folder_dir(folder.name);
      if (directory) facts.index_bytes[folder.name] = SqliteStore::bytes_on_disk(*directory);
    }
    return facts;
  }

  Status open_folder(const FolderConfig& folder) {
    auto adapters = open_adapters(folder);
    if (!adapters) return Unexpected(adapters.error());
    node_->add_folder(folder, std::move(*adapters));
    return {};
  }

  Result<FolderAdapters> open_adapters(const FolderConfig& folder) {
    const auto directory = state_->folder_dir(folder.name);
    if (!directory) return Unexpected(directory.error());
    PosixDisk::Options options;
    options.root = folder.path;
    options.state_dir = *directory;
    const auto owner = owner_rule(folder);
    if (!owner) return Unexpected(owner.error());
    warn_of_owner(folder, *owner);
    options.owner = *owner;
    auto disk = PosixDisk::open(std::move(options));
    if (!disk) return Unexpected(disk.error());
    auto store = SqliteStore::open(*directory);
    if (!store) return Unexpected(store.error());
    // Finding none takes as long as half the scan that follows. Beside the state directory nothing
    // of ours stands in the folder, unless it lay elsewhere when a run came to a bad end.
    if ((*disk)->other_file_system() || !(*store)->stopped_cleanly()) {
      if (const Status removed = (*disk)->remove_strays(); !removed) {
        log::warning("folder {}: {}", folder.name, removed.error().message);
      }
    }
    return FolderAdapters{std::move(*disk), std::move(*store),
                          std::make_unique<LoopWatcher>(loop_, folder.path)};
  }

  WatchReadable watch_readable() {
    return [this](int fd, std::function<void()> call) -> Result<std::unique_ptr<FdWatch>> {
      auto watch = loop_.on_readable(fd, std::move(call));
      if (!watch) return Unexpected(watch.error());
      return std::make_unique<LoopFdWatch>(std::move(*watch));
    };
  }

  void begin_hooks() {
    hooks_ = std::make_unique<Hooks>(Hook::Ports{loop_, *clock_});
    hooks_->configure(config_.hooks, config_.folders);
    node_->events().on_each([this](const Event& event) {
      if (hooks_) hooks_->take(event);
    });
    node_->hooks_are([this] { return hooks_->status(); });
  }

  Status watch_signals() {
    for (const int signal : {SIGTERM, SIGINT}) {
      auto watch = loop_.on_signal(signal, [this] { stop(); });
      if (!watch) return Unexpected(watch.error());
      signals_.push_back(std::move(*watch));
    }
    auto hangup = loop_.on_signal(SIGHUP, [this] { reload(); });
    if (!hangup) return Unexpected(hangup.error());
    signals_.push_back(std::move(*hangup));
    return {};
  }

  void started(const Status& status) {
    if (!status) {
      exit_ = give_up(status.error(), kExitFailure);
      loop_.stop();
      return;
    }
    log::info("node {} is ready, dagsync {}", config_.node.name.value, dagsync_version());
    manager_->ready();
  }

  // Twice: at once.
  void stop() {
    if (std::exchange(stopping_, true)) return loop_.stop();
    log::info("stopping");
    manager_->stopping();
    http_.reset();
    control_.reset();
    hooks_->stop();
    clock_->after(kStopsWithin, [this] {
      log::warning("not everything became durable in time; it is checked at the next start");
      loop_.stop();
    });
    node_->stop([this] { loop_.stop(); });
  }

  void reload() {
    log::info("reloading {}", options_.config_path);
    manager_->reloading();
    if (const Status reloaded = try_reload(); reloaded) {
      log::info("reloaded {}", options_.config_path);
    } else {
      std::istringstream faults(reloaded.error().message);
      for (std::string fault; std::getline(faults, fault);)
        log::error("nothing was changed: {}", fault);
    }
    manager_->reloaded();
  }

  // All that can fail comes first, so that a reload that fails has changed nothing.
  Status try_reload() {
    auto config = load_config(options_.config_path);
    if (!config) return Unexpected(config.error());
    const std::vector<FolderConfig> folders = folders_after_reload(config_, *config);
    Config in_force = *config;
    in_force.folders = folders;
    if (const Status apart = check_resolved(in_force); !apart) return apart;
    std::vector<std::pair<FolderConfig, FolderAdapters>> added;
    for (const FolderConfig& folder : folders) {
      if (find_folder(config_.folders, folder.name) != nullptr) continue;
      if (node_->is_using(folder.name))
        return fail(ErrorCode::kUnavailable,
                    "folder " + folder.name + " is just being put away: reload again in a while");
      auto adapters = open_adapters(folder);
      if (!adapters) return Unexpected(adapters.error());
      added.emplace_back(folder, std::move(*adapters));
    }
    if (const Status tls = certificates_->reload(config->tls); !tls) return tls;
    if (!options_.level) log::set_level(config->node.log_level);
    for (const std::string& key : keys_that_need_a_restart(config_, *config))
      log::warning("{} has changed: restart the daemon for it", key);
    node_->configure_peers(config->peers);
    for (const FolderConfig& before : config_.folders) {
      if (find_folder(folders, before.name) == nullptr) node_->remove_folder(before.name);
    }
    for (const FolderConfig& folder : folders)
      node_->configure_folder(folder);
    for (auto& [folder, adapters] : added)
      node_->bring_folder(folder, std::move(adapters));
    config_.peers = config->peers;
    config_.folders = folders;
    hooks_->configure(config->hooks, folders);
    return {};
  }

  // One that does not bear our name would be refused by every peer.
  Status take_over(const TlsPaths& tls) {
    const auto context = TlsContext::load(tls_files(tls), clock_->now());
    if (!context) return Unexpected(context.error());
    if (Status name = check_own_name(context->names(), config_.node.name, tls.cert); !name)
      return name;
    if (Status taken = transport_->reload(tls_files(tls)); !taken) return taken;
    if (!http_ || !config_.node.http_tls) return {};
    auto browsers = http_tls(tls);
    if (!browsers) return Unexpected(browsers.error());
    http_->use(std::move(*browsers));
    return {};
  }

  void watch_certificates() {
    certificates_ = std::make_unique<CertificateWatch>(
        *clock_, config_.tls,
        CertificateWatch::Hooks{[this](const TlsPaths& tls) { return take_over(tls); },
                                [this](const CertificateWatch::State& state) {
                                  node_->certificate_is(state.expires, state.warnings);
                                }});
  }

  static int give_up(const Error& error, int exit_status) {
    print_error(error);
    return exit_status;
  }

  DaemonOptions options_;
  Config config_;
  UvLoop loop_;
  SystemRandom random_;
  std::unique_ptr<UvClock> clock_;
  std::unique_ptr<UvWorker> worker_;
  std::unique_ptr<ServiceManager> manager_;
  std::unique_ptr<StateDir> state_;
  std::unique_ptr<TlsTransport> transport_;
  std::unique_ptr<Node> node_;
  std::unique_ptr<Hooks> hooks_;
  std::unique_ptr<CertificateWatch> certificates_;
  std::unique_ptr<Commands> commands_;
  std::unique_ptr<ControlServer> control_;
  std::unique_ptr<HttpSite> site_;
  std::unique_ptr<HttpServer> http_;
  std::vector<SignalWatch> signals_;
  bool stopping_ = false;
  int exit_ = 0;
};

}  // namespace

int run_daemon(const DaemonOptions& options) {
  auto config = load_config(options.config_path);
  if (!config) {
    print_error(config.error());
    return kExitConfig;
  }
  log::start(options.level.value_or(config->node.log_level));
  log_to_journal();
  if (!options.check) {
    if (const Status opened = open_log(config->log); !opened) {
      print_error(opened.error());
      return kExitConfig;
    }
  }
  keep_rights_to_ourselves();
  mallopt(M_ARENA_MAX, 2);  // an arena a thread would keep what each once needed
  return Daemon(options, std::move(*config)).run();
}

}  // namespace dagsync
