"""A daemon without root's rights: what it may not read is named, and travels once it may."""

from __future__ import annotations

import os
import unittest

from case import FreshMesh
from faults import IS_ROOT, NEEDS_ROOT
from node import Node

USER = 12345


@unittest.skipUnless(IS_ROOT, NEEDS_ROOT)
class Unprivileged(FreshMesh):
    """c runs as a user of its own, who owns its home; the files of root are made by the test."""

    def setUp(self) -> None:
        super().setUp()
        c = self.mesh["c"]
        os.chmod(self.mesh.root, 0o755)
        for path in (c.home, *c.home.rglob("*")):
            os.chown(path, USER, USER)
        c.launcher = ["setpriv", "--reuid", str(USER), "--clear-groups", "--"]

    def wait_error(self, one: Node, name: str) -> None:
        def told() -> bool:
            errors = one.folder_status().get("errors", [])
            return any(error["path"] == name and error["error"] for error in errors)

        self.mesh.wait_until(told, f"{one.name} names {name}")

    def wait_no_error(self, one: Node) -> None:
        self.mesh.wait_until(lambda: one.folder_status().get("errors") == [], "no error is left")

    def test_an_unreadable_file_is_named_and_travels_when_it_may_be_read(self) -> None:
        a, b, c = self.begin()
        c.write("secret.py", b"hidden at first")
        os.chmod(c.path("secret.py"), 0)
        c.write("open.py", b"for everybody")
        self.mesh.wait_content("open.py", b"for everybody")
        self.wait_error(c, "secret.py")
        self.assertFalse(c.status()["in_sync"])
        self.assert_content("secret.py", None, a, b)
        os.chmod(c.path("secret.py"), 0o644)
        self.mesh.wait_content("secret.py", b"hidden at first")
        self.wait_no_error(c)
        self.mesh.converge()

    def test_a_file_that_becomes_unreadable_is_no_delete(self) -> None:
        a, b, c = self.begin()
        a.write("dag.py", b"content")
        a.write("sub/below.py", b"content")
        self.mesh.converge()
        os.chown(c.path("dag.py"), 0, 0)
        os.chmod(c.path("dag.py"), 0o600)
        os.chmod(c.path("sub"), 0)
        c.restart()
        self.wait_error(c, "dag.py")
        self.mesh.fence(a)
        self.assert_content("dag.py", b"content", a, b)
        self.assert_content("sub/below.py", b"content", a, b)
        os.chown(c.path("dag.py"), USER, USER)
        os.chmod(c.path("dag.py"), 0o644)
        os.chmod(c.path("sub"), 0o755)
        self.wait_no_error(c)
        self.mesh.converge()
        self.assert_content("sub/below.py", b"content")
        self.assertEqual(self.conflicts(), [])


if __name__ == "__main__":
    unittest.main()
