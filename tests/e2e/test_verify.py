"""`dagsync verify`: every byte is read again on every node, and what is wrong is named and mended."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import unittest

from case import FreshMesh, SharedMesh
from node import BINARY, Node


def verify(one: Node, *options: str) -> tuple[int, dict]:
    done = one.run("verify", "--json", *options)
    return done.returncode, json.loads(done.stdout)


def listed(told: dict) -> list[tuple[str, str]]:
    return sorted((each["path"], each["node"]) for each in told["differences"])


def rot(one: Node, name: str, content: bytes) -> None:
    """Other bytes of the same size behind the back of a stopped node: no time that it looks at has
    moved. (No call sets a ctime; so the index is told the one that the file has now.)"""
    path = one.path(name)
    before = os.stat(path)
    assert len(content) == before.st_size
    with open(path, "r+b") as file:
        file.write(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    index = sqlite3.connect(one.state_dir / "folders" / "dags" / "index.db")
    with index:
        changed = index.execute(
            "UPDATE entry SET disk_ctime_ns = ? WHERE path = ?",
            (os.stat(path).st_ctime_ns, name.encode()),
        )
        assert changed.rowcount == 1
    index.close()


class Identical(SharedMesh):
    def test_what_is_the_same_everywhere_is_identical(self) -> None:
        for index in range(30):
            self.a.write(f"dir{index % 3}/{index}.py", os.urandom(1000 + index))
        self.a.write("large.bin", os.urandom(9 << 20))
        os.symlink("dir0", self.a.path("link"))
        os.mkdir(self.a.path("empty"))
        self.mesh.converge()
        for one in (self.a, self.b):
            status, told = verify(one)
            self.assertEqual((status, told["identical"], told["differences"]), (0, True, []), told)
            self.assertGreaterEqual(told["files"], 32)
        done = self.a.run("verify")
        self.assert_status(done, 0)
        self.assertIn("identical", done.stdout)

    def test_an_edit_that_nobody_noticed_is_taken_in(self) -> None:
        """The mtime is put back, but the ctime moves: that is an edit, not a corruption."""
        self.a.write("edited.py", b"before")
        self.mesh.converge()
        before = os.stat(self.a.path("edited.py"))
        with open(self.a.path("edited.py"), "r+b") as file:
            file.write(b"after!")
        os.utime(self.a.path("edited.py"), ns=(before.st_atime_ns, before.st_mtime_ns))
        status, told = verify(self.a)
        self.assertEqual((status, told["differences"]), (0, []))
        self.assert_content("edited.py", b"after!")

    def test_files_that_change_all_the_time_are_no_differences(self) -> None:
        for round_ in range(5):
            for index in range(20):
                self.b.write(f"busy/{index}.py", f"{round_} {index}")
            status, told = verify(self.a)
            self.assertEqual((status, told["differences"]), (0, []))

    def test_no_daemon_and_an_unknown_folder(self) -> None:
        done = self.a.run("verify", "--folder", "nothing")
        self.assert_status(done, 2)
        self.c.stop()
        self.addCleanup(self.mesh.wait_in_sync)
        self.addCleanup(self.mesh.start, "c")
        done = self.c.run("verify", "--json")
        self.assert_status(done, 3)
        self.assertTrue(done.stderr.startswith("dagsync: "), done.stderr)
        status, told = verify(self.a)
        self.assertEqual((status, listed(told)), (1, [(".", "c")]))
        self.assertIn("not connected", told["differences"][0]["problem"])


class Wrong(FreshMesh):
    def begin_rotten(self) -> tuple[Node, ...]:
        """On c other bytes stand in dag.py than anybody wrote."""
        a, b, c = self.begin()
        a.write("dag.py", b"right")
        a.write("sub/other.py", b"other")
        self.mesh.converge()
        c.stop()
        rot(c, "dag.py", b"WRONG")
        self.mesh.start("c")
        self.mesh.wait_in_sync()
        self.assert_content("dag.py", b"WRONG", c)
        return a, b, c

    def test_a_content_that_changed_behind_the_index_is_named_and_repaired(self) -> None:
        a, b, c = self.begin_rotten()
        for one in (c, a):  # whoever is asked
            status, told = verify(one)
            self.assertEqual((status, told["identical"]), (1, False))
            self.assertEqual(listed(told), [("dag.py", "c")])
            self.assertIn("behind the index", told["differences"][0]["problem"])
        errors = c.folder_status()["errors"]
        self.assertEqual([error["path"] for error in errors], ["dag.py"])
        self.assertIn("verify --repair", errors[0]["error"])
        status, told = verify(a, "--repair")  # a's own are fine: c must do it
        self.assertEqual((status, listed(told)), (1, [("dag.py", "c")]))

        status, told = verify(c, "--repair")
        self.assertEqual((status, told["differences"]), (0, []), told)
        self.assertEqual([each["path"] for each in told["repaired"]], ["dag.py"])
        self.assert_content("dag.py", b"right")
        self.mesh.wait_in_sync()
        self.assertEqual(c.folder_status()["errors"], [])
        self.assertEqual(verify(a)[0], 0)
        # What stood there is kept, and nobody took it for an edit.
        self.assertEqual([kept["size"] for kept in c.listed("versions", "dag.py")], [5])
        self.assertEqual(self.conflicts(), [])
        self.assert_status(c.run("restore", "dag.py"), 0)
        self.mesh.wait_content("dag.py", b"WRONG")

    def test_it_is_not_repaired_where_nobody_has_the_right_one(self) -> None:
        a, b, c = self.begin_rotten()
        for one in (a, b):
            one.stop()
        status, told = verify(c, "--repair")
        self.assertEqual(status, 1)
        self.assertIn(("dag.py", "c"), listed(told))
        self.assert_content("dag.py", b"WRONG", c)
        self.mesh.start("a", "b")
        self.mesh.wait_content("dag.py", b"right")  # it stays wanted

    def test_a_halted_folder_is_named(self) -> None:
        a, b, c = self.begin()
        a.write("dag.py", b"x")
        self.mesh.converge()
        os.rename(c.folder, c.home / "elsewhere")
        self.mesh.wait_until(lambda: c.folder_status().get("state") == "halted", "c halts")
        for one in (a, c):
            status, told = verify(one)
            self.assertEqual(status, 1)
            self.assertIn((".", "c"), listed(told))
        os.rename(c.home / "elsewhere", c.folder)

    def test_several_folders_are_verified_together_or_one_by_name(self) -> None:
        for one in self.mesh.nodes:
            other = one.home / "other"
            other.mkdir()
            self.mesh.configure(
                one, extra=f'[[folder]]\nname = "other"\npath = "{other}"\n'
            )
        a, b, c = self.begin()
        a.write("dag.py", b"x")
        (a.home / "other" / "more.py").write_bytes(b"y")
        self.mesh.converge()
        self.assertEqual(verify(a)[1]["files"], 2)
        self.assertEqual(verify(a, "--folder", "other")[1]["files"], 1)

    def test_a_client_that_goes_away_ends_it(self) -> None:
        a, b, c = self.begin()
        a.write("dag.py", b"x")
        self.mesh.converge()
        b.pause()  # it answers nothing now
        client = subprocess.Popen(
            [BINARY, "verify", "--config", str(a.config)], stdout=subprocess.DEVNULL
        )
        self.mesh.wait_until(lambda: "verify begins" in a.log_text(), "it runs")
        second = a.run("verify")
        self.assert_status(second, 1)
        self.assertIn("another `dagsync verify` runs", second.stderr)
        client.send_signal(signal.SIGKILL)
        client.wait()
        self.mesh.wait_until(lambda: "verify abandoned" in a.log_text(), "it has ended")
        b.proceed()
        self.mesh.wait_until(lambda: a.run("verify").returncode == 0, "the next one may")


class Drift(FreshMesh):
    def test_a_receive_only_node_takes_the_content_of_the_mesh(self) -> None:
        self.mesh.configure(self.mesh["c"], folder={"mode": "receive-only"})
        a, b, c = self.begin()
        for name in ("edited.py", "deleted.py", "same.py"):
            a.write(name, b"from a")
        self.mesh.wait_content("same.py", b"from a")
        self.mesh.wait_in_sync()
        c.write("edited.py", b"edited on c")
        c.write("own/made.py", b"made on c")
        os.unlink(c.path("deleted.py"))
        drift = ["deleted.py", "edited.py", "own", "own/made.py"]
        for one in (c, a):
            self.mesh.wait_until(
                lambda: listed(verify(one)[1]) == [(name, "c") for name in drift], "drift is named"
            )
        status, told = verify(c, "--repair")
        self.assertEqual((status, told["differences"]), (0, []), told)
        self.assertEqual([each["path"] for each in told["repaired"]], drift)
        self.assertFalse(c.has("own"))
        self.mesh.converge()
        for name, size in (("edited.py", 11), ("own/made.py", 9)):
            self.assertEqual([kept["size"] for kept in c.listed("versions", name)], [size])
        self.assertEqual(c.folder_status()["drift"], 0)

    def test_the_drift_of_a_send_only_node_is_named_and_stays(self) -> None:
        self.mesh.configure(self.mesh["c"], folder={"mode": "send-only"})
        a, b, c = self.begin()
        c.write("dag.py", b"from c")
        self.mesh.wait_content("dag.py", b"from c")
        a.write("dag.py", b"from a")
        a.write("new.py", b"from a")
        self.mesh.wait_until(lambda: c.folder_status()["drift"] == 2, "c names its drift")
        for one in (c, a):
            status, told = verify(one, "--repair")
            self.assertEqual((status, listed(told)), (1, [("dag.py", "c"), ("new.py", "c")]))
            self.assertTrue(all("drift" in each["problem"] for each in told["differences"]))
        self.assert_content("dag.py", b"from c", c)
        self.assert_content("dag.py", b"from a", a)


if __name__ == "__main__":
    unittest.main()
