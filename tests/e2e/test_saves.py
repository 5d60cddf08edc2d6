"""The ways in which programs save a file, each on its way to the other nodes."""

from __future__ import annotations

import ctypes
import mmap
import os
import shutil
import subprocess
import unittest

from case import SharedMesh

AT_FDCWD, AT_SYMLINK_FOLLOW = -100, 0x400
_libc = ctypes.CDLL(None, use_errno=True)


def give_name(file: int, path: bytes) -> None:
    """Links a file that was opened with O_TMPFILE; os.link() does not follow /proc's link."""
    source = b"/proc/self/fd/%d" % file
    if _libc.linkat(AT_FDCWD, source, AT_FDCWD, path, AT_SYMLINK_FOLLOW):
        raise OSError(ctypes.get_errno(), "linkat")


class Saves(SharedMesh):
    def test_a_new_file_arrives_with_its_bytes_mode_and_mtime(self) -> None:
        self.a.write("new.py", b"x" * 5000, mtime_ns=1_700_000_000_123_456_789)
        os.chmod(self.a.path("new.py"), 0o640)
        self.mesh.converge()
        self.assertEqual(os.stat(self.c.path("new.py")).st_mtime_ns, 1_700_000_000_123_456_789)
        self.assertEqual(os.stat(self.c.path("new.py")).st_mode & 0o7777, 0o640)
        self.assert_content("new.py", b"x" * 5000)

    def test_every_node_may_write(self) -> None:
        for one in self.mesh.nodes:
            one.write(f"by-{one.name}.py", one.name)
        self.mesh.converge()
        for one in self.mesh.nodes:
            self.assert_content(f"by-{one.name}.py", one.name.encode())

    def test_an_empty_file(self) -> None:
        self.a.write("empty.py", b"")
        self.mesh.converge()
        self.a.write("empty.py", b"no more")
        self.mesh.wait_content("empty.py", b"no more")
        self.a.write("empty.py", b"")
        self.mesh.wait_content("empty.py", b"")

    def test_a_large_file(self) -> None:
        content = os.urandom(24 << 20)
        self.b.write("large.bin", content)
        self.mesh.converge()
        self.assert_content("large.bin", content)

    def test_saved_in_place(self) -> None:
        self.a.write("place.py", b"one")
        self.mesh.converge()
        with open(self.a.path("place.py"), "wb") as out:
            out.write(b"two, longer")
        self.mesh.wait_content("place.py", b"two, longer")
        with open(self.a.path("place.py"), "ab") as out:
            out.write(b" and longer")
        self.mesh.wait_content("place.py", b"two, longer and longer")
        with open(self.a.path("place.py"), "r+b") as out:
            out.truncate(3)
        self.mesh.wait_content("place.py", b"two")

    def test_two_edits_of_one_size_within_one_clock_tick(self) -> None:
        for edit in range(20):
            first, second = b"%08d" % edit, b"%08d" % (edit + 5000)
            for content in (first, second):
                with open(self.a.path("tick.py"), "wb") as out:
                    out.write(content)
            self.mesh.wait_content("tick.py", second)
        self.mesh.converge()

    def test_an_edit_that_keeps_size_and_mtime(self) -> None:
        self.a.write("sly.py", b"aaaa", mtime_ns=10**18)
        self.mesh.converge()
        self.a.write("sly.py", b"bbbb", mtime_ns=10**18)
        self.mesh.wait_content("sly.py", b"bbbb")
        self.mesh.converge()

    def test_saved_as_vim_does_with_a_backup(self) -> None:
        name = self.a.path("vim.py")
        self.a.write("vim.py", b"before")
        self.mesh.converge()
        for probe in (self.a.path(".vim.py.swp"), self.a.path("4913")):
            open(probe, "wb").close()
        os.unlink(self.a.path("4913"))
        os.rename(name, name + b"~")
        with open(name, "wb") as out:
            out.write(b"after")
            os.fsync(out.fileno())
        os.unlink(name + b"~")
        os.unlink(self.a.path(".vim.py.swp"))
        self.mesh.wait_content("vim.py", b"after")
        self.mesh.converge()

    @unittest.skipUnless(shutil.which("vim"), "vim is not installed")
    def test_saved_by_vim_itself(self) -> None:
        self.a.write("real.py", b"first line\n")
        self.mesh.converge()
        subprocess.run(
            [
                "vim",
                "-es",
                "-u",
                "NONE",
                "-c",
                "normal! osecond line",
                "-c",
                "wq",
                self.a.path("real.py"),
            ],
            stdin=subprocess.DEVNULL,
            check=True,
            timeout=20,
        )
        self.mesh.wait_content("real.py", b"first line\nsecond line\n")
        self.mesh.converge()

    def test_saved_as_emacs_does_with_a_lock_link(self) -> None:
        os.symlink(b"user@host.1:2", self.a.path(".#emacs.py"))
        with open(self.a.path("#emacs.py#"), "wb") as out:
            out.write(b"auto-save")
        self.a.write("emacs.py", b"saved")
        self.mesh.wait_content("emacs.py", b"saved")
        self.mesh.fence(self.a)
        self.assertFalse(self.b.has(".#emacs.py") or self.b.has("#emacs.py#"))
        os.unlink(self.a.path(".#emacs.py"))
        os.unlink(self.a.path("#emacs.py#"))
        self.mesh.converge()

    def test_copied_with_its_times(self) -> None:
        source = self.a.home / "source.py"
        source.write_bytes(b"copied")
        os.utime(source, ns=(10**18, 10**18 + 5))
        subprocess.run(["cp", "-p", source, self.a.path("copied.py")], check=True)
        self.mesh.wait_content("copied.py", b"copied")
        self.mesh.converge()
        self.assertEqual(os.stat(self.b.path("copied.py")).st_mtime_ns, 10**18 + 5)

    def test_moved_in_and_out(self) -> None:
        outside = self.a.home / "outside"
        (outside / "deep" / "er").mkdir(parents=True)
        (outside / "deep" / "er" / "file.py").write_bytes(b"moved in")
        os.rename(outside, self.a.path("inside"))
        self.mesh.wait_content("inside/deep/er/file.py", b"moved in")
        os.rename(self.a.path("inside/deep"), outside)
        self.mesh.wait_content("inside/deep/er/file.py", None)
        self.mesh.converge()
        self.assertFalse(self.c.has("inside/deep"))

    def test_made_without_a_name_and_linked(self) -> None:
        file = os.open(self.a.folder, os.O_TMPFILE | os.O_WRONLY, 0o644)
        os.write(file, b"linked at the end")
        give_name(file, self.a.path("linked.py"))
        os.close(file)
        self.mesh.wait_content("linked.py", b"linked at the end")
        self.mesh.converge()


class HeldOpen(SharedMesh):
    """Nothing of a file goes out while someone has it open for writing; the close publishes it."""

    def test_a_new_file_appears_when_it_is_closed(self) -> None:
        with open(self.a.path("slow.py"), "wb", buffering=0) as out:
            out.write(b"first half, ")
            self.mesh.fence(self.a)
            self.assertFalse(self.b.has("slow.py"))
            out.write(b"second half")
            self.mesh.fence(self.a)
            self.assertFalse(self.c.has("slow.py"))
        self.mesh.wait_content("slow.py", b"first half, second half")
        self.mesh.converge()

    def test_made_without_a_name_linked_and_closed_later(self) -> None:
        file = os.open(self.a.folder, os.O_TMPFILE | os.O_WRONLY, 0o644)
        os.write(file, b"half")
        give_name(file, self.a.path("late.py"))
        self.mesh.fence(self.a)
        self.assertFalse(self.b.has("late.py"))
        os.write(file, b" and half")
        os.close(file)
        self.mesh.wait_content("late.py", b"half and half")
        self.mesh.converge()

    def test_an_old_content_stays_until_the_new_one_is_closed(self) -> None:
        self.a.write("held.py", b"old")
        self.mesh.converge()
        with open(self.a.path("held.py"), "wb", buffering=0) as out:
            out.write(b"new, but not all")
            self.mesh.fence(self.a)
            self.assert_content("held.py", b"old", self.b, self.c)
            out.write(b" of it until now")
        self.mesh.wait_content("held.py", b"new, but not all of it until now")
        self.mesh.converge()

    def test_the_last_of_two_writers_counts(self) -> None:
        first = open(self.a.path("two.py"), "wb", buffering=0)
        second = open(self.a.path("two.py"), "ab", buffering=0)
        first.write(b"first ")
        first.close()
        self.mesh.fence(self.a)
        self.assertFalse(self.b.has("two.py"))
        second.write(b"second")
        second.close()
        self.mesh.wait_content("two.py", b"first second")
        self.mesh.converge()

    def test_a_writable_map_counts_as_a_writer(self) -> None:
        self.a.write("map.py", b"0" * 4096)
        self.mesh.converge()
        with open(self.a.path("map.py"), "r+b") as file:
            mapped = mmap.mmap(file.fileno(), 4096)
        mapped[:5] = b"11111"
        self.mesh.fence(self.a)
        self.assert_content("map.py", b"0" * 4096, self.b, self.c)
        mapped.close()
        self.mesh.wait_content("map.py", b"11111" + b"0" * 4091)

    def test_a_reader_does_not_hold_a_file_back(self) -> None:
        self.a.write("read.py", b"one")
        self.mesh.converge()
        with open(self.a.path("read.py"), "rb"), open(self.b.path("read.py"), "rb") as reader:
            self.a.write("read.py", b"two")
            self.mesh.wait_content("read.py", b"two")
            self.assertEqual(reader.read(), b"one")
        self.mesh.converge()

    def test_a_remote_change_waits_for_a_local_writer(self) -> None:
        self.a.write("both.py", b"old")
        self.mesh.converge()
        with open(self.b.path("both.py"), "ab", buffering=0) as out:
            self.a.write("both.py", b"from a")
            self.mesh.wait_content("both.py", b"from a", nodes=[self.a, self.c])
            self.mesh.fence(self.a)
            self.assert_content("both.py", b"old", self.b)
            out.write(b", and b's")
        self.mesh.converge()
        self.assert_content("both.py", b"old, and b's")
        self.assertEqual({entry["path"] for entry in self.conflicts()}, {"both.py"})


if __name__ == "__main__":
    unittest.main()
