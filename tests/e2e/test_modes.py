"""send-only and receive-only folders: what may not travel is drift, and gives way to what may."""

from __future__ import annotations

import os
import time
import unittest

from case import FreshMesh
from node import Node


class Modes(FreshMesh):
    def begin_with(self, mode: str) -> tuple[Node, ...]:
        """Node c has the mode; a and b are as usual."""
        self.mesh.configure(self.mesh["c"], folder={"mode": mode})
        return self.begin()

    def drift(self, one: Node) -> int:
        return one.folder_status().get("drift", 0)

    def test_a_receive_only_node_takes_changes_and_gives_none(self) -> None:
        a, b, c = self.begin_with("receive-only")
        a.write("dag.py", b"from a")
        self.mesh.wait_content("dag.py", b"from a")
        c.write("own.py", b"made on c")
        c.write("dag.py", b"edited on c")
        self.mesh.wait_until(lambda: self.drift(c) == 2, "c names its drift")
        self.mesh.fence(a)
        self.assert_content("own.py", None, a, b)
        self.assert_content("dag.py", b"from a", a, b)

    def test_the_next_change_replaces_drift_and_the_drift_is_kept(self) -> None:
        a, b, c = self.begin_with("receive-only")
        a.write("dag.py", b"from a")
        self.mesh.wait_content("dag.py", b"from a")
        c.write("dag.py", b"edited on c")
        c.write("new.py", b"made on c")
        os.unlink(self.put(a, c, "gone.py"))
        self.mesh.wait_until(lambda: self.drift(c) == 3, "c names its drift")
        for name in ("dag.py", "new.py", "gone.py"):
            a.write(name, b"again from a: " + name.encode())
        for name in ("dag.py", "new.py", "gone.py"):
            self.mesh.wait_content(name, b"again from a: " + name.encode())
        self.mesh.wait_until(lambda: self.drift(c) == 0, "no drift is left")
        for name, size in (("dag.py", len(b"edited on c")), ("new.py", len(b"made on c"))):
            done = c.run("versions", name, "--json")
            self.assert_status(done, 0)
            self.assertIn(f'"size": {size}', done.stdout)

    def put(self, source: Node, target: Node, name: str) -> bytes:
        """A file that travels from one to the other; where it stands there."""
        source.write(name, b"to be deleted")
        self.mesh.wait_content(name, b"to be deleted")
        return target.path(name)

    def test_a_send_only_node_gives_changes_and_takes_none(self) -> None:
        a, b, c = self.begin_with("send-only")
        c.write("dag.py", b"from c")
        self.mesh.wait_content("dag.py", b"from c")
        a.write("other.py", b"from a")
        self.mesh.wait_until(lambda: self.drift(c) == 1, "c names its drift")
        self.assert_content("other.py", None, c)
        self.assert_content("other.py", b"from a", a)

    def test_the_next_change_of_a_send_only_node_replaces_what_did_not_come_in(self) -> None:
        a, b, c = self.begin_with("send-only")
        now = time.time_ns()
        c.write("dag.py", b"from c")
        self.mesh.wait_content("dag.py", b"from c")
        a.write("dag.py", b"from a", mtime_ns=now)
        a.write("new.py", b"from a", mtime_ns=now)
        self.mesh.wait_until(lambda: self.drift(c) == 2, "c names its drift")
        self.mesh.wait_content("dag.py", b"from a", nodes=[a, b])
        for name in ("dag.py", "new.py"):  # older by hours, and yet the next one
            c.write(name, b"again from c: " + name.encode(), mtime_ns=now - 10**13)
        for name in ("dag.py", "new.py"):
            self.mesh.wait_content(name, b"again from c: " + name.encode())
        self.mesh.wait_until(lambda: self.drift(c) == 0, "no drift is left")
        self.mesh.converge()
        self.assertEqual(self.conflicts(), [])
        self.assertEqual(a.listed("versions", "dag.py")[0]["reason"], "replaced")


if __name__ == "__main__":
    unittest.main()
