"""What Python compiled from an older content never runs in place of a newer one."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import unittest

from case import FreshMesh, SharedMesh
from node import Node

SECOND_NS = 10**9


def runs(one: Node, module: str = "dag") -> str:
    """What a fresh Python, which may write bytecode, gets by importing the module there."""
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith("PYTHON")
    }
    done = subprocess.run(
        [sys.executable, "-c", f"import {module}; print({module}.ANSWER)"],
        cwd=one.folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.stdout.strip() or done.stderr


def compiled(one: Node) -> list[str]:
    cache = one.folder / "__pycache__"
    return sorted(os.listdir(cache)) if cache.is_dir() else []


class Bytecode(SharedMesh):
    def converge(self) -> None:
        self.mesh.converge(leave_out=lambda path: path.startswith(b"__pycache__"))

    def save(self, answer: int, mtime_ns: int) -> None:
        self.a.write("dag.py", f"ANSWER = {answer}\n", mtime_ns=mtime_ns)

    def test_an_edit_within_the_same_second_and_of_the_same_size_runs(self) -> None:
        moment = time.time_ns() // SECOND_NS * SECOND_NS - 100 * SECOND_NS
        for round_ in range(4):  # the mtimes lie within one second
            self.save(round_, moment + round_ * 1000)
            self.converge()
            for one in (self.b, self.c):
                self.assertEqual(runs(one), str(round_))
                self.assertTrue(compiled(one), "Python keeps bytecode here")

    def test_a_file_that_was_away_for_a_while_runs_as_it_is(self) -> None:
        moment = time.time_ns() // SECOND_NS * SECOND_NS - 200 * SECOND_NS
        self.save(5, moment)
        self.converge()
        self.assertEqual(runs(self.b), "5")
        os.unlink(self.a.path("dag.py"))
        self.mesh.wait_content("dag.py", None)
        self.converge()
        self.save(6, moment)
        self.converge()
        self.assertEqual(runs(self.b), "6")

    def test_a_restored_version_runs(self) -> None:
        for answer in (7, 8):
            self.save(answer, time.time_ns())
            self.converge()
        for expected in ("7", "8", "7"):  # each time what was there before comes back
            before = os.stat(self.b.path("dag.py")).st_mtime_ns
            runs(self.b)
            self.assert_status(self.b.run("restore", "dag.py"), 0)
            self.assertEqual(runs(self.b), expected)
            self.assertGreater(os.stat(self.b.path("dag.py")).st_mtime_ns, before)
            self.converge()
            for one in (self.a, self.c):
                self.assertEqual(runs(one), expected)


class Apart(FreshMesh):
    def test_bytecode_does_not_travel(self) -> None:
        """Python runs on a and on b only, so that what c has of it came from them."""
        a, b, c = self.begin()
        a.write("dag.py", "ANSWER = 1\n")
        a.write("team/dag.py", "ANSWER = 2\n")
        self.mesh.wait_content("team/dag.py", b"ANSWER = 2\n")
        for one in (a, b):
            self.assertEqual(runs(one), "1")
            self.assertEqual(runs(one, "team.dag"), "2")
            self.assertTrue(compiled(one), "Python keeps bytecode here")
            self.assertTrue(one.has("team/__pycache__"), "and here")
        for one in (a, b):
            self.mesh.fence(one)
            one.restart()  # it compares the whole folder, and says all that it has
            self.mesh.wait_in_sync()
            self.mesh.fence(one)
        self.assertEqual([str(path) for path in c.folder.rglob("*.pyc")], [])
        self.assertFalse(c.has("__pycache__") or c.has("team/__pycache__"))


if __name__ == "__main__":
    unittest.main()
