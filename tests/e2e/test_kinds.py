"""Kinds that take each other's place, swaps, odd names, modes and times."""

from __future__ import annotations

import ctypes
import os
import shutil
import time
import unittest
from itertools import permutations

from case import SharedMesh

AT_FDCWD, RENAME_EXCHANGE = -100, 2
HOUR_NS = 3600 * 10**9
_libc = ctypes.CDLL(None, use_errno=True)


def exchange(one: bytes, two: bytes) -> None:
    if _libc.renameat2(AT_FDCWD, one, AT_FDCWD, two, RENAME_EXCHANGE):
        raise OSError(ctypes.get_errno(), "renameat2")


def make(path: bytes, kind: str) -> None:
    """Something of that kind at `path`, below which nothing stands yet."""
    if kind == "file":
        with open(path, "wb") as out:
            out.write(b"file")
    elif kind == "symlink":
        os.symlink(b"somewhere", path)
    else:
        os.mkdir(path)
        with open(path + b"/child", "wb") as out:
            out.write(b"child")


def remove(path: bytes) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        os.unlink(path)


class Kinds(SharedMesh):
    def test_each_kind_replaces_each_other(self) -> None:
        pairs = list(permutations(("file", "directory", "symlink"), 2))
        for old, new in pairs:
            make(self.a.path(f"{old}-{new}"), old)
        self.mesh.converge()
        for old, new in pairs:
            remove(self.a.path(f"{old}-{new}"))
            make(self.a.path(f"{old}-{new}"), new)
        self.mesh.converge()
        for old, new in pairs:
            self.assertEqual(os.path.islink(self.c.path(f"{old}-{new}")), new == "symlink")
            self.assertEqual(self.c.has(f"{old}-{new}/child"), new == "directory")

    def test_kinds_are_exchanged_in_one_step(self) -> None:
        make(self.a.path("x-file"), "file")
        make(self.a.path("x-directory"), "directory")
        self.mesh.converge()
        exchange(self.a.path("x-file"), self.a.path("x-directory"))
        self.mesh.wait_content("x-file/child", b"child")
        self.mesh.wait_content("x-directory", b"file")
        self.mesh.converge()

    def test_two_files_are_swapped(self) -> None:
        self.a.write("left.py", b"left")
        self.a.write("right.py", b"right")
        self.mesh.converge()
        exchange(self.a.path("left.py"), self.a.path("right.py"))
        self.mesh.wait_content("left.py", b"right")
        self.mesh.wait_content("right.py", b"left")
        self.mesh.converge()

    def test_two_files_are_swapped_by_three_renames(self) -> None:
        self.a.write("east.py", b"east")
        self.a.write("west.py", b"west")
        self.mesh.converge()
        for source, target in (("east.py", "aside"), ("west.py", "east.py"), ("aside", "west.py")):
            os.rename(self.a.path(source), self.a.path(target))
        self.mesh.wait_content("east.py", b"west")
        self.mesh.wait_content("west.py", b"east")
        self.mesh.converge()

    def test_two_directories_are_swapped(self) -> None:
        for name in ("north", "south"):
            for index in range(20):
                self.a.write(f"{name}/{index}.py", f"{name} {index}")
            self.a.write(f"{name}/only-{name}/x", name)
        self.mesh.converge()
        exchange(self.a.path("north"), self.a.path("south"))
        self.mesh.wait_content("south/only-north/x", b"north")
        self.mesh.converge()
        self.assert_content("north/7.py", b"south 7")


class Names(SharedMesh):
    NAMES = (
        b"invalid-\xff\xfe-utf8.py",
        b"new\nline.py",
        b"-rf",
        b" space at both ends ",
        b"back\\slash",
        b"quo\"te'`$(x)",
        b"tab\t\x01\x7f",
        "caf\u00e9".encode(),  # composed and decomposed are two names
        "cafe\u0301".encode(),
        "\U0001f600".encode(),
        b"con:aux?*|<>",
        b"...",
        b"n" * 255,
        b"\xc3" * 255,
    )

    def test_odd_names_are_bytes_like_any_others(self) -> None:
        for name in self.NAMES:
            self.a.write(b"names/" + name, name)
            os.mkdir(self.a.path(b"names/d" + name[:254]))
        self.mesh.converge()
        for name in self.NAMES:
            self.assert_content(b"names/" + name, name)
            self.b.write(b"names/" + name, b"edited")
        self.mesh.converge()
        for name in self.NAMES:
            self.assert_content(b"names/" + name, b"edited")
        shutil.rmtree(self.a.path("names"))
        self.mesh.wait_until(
            lambda: not self.b.has("names") and not self.c.has("names"), "all names are gone"
        )
        self.mesh.converge()

    def test_names_that_differ_in_case_alone(self) -> None:
        for name in ("Readme", "README", "readme"):
            self.a.write(name, name)
        self.mesh.converge()
        self.assert_content("README", b"README")
        self.assert_content("readme", b"readme")

    def test_a_deep_path(self) -> None:
        deep = "/".join(["d" * 50] * 60)
        self.a.write(f"{deep}/file.py", b"deep")
        self.mesh.wait_content(f"{deep}/file.py", b"deep")
        self.mesh.converge()
        shutil.rmtree(self.a.path("d" * 50))
        self.mesh.wait_until(lambda: not self.c.has("d" * 50), "the deep path is gone")
        self.mesh.converge()


class ModesAndTimes(SharedMesh):
    def arrives(self, name: str, mode: int) -> None:
        self.mesh.wait_until(
            lambda: self.c.has(name) and os.stat(self.c.path(name)).st_mode & 0o7777 == mode,
            f"{name} has mode {mode:o}",
        )

    def test_modes_of_files(self) -> None:
        for mode in (0o600, 0o755, 0o444, 0o666, 0o700):
            name = f"mode-{mode:o}.py"
            self.a.write(name, b"x")
            os.chmod(self.a.path(name), mode)
            self.arrives(name, mode)
        self.b.write("mode-444.py", b"a file nobody may write is replaced all the same")
        os.chmod(self.b.path("mode-444.py"), 0o444)
        self.mesh.wait_content("mode-444.py", b"a file nobody may write is replaced all the same")
        self.mesh.converge()

    def test_setuid_and_setgid_are_never_kept_on_files(self) -> None:
        self.a.write("suid", b"x")
        os.chmod(self.a.path("suid"), 0o6755)
        self.arrives("suid", 0o755)
        self.mesh.converge()

    def test_setgid_and_sticky_are_kept_on_directories(self) -> None:
        for mode in (0o2775, 0o1777):
            os.mkdir(self.a.path(f"dir-{mode:o}"))
            os.chmod(self.a.path(f"dir-{mode:o}"), mode)
            self.arrives(f"dir-{mode:o}", mode)
        self.mesh.converge()

    def test_a_directory_that_nobody_may_write_gets_its_files(self) -> None:
        self.a.write("sealed/sub/file.py", b"x")
        os.chmod(self.a.path("sealed/sub"), 0o555)
        os.chmod(self.a.path("sealed"), 0o555)
        self.arrives("sealed", 0o555)
        self.mesh.wait_content("sealed/sub/file.py", b"x")
        self.mesh.converge()
        for one in self.mesh.nodes:
            for name in ("sealed", "sealed/sub"):
                os.chmod(one.path(name), 0o755)

    def test_times_far_from_now(self) -> None:
        for name, mtime in (
            ("future.py", 4_102_444_800 * 10**9 + 1),
            ("epoch.py", 0),
            ("first.py", 1),
        ):
            self.a.write(name, b"x", mtime_ns=mtime)
            self.mesh.wait_content(name, b"x")
            self.mesh.converge()
            self.assertEqual(os.stat(self.c.path(name)).st_mtime_ns, mtime)
            self.b.write(name, b"edited after it")
            self.mesh.wait_content(name, b"edited after it")
        self.mesh.converge()

    def test_a_roll_back_to_an_older_mtime_travels(self) -> None:
        now = time.time_ns()
        self.a.write("roll.py", b"newer", mtime_ns=now - HOUR_NS)
        self.mesh.converge()
        self.b.write("roll.py", b"older", mtime_ns=now - 10 * HOUR_NS)
        self.mesh.wait_content("roll.py", b"older")
        self.mesh.converge()
        self.assertEqual(os.stat(self.a.path("roll.py")).st_mtime_ns, now - 10 * HOUR_NS)
        self.assertEqual([entry for entry in self.conflicts() if entry["path"] == "roll.py"], [])


if __name__ == "__main__":
    unittest.main()
