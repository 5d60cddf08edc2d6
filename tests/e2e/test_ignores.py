"""What is not replicated: the built-in list, .dagsyncignore, and the configuration's patterns."""

from __future__ import annotations

import os
import py_compile
import shutil
import unittest

from case import FreshMesh, SharedMesh

BUILT_IN = (
    "__pycache__/m.cpython-311.pyc",
    "m.pyc",
    "m.pyo",
    ".git/HEAD",
    ".hg/x",
    ".svn/x",
    ".f.swp",
    ".f.swo",
    ".f.swx",
    "4913",
    "f.py~",
    ".#f.py",
    "#f.py#",
    ".DS_Store",
    ".nfs0001",
    ".fuse_hidden01",
)


def pyc_of(source: bytes) -> bytes:
    return os.fsencode(py_compile.compile(os.fsdecode(source), doraise=True))


class Ignores(SharedMesh):
    options = {"folder": {"ignore": ["logs/", "*.tmp", "!m.pyo", "/top-only"]}}

    def test_the_built_in_list_stays_where_it_is(self) -> None:
        for name in BUILT_IN:
            self.a.write(f"built-in/{name}", b"x")
        self.a.write("built-in/plain.py", b"x")
        self.mesh.wait_content("built-in/plain.py", b"x")
        self.mesh.fence(self.a)
        self.mesh.wait_in_sync()
        for one in (self.b, self.c):
            there = sorted(os.listdir(one.path("built-in")))
            self.assertEqual(
                there, [b"m.pyo", b"plain.py"], "the configuration takes *.pyo of m back"
            )

    def test_the_patterns_of_the_configuration(self) -> None:
        for name in (
            "logs/x.log",
            "sub/logs/y.log",
            "z.tmp",
            "sub/z.tmp",
            "top-only",
            "sub/top-only",
            "logs2",
        ):
            self.a.write(name, b"x")
        self.mesh.fence(self.a)
        self.mesh.wait_in_sync()
        for name in ("sub/top-only", "logs2"):
            self.assert_content(name, b"x")
        for name in ("logs", "sub/logs", "z.tmp", "sub/z.tmp", "top-only"):
            self.assertFalse(self.b.has(name) or self.c.has(name), name)

    def test_a_directory_deleted_elsewhere_goes_with_what_python_left_in_it(self) -> None:
        self.a.write("package/module.py", b"x = 1\n")
        self.a.write("package/sub/other.py", b"x = 1\n")
        self.mesh.converge()
        for name in ("package/module.py", "package/sub/other.py"):
            pyc_of(self.b.path(name))
        shutil.rmtree(self.a.path("package"))
        self.mesh.wait_until(
            lambda: not self.b.has("package") and not self.c.has("package"), "the package is gone"
        )
        self.mesh.converge()

    def test_a_directory_deleted_elsewhere_stays_with_what_a_person_wrote(self) -> None:
        self.a.write("work/module.py", b"x")
        self.mesh.converge()
        self.b.write("work/notes.tmp", b"a person's")
        shutil.rmtree(self.a.path("work"))
        self.mesh.wait_content("work/module.py", None)
        self.mesh.wait_until(
            lambda: any(
                error["path"].startswith("work") for error in self.b.folder_status()["errors"]
            ),
            "status names the directory that stays",
        )
        self.assert_content("work/notes.tmp", b"a person's", self.b)
        self.assertFalse(self.c.has("work"))
        shutil.rmtree(self.b.path("work"))
        self.mesh.wait_until(
            lambda: not self.b.folder_status()["errors"], "the error is gone with the directory"
        )
        self.mesh.wait_in_sync()
        self.assertFalse(self.a.has("work"))

    def test_python_does_not_run_the_old_code_after_an_edit_of_the_same_size_and_second(
        self,
    ) -> None:
        second = 1_700_000_000 * 10**9
        self.a.write("cached.py", b"x = 1\n", mtime_ns=second)
        self.mesh.converge()
        pyc = pyc_of(self.b.path("cached.py"))
        self.a.write("cached.py", b"x = 2\n", mtime_ns=second + 5)
        self.mesh.wait_content("cached.py", b"x = 2\n")
        self.mesh.wait_until(
            lambda: not os.path.exists(pyc), "what Python had compiled from it is gone"
        )


class IgnoreFile(FreshMesh):
    def test_it_is_replicated_and_takes_effect_on_every_node(self) -> None:
        a, b, c = self.begin()
        a.write(".dagsyncignore", "data/**\n!data/keep/\n!data/keep/**\n*.csv\n")
        self.mesh.converge()
        b.write("data/big.bin", b"x")
        b.write("data/keep/small.py", b"x")
        c.write("table.csv", b"x")
        self.mesh.fence(b)
        self.mesh.fence(c)
        self.mesh.wait_in_sync()
        self.assert_content("data/keep/small.py", b"x")
        self.assertFalse(a.has("data/big.bin") or c.has("data/big.bin"))
        self.assertFalse(a.has("table.csv") or b.has("table.csv"))

    def test_what_is_ignored_from_now_on_is_not_deleted_anywhere(self) -> None:
        a, b, c = self.begin()
        a.write("report.csv", b"one")
        self.mesh.converge()
        a.write(".dagsyncignore", "*.csv\n")
        self.mesh.wait_content(".dagsyncignore", b"*.csv\n")
        self.mesh.wait_in_sync()
        a.write("report.csv", b"two")
        self.mesh.fence(a)
        self.mesh.wait_in_sync()
        self.assert_content("report.csv", b"one", b, c)
        os.unlink(a.path("report.csv"))
        self.mesh.fence(a)
        self.assert_content("report.csv", b"one", b, c)

    def test_what_is_no_longer_ignored_travels(self) -> None:
        a, b, c = self.begin()
        a.write(".dagsyncignore", "*.csv\n")
        self.mesh.converge()
        b.write("report.csv", b"x")
        self.mesh.fence(b)
        self.assertFalse(a.has("report.csv"))
        os.unlink(a.path(".dagsyncignore"))
        self.mesh.wait_content("report.csv", b"x")
        self.mesh.converge()


if __name__ == "__main__":
    unittest.main()
