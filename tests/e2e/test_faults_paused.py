"""A node that is stopped for half a minute: the others go on without it, and it catches up.

The long waits run side by side: one mesh with a paused reader, one with a paused author.
"""

from __future__ import annotations

import os
import threading
import time
import unittest

from case import FreshMesh
from mesh import Mesh
from node import Node

PAUSE_S = 30
PROMPT_S = 2  # a change takes milliseconds; a paused peer may not make it seconds


class Paused(FreshMesh):
    def setUp(self) -> None:
        super().setUp()
        self.second = Mesh()
        self.addCleanup(self.finish, self.second)

    def fill(self, one: Node) -> None:
        for index in range(40):
            one.write(f"team{index % 4}/{index}.py", f"{index}\n" * 50)
        one.write("large.bin", os.urandom(2 << 20))

    def edit_and_delete(self, one: Node, other: Node) -> None:
        """What two running nodes do to each other's files while a third one is stopped."""
        for index in range(10):
            one.write(f"team0/{index * 4}.py", b"edited by one")
        for index in range(4):
            os.unlink(other.path(f"team1/{index * 4 + 1}.py"))
        os.rename(one.path("team2"), one.path("renamed"))
        other.write("large.bin", os.urandom(2 << 20))

    def author_is_paused(self, ended: threading.Event, failures: list[BaseException]) -> None:
        """The second mesh: a's daemon is stopped in the middle of a burst that goes on."""
        try:
            a, b, c = self.second.nodes
            self.fill(a)
            self.second.converge()
            for index in range(200):
                a.write(f"burst/{index}.py", b"early")
                if index == 100:
                    a.pause()
            b.write("team0/0.py", b"edited elsewhere")
            ended.wait()
            a.write("burst/199.py", b"late")
            a.proceed()
            self.second.converge(bound=40)
            self.assertEqual(len(os.listdir(c.path("burst"))), 200)
            self.assertEqual(c.read("burst/199.py"), b"late")
            self.assertEqual(a.read("team0/0.py"), b"edited elsewhere")
            invented = [entry for one in self.second.nodes for entry in one.listed("conflicts")]
            self.assertEqual(invented, [])
        except BaseException as failure:  # told by the test's own thread
            failures.append(failure)

    def test_a_reader_and_an_author_are_stopped_for_half_a_minute(self) -> None:
        self.second.start()  # by this thread: a daemon ends with the thread that started it
        self.second.wait_in_sync()
        ended, failures = threading.Event(), []
        other = threading.Thread(target=self.author_is_paused, args=(ended, failures))
        other.start()
        try:
            self.reader_is_paused()
        finally:
            ended.set()
            other.join()
        if failures:
            raise failures[0]

    def reader_is_paused(self) -> None:
        a, b, c = self.begin()
        self.fill(a)
        self.mesh.converge()
        c.pause()
        until = time.monotonic() + PAUSE_S
        self.edit_and_delete(a, b)
        a.write("prompt.py", b"at once")
        self.mesh.wait_content("prompt.py", b"at once", bound=PROMPT_S, nodes=[a, b])
        self.mesh.wait_until(
            lambda: not a.peer_status("c")["connected"], "a lets a silent peer go", PAUSE_S - 5
        )
        self.assertFalse(a.status()["in_sync"])
        self.assert_status(a.run("push", "--timeout", "1"), 1)
        self.assert_status(a.run("push", "--timeout", "10", "--min-acks", "1"), 0)
        while time.monotonic() < until:  # the node is stopped for that long: the fault itself
            b.write("meanwhile.py", f"{time.monotonic()}")
            time.sleep(1)
        c.proceed()
        self.mesh.converge(bound=30)
        self.assertFalse(c.has("team2") or c.has("team1/1.py"))
        self.assert_content("team0/0.py", b"edited by one")
        self.assertEqual(self.conflicts(), [])


if __name__ == "__main__":
    unittest.main()
