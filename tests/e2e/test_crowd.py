"""A mesh of many nodes: a large content costs its author few copies, and nobody is left waiting."""

from __future__ import annotations

import os
import unittest

from case import SharedMesh

NODES = 10
LARGE = 5 << 20  # bytes; from 4 MiB on, nodes fetch in turn
MOST_COPIES = 4  # 3, and what may go twice where two nodes see the mesh differently for a moment


class Crowd(SharedMesh):
    options = {"n": NODES}

    def sent_by_a(self) -> int:
        return sum(peer["bytes_sent"] for peer in self.a.status()["peers"])

    def test_the_author_of_a_large_file_sends_few_copies(self) -> None:
        before = self.sent_by_a()
        content = os.urandom(LARGE)
        self.a.write("large.bin", content)
        self.mesh.wait_content("large.bin", content)
        self.assertLessEqual((self.sent_by_a() - before) / LARGE, MOST_COPIES + 0.5)

    def test_nodes_that_hang_keep_it_from_nobody(self) -> None:
        hanging = self.mesh.nodes[3:]
        others = self.mesh.nodes[1:3]
        for one in hanging:
            one.pause()
        try:
            contents = {f"hang{number}.bin": os.urandom(LARGE) for number in range(4)}
            for name, content in contents.items():  # each would go another way through the mesh
                self.a.write(name, content)
            for name, content in contents.items():
                self.mesh.wait_content(name, content, nodes=others)
        finally:
            for one in hanging:
                one.proceed()
        self.mesh.converge()

    def test_nodes_that_die_on_the_way_keep_it_from_nobody(self) -> None:
        dying = self.mesh.nodes[7:]
        content = os.urandom(4 * LARGE)
        self.a.write("dying.bin", content)
        for one in dying:
            one.kill()
        self.mesh.wait_content("dying.bin", content)
        self.mesh.start(*(one.name for one in dying))
        self.mesh.wait_content("dying.bin", content)
        self.mesh.converge()


if __name__ == "__main__":
    unittest.main()
