"""Metrics, health and status over HTTP, as machines read them."""

import json
import pathlib
import re
import socket
import ssl
import subprocess
import unittest

import web
from case import FreshMesh, SharedMesh

PACKAGING = pathlib.Path(__file__).resolve().parents[2] / "packaging"
LABELS = {"folder", "peer", "direction", "kind", "state", "version", "le"}
FUNCTIONS = set(
    "abs and by histogram_quantile humanizeDuration increase le max on rate sum time unless".split()
)
BUILT_IN = {"up"}


class Served(SharedMesh):
    @classmethod
    def setUpClass(cls) -> None:
        web.serve_mesh(cls)

    def test_a_change_shows_in_the_metrics_of_both_ends(self) -> None:
        a, b, c = self.mesh.nodes
        for number in range(20):
            a.write(f"metrics/{number}.py", b"x" * 1000)
        self.mesh.converge()
        sent = 'dagsync_changes_total{folder="dags",peer="b",direction="sent"}'
        lag = 'dagsync_replication_lag_seconds_count{folder="dags",peer="c"}'
        self.mesh.wait_until(lambda: web.metrics(a)[lag] >= 21, "the lag to c is measured")
        at_a, at_b = web.metrics(a), web.metrics(b)
        self.assertGreaterEqual(at_a[sent], 21)
        self.assertGreaterEqual(
            at_a['dagsync_content_bytes_total{folder="dags",peer="b",direction="sent"}'], 20000
        )
        received = 'dagsync_changes_total{folder="dags",peer="a",direction="received"}'
        self.assertGreaterEqual(at_b[received], 21)
        self.assertLess(at_a['dagsync_replication_lag_seconds_sum{folder="dags",peer="c"}'], 60)
        self.assertEqual(1, at_a["dagsync_in_sync"])
        self.assertEqual(1, at_a['dagsync_folder_state{folder="dags",state="idle"}'])
        self.assertEqual(1, at_a['dagsync_peer_connected{peer="b"}'])
        self.assertGreater(at_a['dagsync_network_bytes_total{peer="b",direction="sent"}'], 0)
        self.assertGreater(at_a['dagsync_inotify_watches{folder="dags"}'], 1)
        self.assertGreater(at_a["dagsync_inotify_watches_limit"], 1)
        self.assertGreater(at_a['dagsync_index_size_bytes{folder="dags"}'], 4096)
        self.assertGreater(at_a["dagsync_certificate_expiry_timestamp_seconds"], 1.7e9)
        self.assertIn('dagsync_peer_clock_offset_seconds{peer="b"}', at_a)

    def test_what_a_delta_saves_is_counted(self) -> None:
        a = self.mesh["a"]
        before = web.metrics(a)['dagsync_delta_saved_bytes_total{folder="dags"}']
        content = bytes(range(256)) * 2000
        a.write("delta.bin", content)
        self.mesh.converge()
        a.write("delta.bin", content[:1000] + b"!" + content[1001:])
        self.mesh.converge()
        saved = web.metrics(a)['dagsync_delta_saved_bytes_total{folder="dags"}'] - before
        self.assertGreater(saved, 500_000)
        self.assertLess(saved, 3 * len(content))

    def test_metrics_are_as_prometheus_wants_them(self) -> None:
        _, text = web.get(self.mesh["a"], "/metrics")
        done = subprocess.run(
            ["promtool", "check", "metrics"], input=text, capture_output=True, text=True
        )
        self.assertEqual((0, ""), (done.returncode, done.stdout + done.stderr))
        self.assertLessEqual(set(re.findall(r'[{,](\w+)="', text)), LABELS)
        self.assertNotIn("/", "".join(re.findall(r'="([^"]*)"', text)), "a path is no label")

    def test_alerts_and_dashboard_ask_only_for_what_there_is(self) -> None:
        text = web.get(self.mesh["a"], "/metrics")[1]
        kinds = dict(re.findall(r"# TYPE (\w+) (\w+)", text))
        names = set(kinds) | {
            f"{name}_{end}"
            for name, kind in kinds.items()
            if kind == "histogram"
            for end in ("bucket", "sum", "count")
        }
        board = json.loads((PACKAGING / "grafana/dagsync.json").read_text())
        asked = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
        self.assertGreater(len(asked), 15)
        alerts = (PACKAGING / "prometheus/alerts.yml").read_text()
        asked += re.findall(r"expr: (?:>\n)?(.*?)\n +(?:for|labels):", alerts, re.DOTALL)
        for query in asked:
            bare = re.sub(r"\{[^}]*\}|\[[^]]*\]|\b(by|on) \([^)]*\)", "", query)
            for word in set(re.findall(r"\b[a-z]\w+", bare)) - FUNCTIONS - BUILT_IN:
                self.assertIn(word, names, query)
        for check in ("check", "test"):
            file = "alerts.yml" if check == "check" else "alerts_test.yml"
            done = subprocess.run(
                ["promtool", check, "rules", file],
                cwd=PACKAGING / "prometheus",
                capture_output=True,
                text=True,
            )
            self.assertEqual(0, done.returncode, done.stdout + done.stderr)

    def test_status_is_that_of_the_command(self) -> None:
        a = self.mesh["a"]

        def steady(status: dict) -> dict:
            status.pop("uptime_seconds")
            for peer in status["peers"]:
                for key in ("rtt_ms", "clock_offset_ms", "last_seen", "bytes_sent", "bytes_received"):
                    peer.pop(key)
            return status

        told = json.loads(a.run("status", "--json").stdout)
        self.assertEqual(steady(told), steady(web.get_json(a, "/status.json")))
        seen = {peer["name"]: peer["connected_to"] for peer in a.status()["peers"]}
        self.assertEqual({"b": ["a", "c"], "c": ["a", "b"]}, seen)

    def test_events_go_on_where_a_browser_lost_them(self) -> None:
        a = self.mesh["a"]
        first = self.follow(a, "/events", {})
        for name in ("events1.py", "events2.py"):
            a.write(name, b"1")
            self.mesh.converge()
        ids = [self.event(first) for _ in range(2)]
        first.close()
        again = self.follow(a, "/events", {"Last-Event-ID": ids[0][0]})
        self.assertEqual(ids[1], self.event(again))
        again.close()
        last = self.follow(a, "/events?recent=1", {"Last-Event-ID": "1.1"})
        self.assertIsNotNone(self.event(last)[1]["kind"])
        last.close()

    def follow(self, one, path: str, head: dict):
        link = web.connection(one)
        link.request("GET", path, headers=head)
        answer = link.getresponse()
        self.assertEqual("text/event-stream", answer.getheader("Content-Type"))
        return answer

    def event(self, stream) -> tuple[str, dict]:
        number = ""
        for line in stream:
            field, _, value = line.decode().rstrip("\n").partition(": ")
            if field == "id":
                number = value
            if field == "data":
                return number, json.loads(value)
        self.fail("the stream has ended")

    def test_what_it_does_not_do(self) -> None:
        a = self.mesh["a"]
        self.assertEqual(404, web.get(a, "/etc/passwd")[0])
        for method, host, status in (("POST", a.host, 405), ("GET", "evil.example", 421)):
            link = web.connection(a)
            link.request(method, "/status.json", headers={"Host": host})
            answer = link.getresponse()
            self.assertEqual(status, answer.status, method)
            self.assertIn("default-src 'none'", answer.getheader("Content-Security-Policy"))
            link.close()

    def test_a_hundred_idle_clients_keep_nobody_out(self) -> None:
        a = self.mesh["a"]
        idle = []
        try:
            for _ in range(200):
                idle.append(socket.create_connection((a.host, web.PORT), 10))
            self.mesh.wait_until(lambda: self.answers(a), "somebody is answered", 15)
        finally:
            for each in idle:
                each.close()

    def answers(self, one) -> bool:
        try:
            return web.get(one, "/healthz") == (200, "ok\n")
        except OSError:
            return False


class Health(FreshMesh):
    options = {"n": 2, "folder": {"max_delete_percent": 10}}

    def test_ready_is_not_alive(self) -> None:
        a, b = self.mesh.nodes
        web.serve(self.mesh)
        self.begin()
        for number in range(40):
            a.write(f"{number}.py", b"x")
        self.mesh.converge()
        self.assertEqual((200, "ready\n"), web.get(a, "/readyz"))
        for number in range(40):
            (a.folder / f"{number}.py").unlink()
        self.mesh.wait_until(lambda: web.get(a, "/readyz")[0] == 503, "a halted node is not ready")
        self.assertIn("folder dags is halted: 40 files", web.get(a, "/readyz")[1])
        self.assertEqual((200, "ok\n"), web.get(a, "/healthz"))
        self.assertEqual(1, web.metrics(a)['dagsync_errors_total{folder="dags",kind="halted"}'])

    def test_a_pause_is_told_from_a_halt(self) -> None:
        a, b = self.mesh.nodes
        web.serve(self.mesh)
        self.begin()
        self.mesh.wait_in_sync()

        def states(one) -> list[str]:
            found = web.metrics(one)
            return [name for name in ("scanning", "syncing", "idle", "halted", "paused")
                    if found[f'dagsync_folder_state{{folder="dags",state="{name}"}}'] == 1]

        self.assertEqual(["idle"], states(a))
        self.assert_status(a.run("pause", "dags"), 0)
        self.assertEqual(["paused"], states(a))
        self.assertEqual(0, web.metrics(a)['dagsync_errors_total{folder="dags",kind="halted"}'])
        self.assertEqual(("halted", True), (a.folder_status()["state"], a.folder_status()["paused"]))
        self.assertFalse(b.folder_status()["paused"])
        status, why = web.get(a, "/readyz")
        self.assertEqual(503, status)
        self.assertIn("folder dags is paused by the operator since", why)
        self.assertNotIn("halted", a.log_text())
        self.assert_status(a.run("resume", "dags"), 0)
        self.mesh.wait_until(lambda: states(a) == ["idle"], "it goes on")

    def test_in_the_open_only_with_tls_or_on_purpose(self) -> None:
        a = self.mesh["a"]
        self.mesh.configure(a, node={"http": f"0.0.0.0:{web.PORT}"})
        done = a.run("daemon", "--check")
        self.assertEqual(2, done.returncode)
        self.assertRegex(done.stderr, r"dagsync.toml:\d+: key `node.http`: .*set http_tls = true")
        self.mesh.configure(a, node={"http": f"0.0.0.0:{web.PORT}", "http_insecure": True})
        self.assert_status(a.run("daemon", "--check"), 0)

    def test_over_tls_with_the_nodes_certificate(self) -> None:
        a, b = self.mesh.nodes
        web.serve(self.mesh, http_tls=True)
        self.begin()
        trusting = ssl.create_default_context(cafile=str(a.home / "ca.crt"))
        trusting.check_hostname = False  # its name is "a"; the address is a test's
        self.assertEqual((200, "ok\n"), web.get(a, "/healthz", trusting))
        link = web.connection(a, trusting)
        for _ in range(3):
            link.request("GET", "/status.json")
            self.assertEqual("a", json.load(link.getresponse())["node"])
        self.assertIn(("subjectAltName", (("DNS", "a"),)), link.sock.getpeercert().items())
        link.close()
        with self.assertRaises((ConnectionError, OSError)):
            web.get(a, "/healthz")  # in plain text


if __name__ == "__main__":
    unittest.main()
