"""Clocks that are wrong: an hour ahead, or stepped back. Only the conflict's winner may depend on it.

libfaketime (Debian's package faketime) fakes the wall clock of one daemon, and of nothing else: the
kernel's clock, of which a file's ctime tells, stays right. The mtimes of its files are set to what the
daemon's clock shows. A machine whose kernel is ahead too cannot be had here without setting the clock
of all; it is the simulator (tests/sim) that gives each machine a clock, for its ctimes as well.
"""

from __future__ import annotations

import os
import time
import unittest
from pathlib import Path

from case import FreshMesh
from node import Node

HOUR_S = 3600
FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)


@unittest.skipUnless(FAKETIME, "libfaketime is not installed (Debian's package faketime)")
class Clocks(FreshMesh):
    options = {"links": True}

    def set_clock(self, one: Node, seconds: int) -> None:
        """From the next line of the file on; a running daemon sees it within a second."""
        setting = one.home / "clock"
        setting.write_text(f"{seconds:+d}\n")
        one.environment |= {
            "LD_PRELOAD": str(FAKETIME),
            "FAKETIME_TIMESTAMP_FILE": str(setting),
            "FAKETIME_CACHE_DURATION": "1",
            "DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }

    def save(self, one: Node, name: str, content: bytes, offset: int = 0) -> None:
        one.write(name, content, mtime_ns=time.time_ns() + offset * 10**9)

    def offset_seen(self, one: Node, of: Node) -> float:
        return one.peer_status(of.name).get("clock_offset_ms", 0) / 1000

    def part(self) -> None:
        self.mesh.links.cut(*self.mesh.names)
        for one in self.mesh.nodes:
            self.mesh.wait_until(
                lambda: not any(peer["connected"] for peer in one.status()["peers"]), "alone"
            )

    def observed(self, one: Node) -> None:
        self.mesh.wait_until(lambda: one.folder_status()["pending_changes"] == 0, "observed")

    def meet(self) -> None:
        self.mesh.links.restore()
        self.mesh.converge()

    def test_a_node_an_hour_ahead_is_named_and_wins_no_edit_that_has_seen_its_own(self) -> None:
        self.set_clock(self.mesh["a"], HOUR_S)
        a, b, c = self.begin()
        self.mesh.wait_until(
            lambda: abs(self.offset_seen(b, a) - HOUR_S) < 60, "b measures a's clock"
        )
        self.assertRegex(b.run("status").stdout.lower(), "clock")
        for number in range(5):  # to and fro: each has seen the one before
            self.save(a, "dag.py", b"by a %d" % number, HOUR_S)
            self.mesh.wait_content("dag.py", b"by a %d" % number)
            # An hour before a's, also of those times that count: a's own count as the kernel's now.
            self.save(b, "dag.py", b"by b %d" % number, -HOUR_S)
            self.mesh.wait_content("dag.py", b"by b %d" % number)
        self.save(a, "gone.py", b"by a", HOUR_S)
        self.mesh.wait_content("gone.py", b"by a")
        os.unlink(c.path("gone.py"))
        self.mesh.wait_content("gone.py", None)
        self.mesh.converge()
        self.assertEqual(self.conflicts(), [])

    def test_a_conflict_with_it_is_decided_alike_and_the_loser_is_kept(self) -> None:
        # A mtime in the future counts as the moment at which the kernel saw it written, and the
        # kernel's clock is right here: so it is b, a moment later, that wins.
        self.set_clock(self.mesh["a"], HOUR_S)
        a, b, c = self.begin()
        self.save(b, "dag.py", b"base")
        self.mesh.converge()
        self.part()
        self.save(a, "dag.py", b"by a, who is ahead", HOUR_S)
        self.save(b, "dag.py", b"by b, a moment later")
        self.observed(a)
        self.observed(b)
        self.meet()
        lost = [entry for entry in a.listed("conflicts") if entry["path"] == "dag.py"]
        self.assert_content("dag.py", b"by b, a moment later")
        self.assertEqual(len(lost), 1)
        self.assert_status(a.run("restore", "dag.py", "--version", str(lost[0]["id"])), 0)
        self.mesh.wait_content("dag.py", b"by a, who is ahead")  # a restore has seen the other
        self.mesh.converge()

    def test_a_clock_that_steps_back_an_hour_and_a_restart(self) -> None:
        a, b, c = self.mesh.nodes
        self.set_clock(a, HOUR_S)
        self.begin()
        self.save(a, "dag.py", b"made when it was late", HOUR_S)
        self.save(a, "gone.py", b"made when it was late", HOUR_S)
        self.mesh.converge()
        (a.home / "clock").write_text("+0\n")  # not behind: the kernel's ctimes are never later
        self.mesh.wait_until(lambda: self.offset_seen(b, a) < HOUR_S / 2, "the step is seen", 30)
        self.save(a, "dag.py", b"made when it was early")
        os.unlink(a.path("gone.py"))
        self.mesh.wait_content("dag.py", b"made when it was early")
        self.mesh.wait_content("gone.py", None)
        a.restart()
        self.mesh.converge()
        self.save(b, "dag.py", b"and edited by b")
        self.mesh.wait_content("dag.py", b"and edited by b")
        self.mesh.converge()
        self.assertTrue(a.listed("versions", "dag.py"), "nothing expired by the step")
        self.assertEqual(self.conflicts(), [])


if __name__ == "__main__":
    unittest.main()
