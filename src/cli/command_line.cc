#include "cli/command_line.h"

#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdlib>

#include "daemon/config_values.h"
#include "daemon/version.h"
#include "daemon/x509.h"

namespace dagsync {
namespace {

constexpr const char* kDefaultConfig = "/etc/dagsync/dagsync.toml";
constexpr double kMaxSeconds = 1e8;
constexpr int kMaxDays = kAuthorityDays;

std::string default_config() {
  const char* named = std::getenv("DAGSYNC_CONFIG");
  return named != nullptr && *named != '\0' ? named : kDefaultConfig;
}

void add_config(CLI::App* command, CommandLine& line) {
  command
      ->add_option("--config", line.config_path,
                   "The configuration ($DAGSYNC_CONFIG, else " + std::string(kDefaultConfig) + ")")
      ->type_name("FILE");
}

CLI::App* add_command(CLI::App& app, CommandLine& line, const std::string& name,
                      const std::string& about, const std::string& examples,
                      std::function<int()> run) {
  CLI::App* command = app.add_subcommand(name, about);
  command->footer("Examples:\n" + examples);
  add_config(command, line);
  command->final_callback([&line, run = std::move(run)] { line.run = run; });
  return command;
}

std::string check_level(const std::string& text) {
  const auto level = parse_log_level(text);
  return level ? "" : level.error().message;
}

template <typename T>
bool is_number_in(const std::string& text, T least, T most) {
  T number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && least <= number && number <= most;
}

std::string check_seconds(const std::string& text) {
  if (is_number_in(text, 0.0, kMaxSeconds)) return "";
  return "is \"" + text + "\": give a number of seconds, e.g. 30";
}

std::string check_days(const std::string& text) {
  if (is_number_in(text, 1, kMaxDays)) return "";
  return "is \"" + text + "\": give a whole number of days, from 1 to " + std::to_string(kMaxDays);
}

std::string check_acks(const std::string& text) {
  const bool number = !text.empty() && text.size() <= 4 && text[0] != '0' &&
                      text.find_first_not_of("0123456789") == std::string::npos;
  return number || text == "all" ? "" : "is \"" + text + "\": give a number of nodes, or all";
}

void add_daemon(CLI::App& app, CommandLine& line) {
  auto* command =
      add_command(app, line, "daemon", "Run in the foreground, as systemd does",
                  "  dagsync daemon --check\n  dagsync daemon --log-level debug", [&line] {
                    line.daemon.config_path = line.config_path;
                    if (!line.log_level.empty()) {
                      line.daemon.level = *parse_log_level(line.log_level);
                    }
                    return run_daemon(line.daemon);
                  });
  command->add_option("--log-level", line.log_level, "debug, info, warning or error")
      ->check(CLI::Validator(check_level, ""))
      ->type_name("LEVEL");
  command->add_flag("--check", line.daemon.check, "Read the configuration, open everything, exit");
}

void add_status(CLI::App& app, CommandLine& line) {
  auto* command = add_command(
      app, line, "status", "Show what this node knows of the mesh; 0 when all is in sync",
      "  dagsync status --wait 30 && echo all nodes have it\n  dagsync status --watch\n"
      "  dagsync status --json | jq .folders[].state",
      [&line] { return run_status(line.config_path, line.status); });
  auto* json = command->add_flag("--json", line.status.json, "Print JSON");
  auto* wait = command
                   ->add_option("--wait", line.status.wait,
                                "Return as soon as every counted peer is in sync, or then")
                   ->check(CLI::Validator(check_seconds, ""))
                   ->type_name("SECONDS");
  command->add_flag("--watch", line.status.watch, "Show it anew each second, until interrupted")
      ->excludes(json)
      ->excludes(wait);
}

void add_push(CLI::App& app, CommandLine& line) {
  auto* command = add_command(
      app, line, "push", "Send what changed now, and return when the peers have it durably",
      "  dagsync push\n  dagsync push etl/load.py --timeout 10 --min-acks 1\n"
      "  dagsync push --to node1:7411 --from build/dags --delete",
      [&line] { return run_push(line.config_path, line.push); });
  PushOptions& push = line.push;
  command->add_option("PATH", push.paths, "Only these, absolute or relative to the folder");
  command->add_option("--folder", push.folder, "Which folder")->type_name("NAME");
  command->add_option("--timeout", push.timeout, "Give up after so long")
      ->capture_default_str()
      ->check(CLI::Validator(check_seconds, ""))
      ->type_name("SECONDS");
  command->add_option("--min-acks", push.min_acks, "Return with so many acknowledgements")
      ->capture_default_str()
      ->check(CLI::Validator(check_acks, ""))
      ->type_name("N|all");
  command->add_flag("--json", push.json, "Print JSON");
  auto* to =
      command->add_option("--to", push.to, "Without a daemon: the node to push to; repeatable")
          ->allow_extra_args(false)
          ->type_name("HOST:PORT");
  auto* from = command->add_option("--from", push.from, "With --to: the directory to push")
                   ->type_name("DIR");
  to->needs(from);
  from->needs(to);
  command->add_flag("--delete", push.delete_missing, "With --to: delete there what DIR lacks")
      ->needs(to);
  command->add_flag("--dry-run", push.dry_run, "With --to: print what would be done")->needs(to);
}

void add_versions(CLI::App& app, CommandLine& line) {
  auto* conflicts =
      add_command(app, line, "conflicts", "List the contents that lost against a younger one",
                  "  dagsync conflicts\n  dagsync conflicts --json",
                  [&line] { return run_conflicts(line.config_path, line.versions); });
  auto* versions = add_command(app, line, "versions", "List the kept versions of a path",
                               "  dagsync versions etl/load.py",
                               [&line] { return run_versions(line.config_path, line.versions); });
  versions->add_option("PATH", line.versions.path, "Absolute or relative to the folder")
      ->required();
  for (auto* command : {conflicts, versions}) {
    command->add_option("--folder", line.versions.folder, "Which folder")->type_name("NAME");
    command->add_flag("--json", line.versions.json, "Print JSON");
  }
}

void add_restore(CLI::App& app, CommandLine& line) {
  auto* command =
      add_command(app, line, "restore", "Bring a kept version back, as a new change of now",
                  "  dagsync restore etl/load.py\n  dagsync restore etl/load.py --version ID",
                  [&line] { return run_restore(line.config_path, line.restore); });
  command->add_option("PATH", line.restore.path, "Absolute or relative to the folder")->required();
  command->add_option("--folder", line.restore.folder, "Which folder")->type_name("NAME");
  command->add_option("--version", line.restore.version, "Which one (`dagsync versions PATH`)")
      ->type_name("ID");
}

void add_pause(CLI::App& app, CommandLine& line) {
  auto* command = add_command(
      app, line, "pause", "Neither publish into a folder nor send its changes, until `resume`",
      "  dagsync pause dags     what was written before still travels; a restart changes nothing\n"
      "  dagsync resume dags    takes in what happened meanwhile, here and elsewhere",
      [&line] { return run_pause(line.config_path, line.pause); });
  command->add_option("FOLDER", line.pause.folder, "The folder's name")->required();
}

void add_resume(CLI::App& app, CommandLine& line) {
  auto* command = add_command(
      app, line, "resume", "End a pause or a safety halt",
      "  dagsync resume dags                    the missing files come back from the peers\n"
      "  dagsync resume dags --accept-deletes   they are deleted everywhere",
      [&line] { return run_resume(line.config_path, line.resume); });
  command->add_option("FOLDER", line.resume.folder, "The folder's name")->required();
  command->add_flag("--accept-deletes", line.resume.accept_deletes,
                    "Delete the missing files everywhere");
}

void add_verify(CLI::App& app, CommandLine& line) {
  auto* command = add_command(
      app, line, "verify",
      "Read every byte of every file again and compare with every peer; 0 when identical",
      "  dagsync verify\n  dagsync verify --json | jq .differences\n"
      "  dagsync verify --repair   what is wrong on this node is fetched; what stood there is kept",
      [&line] { return run_verify(line.config_path, line.verify); });
  command->add_option("--folder", line.verify.folder, "Only this one")->type_name("NAME");
  command->add_flag("--json", line.verify.json, "Print JSON");
  command->add_flag("--repair", line.verify.repair,
                    "Fetch the right content for what is wrong on this node");
}

void add_events(CLI::App& app, CommandLine& line) {
  auto* command =
      add_command(app, line, "events", "Follow what happens on this node, until interrupted",
                  "  dagsync events\n  dagsync events --json | jq -c 'select(.kind == \"error\")'",
                  [&line] { return run_events(line.config_path, line.events); });
  command->add_flag("--json", line.events.json, "Print JSON, an object a line");
}

std::string check_address(const std::string& text) {
  const auto address = parse_address(text);
  return address ? "" : address.error().message;
}

std::string check_folder_name(const std::string& text) {
  const auto name = parse_folder_name(text);
  return name ? "" : name.error().message;
}

void add_init(CLI::App& app, CommandLine& line) {
  InitOptions& init = line.init;
  init.folder_name = "dags";
  auto* command =
      add_command(app, line, "init", "Set up a mesh: its CA, certificates and configurations",
                  "  dagsync init     asks, on a terminal, for all that it needs to know\n"
                  "  dagsync init --nodes node1,node2,node3 --folder /home/airflow/airflow/dags\n"
                  "  dagsync init --nodes a=10.0.0.1,b=10.0.0.2:7500 --node a --folder /srv/dags",
                  [&line] { return run_init(line.config_path, line.init); });
  command
      ->add_option("--nodes", init.nodes,
                   "All nodes, with commas, and where each is reached if not under its name")
      ->delimiter(',')
      ->type_name("A[=HOST[:PORT]],B,...");
  command->add_option("--node", init.node, "Which one this is (this machine's name)")
      ->type_name("NAME");
  command->add_option("--folder", init.folder, "The folder to keep the same, as it is on all nodes")
      ->type_name("DIR");
  command->add_option("--folder-name", init.folder_name, "What the folder is called")
      ->capture_default_str()
      ->check(CLI::Validator(check_folder_name, ""))
      ->type_name("NAME");
  command->add_option("--listen", init.listen, "Where this node listens (every address)")
      ->check(CLI::Validator(check_address, ""))
      ->type_name("HOST:PORT");
  command
      ->add_option("--ca", init.authority,
                   "The CA's directory, made if it is not there (ca/ beside the configuration)")
      ->type_name("DIR");
}

void add_certs(CLI::App& app, CommandLine& line) {
  CLI::App* certs = app.add_subcommand("certs", "Make and show certificates");
  certs->require_subcommand(1);
  certs->footer("Example:\n  dagsync certs init tls --nodes node1,node2,node3");
  add_config(certs, line);
  CertsOptions& options = line.certs;
  options.days = kDefaultCertificateDays;
  auto* init = add_command(*certs, line, "init", "Make the cluster's CA and a certificate per node",
                           "  dagsync certs init tls --nodes node1,node2,node3",
                           [&options] { return run_certs_init(options); });
  auto* issue = add_command(*certs, line, "issue", "Make a certificate for one more node",
                            "  dagsync certs issue tls --node node4\n"
                            "  dagsync certs issue tls --node ci --name runner.example.org",
                            [&options] { return run_certs_issue(options); });
  auto* renew = add_command(
      *certs, line, "renew", "Replace a node's certificate; the old one is kept",
      "  dagsync certs renew tls --node node1", [&options] { return run_certs_renew(options); });
  auto* show = add_command(*certs, line, "show", "Show certificates; 1 when one has expired",
                           "  dagsync certs show     those that the configuration names\n"
                           "  dagsync certs show tls",
                           [&line] { return run_certs_show(line.config_path, line.certs); });
  init->add_option("--nodes", options.nodes, "The nodes' names, with commas")
      ->delimiter(',')
      ->required()
      ->type_name("A,B,C");
  issue->add_option("--name", options.names, "Another name for it; repeatable")
      ->allow_extra_args(false);
  for (auto* command : {init, issue, renew}) {
    command->add_option("DIR", options.path, "Where the certificates are")->required();
  }
  show->add_option("PATH", options.path, "A file, or a directory of certificates");
  for (auto* command : {issue, renew}) {
    command->add_option("--node", options.node, "The node's name")->required();
  }
  for (auto* command : {init, issue, renew}) {
    command->add_option("--days", options.days, "How long it is valid")
        ->capture_default_str()
        ->check(CLI::Validator(check_days, ""));
  }
}

void add_import_csync2(CLI::App& app, CommandLine& line) {
  auto* command = add_command(app, line, "import-csync2",
                              "Print the dagsync.toml that does what a csync2.cfg did",
                              "  dagsync import-csync2 /etc/csync2.cfg > dagsync.toml\n"
                              "  dagsync import-csync2 /etc/csync2.cfg --host node2",
                              [&line] { return run_import_csync2(line.import_csync2); });
  command->add_option("FILE", line.import_csync2.file, "csync2's configuration")->required();
  command->add_option("--host", line.import_csync2.host, "For this node (this machine's name)")
      ->type_name("NAME");
}

}  // namespace

void add_commands(CLI::App& app, CommandLine& line) {
  line.config_path = default_config();
  app.name("dagsync");
  app.description("dagsync keeps one DAG folder identical on every Airflow node.");
  app.set_version_flag("--version", "dagsync " + std::string(dagsync_version()));
  app.require_subcommand(1);
  app.footer(
      "Examples:\n  dagsync init --nodes node1,node2,node3 --folder /home/airflow/airflow/dags\n"
      "  dagsync status --wait 30\n"
      "Each command has its own: `dagsync push --help`.");
  add_config(&app, line);
  add_init(app, line);
  add_daemon(app, line);
  add_status(app, line);
  add_push(app, line);
  add_versions(app, line);
  add_restore(app, line);
  add_pause(app, line);
  add_resume(app, line);
  add_verify(app, line);
  add_events(app, line);
  add_certs(app, line);
  add_import_csync2(app, line);
}

}  // namespace dagsync
