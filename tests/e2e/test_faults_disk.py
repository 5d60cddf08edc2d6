"""A full disk and a read-only one: the node says so, loses nothing, and catches up by itself."""

from __future__ import annotations

import os
import unittest

from case import FreshMesh
from faults import IS_ROOT, NEEDS_ROOT, Mounted
from node import Node

SIZE = "24m"
BLOCK = os.urandom(1 << 20)


@unittest.skipUnless(IS_ROOT, NEEDS_ROOT)
class SmallDisk(FreshMesh):
    """c's folder, its state directory, or both lie on a file system of 24 MiB."""

    def mount(self, folder: bool, state: bool) -> Mounted:
        c = self.mesh["c"]
        disk = Mounted(c.home / "disk", SIZE)
        self.addCleanup(self.unmount, disk)
        if folder:
            c.folder = disk.at / "dags"
            c.folder.mkdir()
        if state:
            c.state_dir = disk.at / "state"
        self.mesh.configure(c)
        return disk

    def unmount(self, disk: Mounted) -> None:
        self.mesh.stop()
        disk.unmount()

    def wait_error(self, one: Node, *words: str) -> None:
        """`status` is not in sync, and names the trouble."""

        def told() -> bool:
            text = one.run("status").stdout.lower()
            return not one.status().get("in_sync", True) and any(word in text for word in words)

        self.mesh.wait_until(told, f"{one.name} says {' or '.join(words)}")

    def fill_and_free(self, folder: bool, state: bool) -> None:
        disk = self.mount(folder, state)
        a, b, c = self.begin()
        a.write("stays.py", b"before")
        a.write("edited.py", b"before")
        a.write("deleted.py", b"before")
        self.mesh.converge()
        ballast = disk.fill()
        for number in range(3):
            a.write(f"new/{number}.bin", BLOCK)
        a.write("edited.py", b"after, " * 2000)
        os.unlink(b.path("deleted.py"))
        self.mesh.converge(nodes=[a, b])
        self.wait_error(c, "space")
        self.assertFalse(a.status()["in_sync"], "a knows that c is behind")
        self.assert_content("stays.py", b"before", c)
        self.assertIn(c.read("edited.py"), (b"before", b"after, " * 2000), "never torn")
        ballast.unlink()
        self.mesh.converge(bound=40)
        self.assert_content("new/2.bin", BLOCK)
        self.assert_content("deleted.py", None)
        self.mesh.wait_until(lambda: not c.folder_status()["errors"], "no error is left")
        self.assertEqual(self.conflicts(), [])

    def test_folder_and_state_directory_are_full(self) -> None:
        self.fill_and_free(folder=True, state=True)

    def test_the_folder_is_full(self) -> None:
        self.fill_and_free(folder=True, state=False)

    def test_the_state_directory_is_full(self) -> None:
        self.fill_and_free(folder=False, state=True)

    def test_a_node_is_killed_and_started_on_a_full_disk(self) -> None:
        disk = self.mount(folder=True, state=True)
        a, b, c = self.begin()
        a.write("edited.py", b"before")
        self.mesh.converge()
        ballast = disk.fill()
        a.write("edited.py", b"after, " * 2000)
        self.mesh.converge(nodes=[a, b])
        self.wait_error(c, "space")
        c.kill()
        began = len(c.log_text())
        c.start()
        self.wait_error(c, "space")
        self.assertIn("No space left", c.log_text()[began:])
        self.assertIn(c.read("edited.py"), (b"before", b"after, " * 2000), "never torn")
        ballast.unlink()
        self.mesh.converge(bound=40)
        self.assert_content("edited.py", b"after, " * 2000)
        self.mesh.wait_until(lambda: not c.folder_status()["errors"], "no error is left")
        self.assertEqual(self.conflicts(), [])

    def test_edits_on_a_full_disk_travel_and_survive(self) -> None:
        disk = self.mount(folder=True, state=True)
        a, b, c = self.begin()
        with open(c.path("edited.py"), "wb") as file:
            file.write(b"as long as the other")
        self.mesh.converge()
        ballast = disk.fill()
        with open(c.path("edited.py"), "r+b") as file:  # in place: that needs no room
            file.write(b"edited on full disk.")
        ballast.unlink()
        self.mesh.converge(bound=40)
        self.assert_content("edited.py", b"edited on full disk.")

    def test_a_folder_becomes_read_only_and_writable_again(self) -> None:
        disk = self.mount(folder=True, state=False)
        a, b, c = self.begin()
        a.write("edited.py", b"before")
        a.write("deleted.py", b"before")
        self.mesh.converge()
        disk.remount("ro")
        a.write("edited.py", b"after")
        a.write("sub/new.py", b"new")
        os.unlink(a.path("deleted.py"))
        self.mesh.converge(nodes=[a, b])
        self.wait_error(c, "read-only")
        self.assert_content("edited.py", b"before", c)
        self.assert_content("deleted.py", b"before", c)
        disk.remount("rw")
        self.mesh.converge(bound=40)
        self.assert_content("edited.py", b"after")
        self.assert_content("sub/new.py", b"new")
        self.assert_content("deleted.py", None)
        self.mesh.wait_until(lambda: not c.folder_status()["errors"], "no error is left")
        self.assertEqual(self.conflicts(), [])


if __name__ == "__main__":
    unittest.main()
