"""A local writer races with publishing on the same paths, and loses nothing.

He writes 10,000 times, and goes on until publishing was tried 3,000 times on the paths that he writes
all the while, and both of them won at least 150 times. What is counted are attempts, by his node's
log: those that published (between two of his writes), and those that found another content than the
last one that the node had seen, or a writer, and put it off. How many met a write within the same
microseconds nobody can count.

He saves by exchanging names, and in place through a descriptor that he opened before dagsync
exchanged the file. In the end every content is live, a kept version, or was taken away by himself.
DAGSYNC_E2E_LONG=10 does ten times as much; DAGSYNC_E2E_SEED repeats the choices of a run.
"""

from __future__ import annotations

import random
import re
import unittest

from case import FreshMesh
from faults import SEED, Ledger, Writer, rounds
from node import Node

WRITES, ATTEMPTS, WON = 10_000, 3_000, 150
# After an attempt that was put off a path rests for a moment, so it takes some of them.
NAMES = tuple(f"race/{number}.py" for number in range(20))
FAST_S, SLOWER_S = 0.002, 0.004  # between two writes on b, and on a and on c
PUBLISHED = re.compile(rb"(applied|deleted) race/\d+\.py from")
PUT_OFF = re.compile(rb"race/\d+\.py: not published yet")


class Racer(Writer):
    def __init__(self, node: Node, ledger: Ledger, seed: int, ways: str, pause: float) -> None:
        super().__init__(node, ledger, seed)
        self.ways, self.pause, self.writes = ways, pause, 0

    def work(self) -> None:
        while not self.ending.wait(self.pause):
            name = self.chance.choice(NAMES)
            way = self.chance.choice(self.ways)
            if way == "s":
                self.save(name, self.chance.choice((0, 4000)))
            elif way == "p":
                self.write_in_place(name, self.chance.choice((0, 4000)))
            else:
                self.remove(name)
            self.writes += 1


class Attempts:
    """Of publishing on a node that logs what it debugs, so far."""

    def __init__(self, node: Node) -> None:
        self.published = self.put_off = 0
        self._log = node.log
        self._read = node.log.stat().st_size

    def enough(self, attempts: int, won: int) -> bool:
        """Of all, and of those that either of the two won."""
        self._count()
        return self.published + self.put_off >= attempts and min(self.published, self.put_off) >= won

    def _count(self) -> None:
        with open(self._log, "rb") as log:
            log.seek(self._read)
            text = log.read()
        text = text[: text.rfind(b"\n") + 1]
        self._read += len(text)
        self.published += len(PUBLISHED.findall(text))
        self.put_off += len(PUT_OFF.findall(text))


class Races(FreshMesh):
    def race(self, ways: str) -> None:
        """b writes fast and in every way, while a's and c's saves are published on it."""
        writes, attempts, won = rounds(WRITES // 2), rounds(ATTEMPTS // 2), rounds(WON // 2)
        chance, ledger = random.Random(SEED), Ledger()
        self.mesh["b"].log_level = "debug"
        a, b, c = self.begin()
        met = Attempts(b)
        fast = Racer(b, ledger, chance.randrange(1 << 31), ways, FAST_S)
        others = [Racer(one, ledger, chance.randrange(1 << 31), "s", SLOWER_S) for one in (a, c)]
        for racer in (fast, *others):
            racer.start()
        try:
            self.mesh.wait_until(
                lambda: fast.failure or (met.enough(attempts, won) and fast.writes >= writes),
                f"{writes} writes and {attempts} attempts of publishing on their paths, "
                f"at least {won} of which published and {won} of which put it off",
                bound=300,
            )
        finally:
            for racer in (fast, *others):
                racer.finish()
        self.mesh.converge(bound=60)
        self.mesh.stop()  # what was only rescued is listed within seconds, and at the end
        self.mesh.start()
        self.mesh.converge(bound=60)
        lost = ledger.lost(self.mesh)
        self.assertEqual(lost, [], f"lost, of {len(ledger.written)} contents (seed {SEED})")

    def test_who_saves_by_renaming(self) -> None:
        self.race("s")

    def test_who_writes_in_place_and_deletes(self) -> None:
        self.race("sppd")


if __name__ == "__main__":
    unittest.main()
