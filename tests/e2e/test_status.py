"""`dagsync status`: what it says, its exit statuses, and that it never says "in sync" too early."""

from __future__ import annotations

import json
import os
import time
import unittest
from pathlib import Path

from case import FreshMesh, SharedMesh

FOLDER_KEYS = {
    "name",
    "path",
    "mode",
    "state",
    "state_reason",
    "files",
    "directories",
    "bytes",
    "sequence",
    "pending_changes",
    "conflicts",
    "errors",
    "peers",
}
FOLDER_PEER_KEYS = {
    "name",
    "in_sync",
    "behind_files",
    "behind_bytes",
    "acked_sequence",
    "lag_seconds",
}
PEER_KEYS = {
    "name",
    "address",
    "connected",
    "version",
    "rtt_ms",
    "clock_offset_ms",
    "last_seen",
    "bytes_sent",
    "bytes_received",
    "certificate_expires",
}


def keys_of(printed: object) -> set[str]:
    """Of all objects in it."""
    if isinstance(printed, list):
        return set().union(*map(keys_of, printed))
    if isinstance(printed, dict):
        return set(printed).union(*map(keys_of, printed.values()))
    return set()


class InSync(SharedMesh):
    def test_in_sync_is_exit_status_0_and_the_table_names_the_nodes(self) -> None:
        done = self.a.run("status")
        self.assert_status(done, 0)
        for name in ("b", "c", "dags"):
            self.assertIn(name, done.stdout)
        self.assertNotIn("\x1b", done.stdout, "colours are for terminals")

    def test_json_has_every_key_of_the_interface(self) -> None:
        self.a.write("sub/counted.py", b"12345")
        self.mesh.converge()
        status = json.loads(self.a.run("status", "--json").stdout)
        self.assertLessEqual(
            {"node", "version", "uptime_seconds", "in_sync", "folders", "peers"}, set(status)
        )
        self.assertEqual((status["node"], status["in_sync"]), ("a", True))
        [folder] = status["folders"]
        self.assertLessEqual(FOLDER_KEYS, set(folder))
        self.assertEqual(
            (folder["name"], folder["path"], folder["mode"], folder["state"]),
            ("dags", str(self.a.folder), "sync", "idle"),
        )
        self.assertEqual(
            (folder["pending_changes"], folder["conflicts"], folder["errors"]), (0, 0, [])
        )
        self.assertEqual({peer["name"] for peer in folder["peers"]}, {"b", "c"})
        for peer in folder["peers"]:
            self.assertLessEqual(FOLDER_PEER_KEYS, set(peer))
            self.assertEqual(
                (peer["in_sync"], peer["behind_files"], peer["behind_bytes"]), (True, 0, 0)
            )
        for peer in status["peers"]:
            self.assertLessEqual(PEER_KEYS, set(peer))
            self.assertTrue(peer["connected"])
            self.assertLess(abs(peer["clock_offset_ms"]), 1000)
            self.assertGreater(peer["bytes_sent"] + peer["bytes_received"], 0)

    def test_every_key_that_programs_get_is_told_to_people(self) -> None:
        self.a.write("kept.py", b"first")
        self.mesh.converge()
        self.b.write("kept.py", b"second")
        self.mesh.converge()
        readme = (Path(__file__).resolve().parents[2] / "README.md").read_text()
        told = readme[readme.index("## Output for programs") : readme.index("## Moving over")]
        for command in (["status"], ["push"], ["verify"], ["versions", "kept.py"]):
            printed = json.loads(self.a.run(*command, "--json").stdout)
            self.assertTrue(printed, command)
            for key in keys_of(printed):
                self.assertIn(f'"{key}":', told, command)

    def test_files_directories_and_bytes_are_counted(self) -> None:
        before = self.b.folder_status()
        self.a.write("counted/one.py", b"1" * 1000)
        self.a.write("counted/two.py", b"2" * 500)
        self.mesh.converge()
        after = self.b.folder_status()
        grown = {key: after[key] - before[key] for key in ("files", "directories", "bytes")}
        self.assertEqual(grown, {"files": 2, "directories": 1, "bytes": 1500})

    def test_in_sync_is_never_said_too_early(self) -> None:
        for round_ in range(60):
            content = f"round {round_}".encode()
            self.a.write("honest.py", content)
            self.assert_status(self.a.run("status", "--wait", "20"), 0)
            self.assert_content("honest.py", content)

    def test_in_sync_is_never_said_too_early_of_many_files(self) -> None:
        for index in range(300):
            self.b.write(f"many/{index % 7}/{index}.py", os.urandom(3000))
        self.assert_status(self.b.run("status", "--wait", "30"), 0)
        self.assertEqual(self.mesh.differences(), [])
        self.mesh.converge()


class NotInSync(FreshMesh):
    def test_no_daemon_is_exit_status_3(self) -> None:
        done = self.mesh["a"].run("status", "--json")
        self.assert_status(done, 3)
        self.assertIn("dagsync: ", done.stderr)

    def test_a_missing_peer_is_named_and_waited_for(self) -> None:
        self.mesh.start("a", "b")
        a, b, c = self.mesh.nodes
        self.mesh.wait_until(lambda: a.peer_status("b").get("connected"), "a and b are connected")
        a.write("new.py", b"x" * 1000)
        self.mesh.wait_content("new.py", b"x" * 1000)
        self.mesh.wait_until(
            lambda: a.folder_status()["pending_changes"] == 0, "a has nothing pending"
        )
        done = a.run("status")
        self.assert_status(done, 1)
        self.assertIn("c", done.stdout)
        status = a.status()
        self.assertFalse(status["in_sync"])
        self.assertFalse(a.peer_status("c")["connected"])
        behind = {peer["name"]: peer["in_sync"] for peer in status["folders"][0]["peers"]}
        self.assertFalse(behind["c"])
        began = time.monotonic()
        self.assert_status(a.run("status", "--wait", "1"), 1)
        self.assertGreaterEqual(time.monotonic() - began, 0.9)
        c.start()
        self.assert_status(a.run("status", "--wait", "20"), 0)
        self.assert_content("new.py", b"x" * 1000)

    def test_files_behind_are_counted_for_a_peer_that_is_away(self) -> None:
        a, b, c = self.begin()
        c.stop()
        for index in range(10):
            a.write(f"{index}.py", b"x" * 100)

        def behind() -> tuple:
            peers = {peer["name"]: peer for peer in a.folder_status()["peers"]}
            return (
                peers["c"]["behind_files"],
                peers["c"]["behind_bytes"],
                peers["b"]["behind_files"],
            )

        self.mesh.wait_until(lambda: behind() == (10, 1000, 0), "ten files behind")
        c.start()
        self.mesh.converge()
        self.assertEqual(behind(), (0, 0, 0))


@unittest.skipUnless(os.geteuid() == 0, "only root can own files as somebody else")
class Leases(FreshMesh):
    NOBODY = 65534

    def test_the_warning_about_leases_names_a_file_and_goes_when_it_is_over(self) -> None:
        a, b, c = self.mesh.nodes
        a.launcher = ["setpriv", "--bounding-set=-lease", "--inh-caps=-lease"]
        self.begin()
        self.assertEqual(a.folder_status()["state_reason"], "")
        for name in ("first.py", "second.py"):
            a.write(name, b"x")
            os.chown(a.path(name), self.NOBODY, self.NOBODY)

        def reason() -> str:
            return a.folder_status()["state_reason"]

        self.mesh.wait_until(lambda: "of 2 file(s), first.py for one" in reason(), "both are named")
        self.assertIn("CAP_LEASE", reason())
        os.chown(a.path("first.py"), 0, 0)
        self.mesh.wait_until(lambda: "of 1 file(s), second.py for one" in reason(), "one is left")
        os.unlink(a.path("second.py"))
        self.mesh.wait_until(lambda: reason() == "", "it is over")


if __name__ == "__main__":
    unittest.main()
