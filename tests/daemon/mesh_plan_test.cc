#include "cli/mesh_plan.h"

#include <doctest/doctest.h>

#include "daemon/config.h"

namespace dagsync {
namespace {

MeshPlan sample_plan(const std::string& config, const std::string& user) {
  MeshPlan plan;
  for (const char* text : {"node1", "node2=10.0.0.2", "node3=[fd00::3]:7500"})
    plan.nodes.push_back(*parse_planned_node(text));
  plan.self = {"node1"};
  plan.folder_name = "dags";
  plan.folder = "/srv/dags";
  plan.user = user;
  plan.places = places_for(config);
  return plan;
}

bool has_text(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("a node is reached by its name on port 7411 where nothing else is said") {
  const auto address = [](const char* text) {
    const auto node = parse_planned_node(text);
    return node ? node->name.value + " " + node->address : node.error().message;
  };
  CHECK(address("node2") == "node2 node2:7411");
  CHECK(address("node2=host") == "node2 host:7411");
  CHECK(address("node2=host:1") == "node2 host:1");
  CHECK(address("node2=10.0.0.2:1") == "node2 10.0.0.2:1");
  CHECK(address("node2=fd00::2") == "node2 [fd00::2]:7411");
  CHECK(address("node2=[fd00::2]") == "node2 [fd00::2]:7411");
  CHECK(address("node2=[fd00::2]:1") == "node2 [fd00::2]:1");
  CHECK_FALSE(parse_planned_node(""));
  CHECK_FALSE(parse_planned_node("=host"));
  CHECK_FALSE(parse_planned_node("node 2"));
  CHECK_FALSE(parse_planned_node("node2=host:0"));
}

TEST_CASE("in /etc/dagsync a node's things are where the units have them") {
  const NodePlaces first = places_for("/etc/dagsync/dagsync.toml");
  CHECK(first.unit == "dagsync");
  CHECK(first.tls == "/etc/dagsync/tls");
  CHECK(first.state_dir.empty());
  const NodePlaces second = places_for("/etc/dagsync/staging.toml");
  CHECK(second.unit == "dagsync@staging");
  CHECK(second.tls == "/etc/dagsync/tls-staging");
  CHECK(second.state_dir == "/var/lib/dagsync-staging");
  CHECK(second.control_socket == "/run/dagsync-staging/control.sock");
  const NodePlaces elsewhere = places_for("/home/me/mesh/dagsync.toml");
  CHECK(elsewhere.unit.empty());
  CHECK(elsewhere.state_dir == "/home/me/mesh/state");
}

TEST_CASE("each node's configuration is one, and names all others") {
  const MeshPlan plan = sample_plan("/etc/dagsync/dagsync.toml", "airflow");
  for (const PlannedNode& node : plan.nodes) {
    const auto config = parse_config(config_text(plan, node), "test.toml");
    REQUIRE_MESSAGE(config, config.error().message);
    CHECK(config->node.name == node.name);
    CHECK(config->peers.size() == 2);
    CHECK(config->folders.front().path == "/srv/dags");
    CHECK(config->tls.key == "/etc/dagsync/tls/node.key");
  }
  CHECK(has_text(config_text(plan, plan.nodes[2]), "listen = [\"[::]:7500\"]"));
}

TEST_CASE("the commands that are left make the daemon run as whom the folder belongs to") {
  const std::string airflow = next_steps(sample_plan("/etc/dagsync/dagsync.toml", "airflow"));
  CHECK(has_text(airflow, "\n  scp -rp /etc/dagsync/nodes/node2/. root@10.0.0.2:/etc/dagsync/\n"));
  CHECK(has_text(airflow, "User=airflow"));
  CHECK(has_text(airflow, "chown -R airflow /etc/dagsync/tls"));
  CHECK(has_text(airflow, "ssh root@fd00::3 'systemctl enable --now dagsync'"));
  CHECK_MESSAGE(airflow.ends_with("dagsync status --config /etc/dagsync/dagsync.toml --wait 60\n"),
                "it waits for all, so it comes when all are started");
  const std::string own = next_steps(sample_plan("/etc/dagsync/staging.toml", "dagsync"));
  CHECK_FALSE(has_text(own, "User="));
  CHECK(has_text(own, "chown -R dagsync /etc/dagsync/tls-staging"));
  CHECK(has_text(own, "systemctl enable --now dagsync@staging"));
}

}  // namespace
}  // namespace dagsync
