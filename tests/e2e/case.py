"""Base classes of the tests: a mesh for each test, or one for all tests of a class."""

from __future__ import annotations

import subprocess
import sys
import unittest

from mesh import Mesh
from node import Node


class _Logged(unittest.TestCase):
    """Shows the daemons' logs beside a failure."""

    mesh: Mesh | None = None
    _last_logs = ""

    def run(self, result=None):
        result = result or self.defaultTestResult()
        before = len(result.failures) + len(result.errors)
        super().run(result)
        if len(result.failures) + len(result.errors) > before:
            logs = self.mesh.logs() if self.mesh and self.mesh.root.exists() else self._last_logs
            print(f"\n{self.id()} failed\n{logs}", file=sys.stderr)
        return result

    @staticmethod
    def finish(mesh: Mesh) -> None:
        logs = mesh.logs()
        complaints = mesh.close()
        if complaints:
            raise AssertionError("\n".join([*complaints, logs]))

    # --- what is often said of a mesh ---------------------------------------------------

    def assert_content(self, name: str | bytes, content: bytes | None, *nodes: Node) -> None:
        for one in nodes or self.mesh.running():
            found = one.read(name)
            if found != content:
                self.fail(f"{name!r} on {one.name} is {_short(found)}, not {_short(content)}")

    def assert_status(self, done: subprocess.CompletedProcess, *allowed: int) -> None:
        self.assertIn(done.returncode, allowed, f"{done.args}\n{done.stdout}{done.stderr}")

    def conflicts(self) -> list[dict]:
        """The conflicts that any running node lists."""
        return [entry for one in self.mesh.running() for entry in one.listed("conflicts")]


class FreshMesh(_Logged):
    """Each test has a mesh of its own; `options` are those of Mesh."""

    options: dict = {}

    def setUp(self) -> None:
        self.mesh = Mesh(**self.options)
        self.addCleanup(self._finish)

    def _finish(self) -> None:
        self._last_logs = self.mesh.logs()
        self.finish(self.mesh)

    def begin(self) -> tuple[Node, ...]:
        """Starts all nodes, waits until they are in sync, and returns them."""
        self.mesh.start()
        self.mesh.wait_in_sync()
        return tuple(self.mesh.nodes)


class SharedMesh(_Logged):
    """All tests of the class have one running mesh; each leaves it in sync, whatever it did."""

    options: dict = {}

    @classmethod
    def setUpClass(cls) -> None:
        cls.mesh = Mesh(**cls.options)
        cls.addClassCleanup(cls.finish, cls.mesh)
        cls.prepare()
        cls.mesh.start()
        cls.mesh.wait_in_sync()

    @classmethod
    def prepare(cls) -> None:
        """Before the start: other configurations, for example."""

    def setUp(self) -> None:
        self.a, self.b, self.c = self.mesh.nodes[:3]
        self.mesh.revive()


def _short(content: bytes | None) -> str:
    if content is None or len(content) <= 200:
        return repr(content)
    return f"{len(content)} bytes that begin with {content[:80]!r}"
