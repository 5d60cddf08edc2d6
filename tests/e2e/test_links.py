"""Links that are cut, stall, come back, or are cut again in the middle of a transfer."""

from __future__ import annotations

import os
import threading
import time
import unittest

from case import FreshMesh, SharedMesh
from node import PATIENCE

DEAD_LINK_FOUND_WITHIN_S = 10


class Links(SharedMesh):
    options = {"links": True}

    def setUp(self) -> None:
        super().setUp()
        self.mesh.links.restore()
        self.mesh.wait_in_sync()
        self.addCleanup(self.mesh.links.restore)

    def test_a_change_reaches_a_node_that_cannot_see_its_author(self) -> None:
        self.mesh.links.cut("a", "c")
        self.mesh.wait_until(
            lambda: not self.a.peer_status("c")["connected"], "a sees that c is gone"
        )
        content = os.urandom(2 << 20)
        self.a.write("through-b/small.py", b"small")
        self.a.write("through-b/large.bin", content)
        self.c.write("through-b/back.py", b"back")
        self.mesh.wait_content("through-b/small.py", b"small")
        self.mesh.wait_content("through-b/large.bin", content)
        self.mesh.wait_content("through-b/back.py", b"back")
        os.unlink(self.a.path("through-b/small.py"))
        self.mesh.wait_content("through-b/small.py", None)
        began = time.monotonic()
        for number in range(6):
            self.a.write("through-b/at-once.py", b"%d" % number)
            self.mesh.wait_content("through-b/at-once.py", b"%d" % number)
        # Not one by one with what nodes tell of their knowledge, every 3 s.
        self.assertLess(time.monotonic() - began, 5 * PATIENCE)
        self.assertFalse(self.a.status()["in_sync"], "a cannot know that of c")
        self.mesh.links.restore()
        self.mesh.converge()
        self.assertEqual(self.conflicts(), [])

    def test_a_restored_link_is_used_at_once(self) -> None:
        self.mesh.links.cut("a", "b")
        self.mesh.wait_until(
            lambda: not self.a.peer_status("b")["connected"], "a sees that b is gone"
        )
        self.mesh.links.restore()
        self.mesh.wait_until(
            lambda: self.a.peer_status("b")["connected"], "a sees b again", bound=6
        )
        self.mesh.wait_in_sync()

    def test_a_node_cut_off_from_all_catches_up(self) -> None:
        self.mesh.links.isolate("a")
        for index in range(50):
            self.a.write(f"island/a{index}.py", f"a {index}")
            self.b.write(f"island/b{index}.py", f"b {index}")
        self.mesh.wait_content("island/b49.py", b"b 49", nodes=[self.b, self.c])
        self.assertFalse(self.a.has("island/b0.py"))
        self.mesh.links.restore()
        self.mesh.converge()
        self.assert_content("island/a49.py", b"a 49")
        self.assertEqual(self.conflicts(), [])

    def test_a_link_that_is_cut_again_and_again_during_changes(self) -> None:
        ended = threading.Event()

        def keep_writing() -> None:
            for index in range(300):
                self.a.write(f"flaky/{index % 30}.py", f"{index}\n" * 300)
                time.sleep(0.005)
            ended.set()

        writer = threading.Thread(target=keep_writing)
        writer.start()
        while not ended.wait(0.15):
            self.mesh.links.cut("a", "b")
            ended.wait(0.05)
            self.mesh.links.restore()
        writer.join()
        self.mesh.converge()
        self.assert_content("flaky/29.py", b"299\n" * 300)
        self.assertEqual(self.conflicts(), [])

    def test_a_transfer_that_is_cut_off_is_done_when_the_link_is_back(self) -> None:
        content = os.urandom(32 << 20)
        before = self.mesh.links.carried("a", "c")
        self.a.write("cut-off.bin", content)
        self.mesh.wait_until(
            lambda: self.mesh.links.carried("a", "c") > before + (1 << 20), "bytes flow"
        )
        self.mesh.links.isolate("c")
        self.assertTrue(
            self.c.holds("cut-off.bin", None) or self.c.holds("cut-off.bin", content),
            "never a part",
        )
        self.mesh.links.restore()
        self.mesh.wait_content("cut-off.bin", content)
        self.mesh.converge()


class DeadLinks(FreshMesh):
    options = {"links": True}

    def test_a_silent_link_is_found_dead_and_comes_back(self) -> None:
        a, b, c = self.begin()
        self.mesh.links.blackhole("a", "b")
        self.mesh.wait_until(
            lambda: not a.peer_status("b")["connected"] and not b.peer_status("a")["connected"],
            "both find the link dead",
            bound=DEAD_LINK_FOUND_WITHIN_S + 2,
        )
        a.write("around.py", b"through c")
        self.mesh.wait_content("around.py", b"through c")
        self.mesh.links.restore()
        self.mesh.converge()

    def test_a_link_silent_one_way_is_found_dead(self) -> None:
        a, b, c = self.begin()
        self.mesh.links.stall("a", "b")
        self.mesh.wait_until(
            lambda: not b.peer_status("a")["connected"],
            "b no longer hears a",
            bound=DEAD_LINK_FOUND_WITHIN_S + 2,
        )
        a.write("around.py", b"through c")
        self.mesh.wait_content("around.py", b"through c")
        self.mesh.links.restore()
        self.mesh.converge()

    def test_a_slow_peer_delays_nobody(self) -> None:
        a, b, c = self.begin()
        self.mesh.links.stall("a", "b")
        content = os.urandom(8 << 20)
        a.write("large.bin", content)
        a.write("small.py", b"small")
        self.mesh.wait_content("small.py", b"small", bound=5, nodes=[c])
        self.mesh.wait_content("large.bin", content, bound=5, nodes=[c])
        self.mesh.links.restore()
        self.mesh.converge()


if __name__ == "__main__":
    unittest.main()
