"""`conflicts`, `versions` and `restore`: every replaced content can be listed and brought back."""

from __future__ import annotations

import json
import os
import sqlite3
import unittest
from pathlib import Path

from case import FreshMesh, SharedMesh
from node import Node

KEYS = {
    "folder",
    "path",
    "id",
    "kind",
    "size",
    "mode",
    "mtime_ns",
    "digest",
    "origin",
    "kept_at",
    "reason",
}


class History(SharedMesh):
    def replace(self, name: str | bytes, *contents: bytes) -> None:
        """a saves each content in turn; b and c replace the one before by it."""
        for content in contents:
            self.a.write(name, content)
            self.mesh.converge()

    def test_what_a_remote_change_replaced_is_listed_newest_first(self) -> None:
        self.replace("three.py", b"1", b"22", b"333")
        listed = self.b.listed("versions", "three.py")
        self.assertEqual(
            [(entry["size"], entry["reason"]) for entry in listed],
            [(2, "replaced"), (1, "replaced")],
        )
        for entry in listed:
            self.assertLessEqual(KEYS, set(entry))
            self.assertEqual((entry["folder"], entry["path"]), ("dags", "three.py"))
        done = self.b.run("versions", "three.py")
        self.assert_status(done, 0)
        self.assertIn(str(listed[0]["id"]), done.stdout)

    def test_the_newest_version_is_restored_on_every_node(self) -> None:
        self.replace("back.py", b"first", b"second", b"third")
        self.assert_status(self.b.run("restore", "back.py"), 0)
        self.assert_content("back.py", b"second", self.b)
        self.mesh.wait_content("back.py", b"second")
        self.mesh.converge()
        self.assert_content("back.py", b"second")

    def test_what_the_table_shows_is_what_restore_takes(self) -> None:
        self.replace("in/a/table.py", b"first", b"second")
        head, row, *_ = self.b.run("versions", "in/a/table.py").stdout.splitlines()
        shown = dict(zip(head.replace("KEPT AT", "KEPT_AT").replace("SIZE", "SIZE UNIT").split(), row.split()))
        done = self.b.run("restore", shown["PATH"], "--folder", shown["FOLDER"], "--version", shown["ID"])
        self.assert_status(done, 0)
        self.assertTrue(done.stdout.startswith("restored in/a/table.py in dags: file, "), done.stdout)
        self.mesh.wait_content("in/a/table.py", b"first")

    def test_a_chosen_version_is_restored(self) -> None:
        self.replace("chosen.py", b"first", b"second", b"third")
        oldest = self.c.listed("versions", "chosen.py")[-1]
        self.assert_status(self.c.run("restore", "chosen.py", "--version", str(oldest["id"])), 0)
        self.mesh.wait_content("chosen.py", b"first")
        self.mesh.converge()

    def test_a_deleted_file_is_restored_with_its_mode(self) -> None:
        self.a.write("sub/deleted.py", b"deleted")
        os.chmod(self.a.path("sub/deleted.py"), 0o640)
        self.mesh.converge()
        os.unlink(self.a.path("sub/deleted.py"))
        os.rmdir(self.a.path("sub"))
        self.mesh.wait_until(
            lambda: not self.b.has("sub") and not self.c.has("sub"), "the delete is everywhere"
        )
        self.mesh.converge()
        self.assertEqual(self.b.listed("versions", "sub/deleted.py")[0]["reason"], "deleted")
        self.assert_status(self.b.run("restore", "sub/deleted.py"), 0)
        self.mesh.wait_content("sub/deleted.py", b"deleted")
        self.mesh.converge()
        self.assertEqual(os.stat(self.a.path("sub/deleted.py")).st_mode & 0o7777, 0o640)

    def test_paths_are_taken_absolute_or_relative_to_the_folder(self) -> None:
        self.replace("paths.py", b"1", b"2")
        for name in ("paths.py", self.b.path("paths.py")):
            self.assertEqual(len(self.b.listed("versions", name)), 1)
        self.assertEqual(len(self.b.listed("versions", "paths.py", "--folder", "dags")), 1)

    def test_odd_names_are_escaped_in_json_and_taken_as_bytes(self) -> None:
        name = b"odd\xff\\name.py"
        self.replace(name, b"one", b"two")
        done = self.b.run("versions", "--json", name)
        self.assert_status(done, 0)
        self.assertEqual(json.loads(done.stdout)[0]["path"], "odd\\xff\\\\name.py")
        self.assert_status(self.b.run("restore", name), 0)
        self.mesh.wait_content(name, b"one")
        self.mesh.converge()

    def test_what_is_not_there_is_exit_status_1(self) -> None:
        self.a.write("unchanged.py", b"x")
        self.mesh.converge()
        for arguments in (
            ("versions", "no-such.py"),
            ("restore", "no-such.py"),
            ("restore", "unchanged.py"),
            ("restore", "unchanged.py", "--version", "999999"),
        ):
            done = self.b.run(*arguments)
            self.assert_status(done, 1)
            self.assertTrue(done.stderr.startswith("dagsync: "), done.stderr)

    def test_no_conflicts_is_an_empty_list(self) -> None:
        done = self.a.run("conflicts", "--json")
        self.assert_status(done, 0)
        self.assertEqual(json.loads(done.stdout), [])

    def test_commands_without_a_daemon_say_so(self) -> None:
        self.c.stop()
        self.addCleanup(self.mesh.wait_in_sync)
        self.addCleanup(self.mesh.start, "c")
        for arguments in (("conflicts",), ("versions", "x"), ("restore", "x")):
            done = self.c.run(*arguments)
            self.assertNotEqual(done.returncode, 0)
            self.assertTrue(done.stderr.startswith("dagsync: "), done.stderr)


class Retention(FreshMesh):
    def replace(self, name: str, *contents: bytes) -> None:
        a = self.mesh["a"]
        for content in contents:
            a.write(name, content)
            self.mesh.converge()

    def kept_files(self, one: Node) -> list[str]:
        versions = one.state_dir / "folders" / "dags" / "versions"
        return sorted(entry for entry in os.listdir(versions) if not entry.endswith(".of"))

    def test_too_much_goes_oldest_first(self) -> None:
        for one in self.mesh.nodes:
            self.mesh.configure(one, folder={"versions_max_size": "100KiB"})
        a, b, c = self.begin()
        self.replace("big.bin", *(bytes([n]) * 30_000 for n in range(6)))
        sizes = [entry["digest"] for entry in b.listed("versions", "big.bin")]
        self.assertEqual(len(sizes), 3)
        self.mesh.wait_until(lambda: len(self.kept_files(b)) == 3, "the files went, too")

    def test_too_old_goes_at_the_next_start(self) -> None:
        a, b, c = self.begin()
        self.replace("old.py", b"1", b"22")
        self.assertEqual(len(b.listed("versions", "old.py")), 1)
        self.mesh.configure(b, folder={"versions_keep": "1s"})
        b.restart()
        self.mesh.wait_until(lambda: not self.kept_files(b), "it has expired")
        self.assertEqual(b.listed("versions", "old.py"), [])


class CatalogueLost(FreshMesh):
    """What is kept can be restored, whatever becomes of the index."""

    def begin_with_versions(self) -> tuple[Node, ...]:
        a, b, c = self.begin()
        for content in (b"first", b"second!", b"third"):
            a.write("etl/load.py", content)
            self.mesh.converge()
        os.symlink("one", a.path("link"))
        self.mesh.converge()
        os.unlink(a.path("link"))
        self.mesh.converge()
        c.stop()
        b.write("both.py", b"younger, on b")
        self.mesh.wait_content("both.py", b"younger, on b", nodes=[a, b])
        c.write("both.py", b"older, on c", mtime_ns=10**18)
        c.start()
        self.mesh.converge()
        return a, b, c

    def index(self, one: Node) -> Path:
        return one.state_dir / "folders" / "dags" / "index.db"

    def wait_for_corrupt(self, one: Node) -> None:
        """It answers before its index is read."""
        self.mesh.wait_until(
            lambda: "corrupt" in one.folder_status().get("state_reason", ""),
            f"{one.name} says that its index was corrupt",
        )

    def assert_restorable(self, one: Node, reasons: bool) -> None:
        self.mesh.wait_in_sync()
        listed = one.listed("versions", "etl/load.py")
        self.assertEqual([entry["size"] for entry in listed], [7, 5])
        self.assertEqual([each["kind"] for each in one.listed("versions", "link")], ["symlink"])
        lost = one.listed("versions", "both.py")
        self.assertEqual([entry["size"] for entry in lost], [11])
        if reasons:
            self.assertEqual([entry["path"] for entry in one.listed("conflicts")], ["both.py"])
        self.assert_status(one.run("restore", "etl/load.py"), 0)
        self.mesh.wait_content("etl/load.py", b"second!")
        self.mesh.converge()

    def test_the_index_is_gone(self) -> None:
        a, b, c = self.begin_with_versions()
        c.stop()
        for path in self.index(c).parent.glob("index.db*"):
            path.unlink()
        self.mesh.start("c")
        self.assert_restorable(c, reasons=False)

    def test_the_index_is_nonsense(self) -> None:
        a, b, c = self.begin_with_versions()
        c.stop()
        self.index(c).write_bytes(os.urandom(50_000))
        self.mesh.start("c")
        self.wait_for_corrupt(c)
        self.assert_restorable(c, reasons=False)

    def test_a_row_of_the_index_is_nonsense(self) -> None:
        a, b, c = self.begin_with_versions()
        c.stop()
        index = sqlite3.connect(self.index(c))
        with index:
            index.execute("UPDATE entry SET kind = 'socket'")
        index.close()
        self.mesh.start("c")
        self.wait_for_corrupt(c)
        self.assert_restorable(c, reasons=True)


if __name__ == "__main__":
    unittest.main()
