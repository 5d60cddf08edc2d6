"""Each row of "what a file system change becomes" that is not a save."""

from __future__ import annotations

import os
import socket
import statistics
import time
import unittest

from case import SharedMesh
from node import PATIENCE

SAVES = 21
# Some milliseconds on a quiet machine. A change that goes a longer way than straight to each node
# waits for a timer there: 0.3 s and more.
AT_ONCE_S = 0.1


class Changes(SharedMesh):
    def test_a_save_is_everywhere_at_once(self) -> None:
        seconds = []
        for number in range(SAVES):
            began = time.monotonic()
            self.a.write("often.py", b"%d" % number)
            self.mesh.wait_content("often.py", b"%d" % number)
            seconds.append(time.monotonic() - began)
        self.assertLess(statistics.median(seconds), AT_ONCE_S * PATIENCE, sorted(seconds))

    def test_a_delete(self) -> None:
        self.a.write("gone.py", b"x")
        self.mesh.converge()
        os.unlink(self.b.path("gone.py"))
        self.mesh.wait_content("gone.py", None)
        self.mesh.converge()

    def test_a_name_can_be_used_again_after_a_delete(self) -> None:
        for content in (b"first", b"second", b"first"):
            self.a.write("again.py", content)
            self.mesh.wait_content("again.py", content)
            os.unlink(self.b.path("again.py"))
            self.mesh.wait_content("again.py", None)
        self.mesh.converge()

    def test_a_rename(self) -> None:
        self.a.write("before.py", b"x")
        self.mesh.converge()
        os.rename(self.a.path("before.py"), self.a.path("after.py"))
        self.mesh.wait_content("after.py", b"x")
        self.mesh.wait_content("before.py", None)
        self.mesh.converge()

    def test_a_rename_over_another_file(self) -> None:
        self.a.write("winner.py", b"winner")
        self.a.write("loser.py", b"loser")
        self.mesh.converge()
        os.rename(self.a.path("winner.py"), self.a.path("loser.py"))
        self.mesh.wait_content("loser.py", b"winner")
        self.mesh.wait_content("winner.py", None)
        self.mesh.converge()

    def test_a_rename_of_a_directory(self) -> None:
        for index in range(30):
            self.a.write(f"old/sub{index % 3}/file{index}.py", b"%d" % index)
        self.mesh.converge()
        os.rename(self.a.path("old"), self.a.path("new"))
        self.mesh.wait_content("new/sub2/file29.py", b"29")
        self.mesh.converge()
        self.assertFalse(self.b.has("old"))
        self.a.write("new/sub0/later.py", b"the moved directory is watched as well")
        self.mesh.wait_content("new/sub0/later.py", b"the moved directory is watched as well")

    def test_a_chmod(self) -> None:
        self.a.write("mode.py", b"x")
        self.mesh.converge()
        for mode in (0o600, 0o755, 0o444, 0o640):
            os.chmod(self.a.path("mode.py"), mode)
            self.mesh.wait_until(
                lambda: os.stat(self.c.path("mode.py")).st_mode & 0o7777 == mode, f"mode {mode:o}"
            )
        self.mesh.converge()

    def test_a_chmod_of_a_directory(self) -> None:
        self.a.write("closed/file.py", b"x")
        self.mesh.converge()
        os.chmod(self.a.path("closed"), 0o750)
        self.mesh.wait_until(
            lambda: os.stat(self.c.path("closed")).st_mode & 0o7777 == 0o750, "mode 750"
        )
        self.mesh.converge()

    def test_a_touch(self) -> None:
        self.a.write("touched.py", b"x")
        self.mesh.converge()
        os.utime(self.b.path("touched.py"), ns=(10**18 + 1, 10**18 + 7))
        self.mesh.wait_until(
            lambda: os.stat(self.c.path("touched.py")).st_mtime_ns == 10**18 + 7, "mtime"
        )
        self.mesh.converge()

    def test_mkdir_and_rmdir(self) -> None:
        os.makedirs(self.a.path("empty/within/within"))
        self.mesh.wait_until(lambda: self.c.has("empty/within/within"), "empty directories")
        self.mesh.converge()
        os.removedirs(self.b.path("empty/within/within"))
        self.mesh.wait_until(lambda: not self.a.has("empty"), "no directories")
        self.mesh.converge()

    def test_files_in_a_directory_made_just_before(self) -> None:
        for index in range(50):
            os.makedirs(self.a.path(f"quick/{index}/sub"))
            with open(self.a.path(f"quick/{index}/sub/file"), "w") as out:
                out.write(str(index))
        self.mesh.wait_content("quick/49/sub/file", b"49")
        self.mesh.converge()

    def test_a_symlink(self) -> None:
        self.a.write("target.py", b"x")
        os.symlink(b"target.py", self.a.path("link"))
        os.symlink(b"no/such/\xff", self.a.path("dangling"))
        self.mesh.wait_until(lambda: self.b.has("dangling") and self.c.has("dangling"), "links")
        self.mesh.converge()
        self.assertEqual(os.readlink(self.c.path("dangling")), b"no/such/\xff")
        os.unlink(self.a.path("link"))
        os.symlink(b"dangling", self.a.path("link"))
        for one in (self.b, self.c):
            self.mesh.wait_until(
                lambda: one.has("link") and os.readlink(one.path("link")) == b"dangling",
                f"the link's new target on {one.name}",
            )
        os.unlink(self.b.path("link"))
        self.mesh.wait_until(lambda: not self.a.has("link"), "the link is gone")
        self.mesh.converge()
        self.assert_content("target.py", b"x")

    def test_a_symlink_out_of_the_folder_is_never_followed(self) -> None:
        secrets = {}
        for one in self.mesh.nodes:  # the same path may mean something on every node
            secrets[one.name] = one.home / "secret"
            secrets[one.name].mkdir()
            (secrets[one.name] / "key").write_bytes(one.name.encode())
        os.symlink("../secret", self.a.path("out"))
        self.mesh.wait_until(lambda: self.b.has("out") and self.c.has("out"), "the link")
        (secrets["a"] / "key").write_bytes(b"changed")
        (secrets["a"] / "more").write_bytes(b"more")
        self.mesh.fence(self.a)
        self.assertEqual(os.readlink(self.b.path("out")), b"../secret")
        os.unlink(self.a.path("out"))  # a directory takes the link's place, on one side
        self.a.write("out/key", b"in the folder")
        self.mesh.wait_content("out/key", b"in the folder")
        self.mesh.converge()
        for name in ("b", "c"):
            self.assertEqual((secrets[name] / "key").read_bytes(), name.encode())
            self.assertEqual(os.listdir(secrets[name]), ["key"])

    def test_a_symlink_to_a_directory_within_is_not_walked(self) -> None:
        self.a.write("real/file.py", b"x")
        os.symlink("real", self.a.path("alias"))
        self.mesh.wait_until(lambda: self.c.has("alias"), "the link")
        self.c.write("real/file.py", b"y")
        self.mesh.wait_content("alias/file.py", b"y")
        self.mesh.converge()
        self.assertTrue(os.path.islink(self.c.path("alias")))

    def test_special_files_go_nowhere_and_are_named(self) -> None:
        os.mkfifo(self.a.path("pipe"))
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        here = os.getcwd()
        os.chdir(self.a.folder)  # the name of a socket may have 107 bytes
        listener.bind("socket")
        os.chdir(here)

        def named() -> set:
            return {error["path"] for error in self.a.folder_status()["errors"]}

        self.mesh.wait_until(
            lambda: {"pipe", "socket"} <= named(), "both are in the errors of status"
        )
        self.mesh.fence(self.a)
        self.mesh.wait_in_sync()
        self.assertFalse(self.b.has("pipe") or self.b.has("socket"))
        os.unlink(self.a.path("pipe"))
        os.unlink(self.a.path("socket"))
        self.mesh.wait_until(lambda: not named(), "the errors are gone with the files")
        self.mesh.converge()

    def test_hard_links_become_files_that_change_together(self) -> None:
        self.a.write("one.py", b"linked")
        os.link(self.a.path("one.py"), self.a.path("two.py"))
        self.mesh.wait_content("two.py", b"linked")
        self.mesh.converge()
        with open(self.a.path("one.py"), "ab") as out:
            out.write(b" and changed")
        self.mesh.wait_content("one.py", b"linked and changed")
        self.mesh.wait_content("two.py", b"linked and changed")
        self.mesh.converge()
        self.b.write("one.py", b"alone")  # elsewhere they are two files
        self.mesh.wait_content("one.py", b"alone")
        self.mesh.converge()
        self.assert_content("two.py", b"linked and changed")

    def test_a_hard_link_to_a_file_outside(self) -> None:
        outside = self.a.home / "outside.py"
        outside.write_bytes(b"x")
        os.link(outside, self.a.path("inside.py"))
        self.mesh.wait_content("inside.py", b"x")
        self.b.write("inside.py", b"replaced, not written through")
        self.mesh.wait_content("inside.py", b"replaced, not written through")
        self.assertEqual(outside.read_bytes(), b"x")
        self.mesh.converge()


if __name__ == "__main__":
    unittest.main()
