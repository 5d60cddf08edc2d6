#include "cli/mesh_plan.h"

#include <algorithm>
#include <filesystem>

#include "csync2/toml_text.h"
#include "daemon/config_values.h"
#include "dagsync/base/log.h"

namespace dagsync {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSystemDirectory = "/etc/dagsync";
constexpr std::string_view kDefaultPort = "7411";

std::string host_of(const std::string& address) {
  return address.substr(0, address.rfind(':'));
}

std::string port_of_address(const std::string& address) {
  return address.substr(address.rfind(':') + 1);
}

// As ssh and scp want it: an IPv6 address without its brackets for the one, with them for the
// other.
std::string bare(const std::string& host) {
  return host.starts_with('[') ? host.substr(1, host.size() - 2) : host;
}

bool has_port(std::string_view address) {
  if (address.ends_with(']')) return false;
  const std::size_t colon = address.find(':');
  return colon != std::string_view::npos &&
         (address.starts_with('[') || address.find(':', colon + 1) == std::string_view::npos);
}

// In single quotes where a shell would take it for more than a word.
std::string shell_word(const std::string& text) {
  const bool plain = text.find_first_not_of(
                         "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                         "0123456789_-./:@%+,[]") == std::string::npos;
  if (plain && !text.empty()) return text;
  std::string out = "'";
  for (const char c : text)
    out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string listen_of(const MeshPlan& plan, const PlannedNode& node) {
  if (node.name == plan.self && !plan.listen.empty()) return plan.listen;
  const bool is_v6 = node.address.starts_with('[');
  return std::string(is_v6 ? "[::]" : "0.0.0.0") + ":" + port_of_address(node.address);
}

// The drop-in by which the unit runs as the user, read from standard input.
std::string drop_in(const MeshPlan& plan) {
  return "/etc/systemd/system/" + plan.places.unit + ".service.d/user.conf";
}

bool needs_drop_in(const MeshPlan& plan) {
  return !plan.places.unit.empty() && !plan.user.empty() && plan.user != "dagsync";
}

std::string steps_here(const MeshPlan& plan) {
  const NodePlaces& places = plan.places;
  const std::string config = shell_word(places.config);
  if (places.unit.empty()) {
    return "Start this node, " + plan.self.value + ":\n  dagsync daemon --config " + config +
           " --check\n  dagsync daemon --config " + config + "\n";
  }
  std::string out = "Start this node, " + plan.self.value + ":\n";
  if (needs_drop_in(plan)) {
    out += fmt::format(
        "  printf '[Service]\\nUser={}\\n' | install -D -m 0644 /dev/stdin {} && systemctl "
        "daemon-reload\n",
        plan.user, drop_in(plan));
  }
  return out + "  systemctl enable --now " + places.unit + "\n";
}

std::string steps_there(const MeshPlan& plan, const PlannedNode& node) {
  const NodePlaces& places = plan.places;
  const std::string directory = fs::path(places.config).parent_path().string();
  const std::string host = host_of(node.address);
  const std::string ssh = "ssh root@" + bare(host) + " ";
  std::string out = fmt::format(
      "\nOn {}, which has dagsync installed:\n  scp -rp {} root@{}:{}\n", node.name.value,
      shell_word(places.others + "/" + node.name.value + "/."), host, shell_word(directory + "/"));
  if (places.unit.empty()) {
    const std::string daemon = "dagsync daemon --config " + shell_word(places.config);
    return out + "  " + ssh + shell_word(daemon + " --check") + "\n  " + ssh + shell_word(daemon) +
           "\n";
  }
  const std::string owner = plan.user.empty() ? "root" : plan.user;
  const std::string give = "chown -R " + owner + " " + shell_word(places.tls);
  if (needs_drop_in(plan)) {
    const std::string place = "install -D -m 0644 /dev/stdin " + drop_in(plan);
    out += fmt::format("  printf '[Service]\\nUser={}\\n' | {}{}\n", plan.user, ssh,
                       shell_word(give + " && " + place + " && systemctl daemon-reload"));
  } else {
    out += "  " + ssh + shell_word(give) + "\n";
  }
  return out + "  " + ssh + shell_word("systemctl enable --now " + places.unit) + "\n";
}

}  // namespace

NodePlaces places_for(const std::string& absolute_config) {
  const fs::path path(absolute_config);
  const std::string directory = path.parent_path().string();
  const std::string stem = path.stem().string();
  NodePlaces places;
  places.config = absolute_config;
  const bool is_second = directory == kSystemDirectory && stem != "dagsync";
  const std::string suffix = is_second ? "-" + stem : "";
  places.tls = directory + "/tls" + suffix;
  places.others = directory + "/nodes" + suffix;
  if (directory != kSystemDirectory) {
    places.state_dir = directory + "/state";
    places.control_socket = directory + "/control.sock";
    return places;
  }
  places.unit = is_second ? "dagsync@" + stem : "dagsync";
  if (is_second) {
    places.state_dir = "/var/lib/dagsync" + suffix;
    places.control_socket = "/run/dagsync" + suffix + "/control.sock";
  }
  return places;
}

Result<PlannedNode> parse_planned_node(std::string_view text) {
  const std::size_t equals = std::min(text.find('='), text.size());
  auto name = parse_node_name(text.substr(0, equals));
  if (!name) return Unexpected(name.error().with_context("node name"));
  std::string address(text.substr(std::min(equals + 1, text.size())));
  if (address.empty()) address = name->value;
  if (!has_port(address)) {
    const bool is_bare_v6 = !address.starts_with('[') && address.find(':') != std::string::npos;
    if (is_bare_v6) address = "[" + address + "]";
    address += ":" + std::string(kDefaultPort);
  }
  auto good = parse_address(address);
  if (!good) return Unexpected(good.error().with_context("the address of " + name->value));
  return PlannedNode{std::move(*name), std::move(*good)};
}

std::string config_text(const MeshPlan& plan, const PlannedNode& node) {
  TomlText toml;
  toml.comment(
      "Written by `dagsync init`. Every other key, with its default, is in "
      "/usr/share/doc/dagsync/examples/dagsync.toml and in dagsync.toml(5).");
  toml.table("[node]");
  toml.value("name", node.name.value);
  toml.value("listen", std::vector<std::string>{listen_of(plan, node)});
  if (!plan.places.state_dir.empty()) toml.value("state_dir", plan.places.state_dir);
  if (!plan.places.control_socket.empty()) {
    toml.value("control_socket", plan.places.control_socket);
  }
  toml.table("[tls]");
  toml.value("ca", plan.places.tls + "/ca.crt");
  toml.value("cert", plan.places.tls + "/node.crt");
  toml.value("key", plan.places.tls + "/node.key");
  toml.table("[[folder]]");
  toml.value("name", plan.folder_name);
  toml.value("path", plan.folder);
  for (const PlannedNode& peer : plan.nodes) {
    if (peer.name == node.name) continue;
    toml.table("[[peer]]");
    toml.value("name", peer.name.value);
    toml.value("address", std::vector<std::string>{peer.address});
  }
  return toml.text();
}

std::string next_steps(const MeshPlan& plan) {
  std::string out = steps_here(plan);
  for (const PlannedNode& node : plan.nodes) {
    if (node.name != plan.self) out += steps_there(plan, node);
  }
  // Only now: it waits for all of them.
  return out + "\nSee that all are in sync:\n  dagsync status --config " +
         shell_word(plan.places.config) + " --wait 60\n";
}

}  // namespace dagsync
