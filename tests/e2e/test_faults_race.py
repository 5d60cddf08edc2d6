"""A local writer races with publishing on the same path, 10,000 times, and loses nothing.

He saves by exchanging names, and in place through a descriptor that he opened before dagsync
exchanged the file. In the end every content is live, a kept version, or was taken away by himself.
DAGSYNC_E2E_LONG=10 writes ten times as often; DAGSYNC_E2E_SEED repeats the choices of a run.
"""

from __future__ import annotations

import random
import unittest

from case import FreshMesh
from faults import SEED, Ledger, Writer, rounds
from node import Node

WRITES = 10_000
NAMES = ("race/one.py", "race/two.py")


class Racer(Writer):
    def __init__(self, node: Node, ledger: Ledger, seed: int, ways: str, pause: float) -> None:
        super().__init__(node, ledger, seed)
        self.ways, self.pause, self.writes = ways, pause, 0

    def rest(self) -> float:
        """Mostly none; sometimes long enough for a publishing to begin."""
        return 0 if self.chance.random() < 0.7 else self.chance.uniform(0, self.pause)

    def work(self) -> None:
        while not self.ending.wait(self.rest()):
            name = self.chance.choice(NAMES)
            way = self.chance.choice(self.ways)
            if way == "s":
                self.save(name, self.chance.choice((0, 4000)))
            elif way == "p":
                self.write_in_place(name, self.chance.choice((0, 4000)))
            else:
                self.remove(name)
            self.writes += 1


class Races(FreshMesh):
    def race(self, ways: str, writes: int) -> None:
        """b writes fast and in every way, while a's and c's saves are published on it."""
        chance, ledger = random.Random(SEED), Ledger()
        a, b, c = self.begin()
        fast = Racer(b, ledger, chance.randrange(1 << 31), ways, 0.02)
        others = [Racer(one, ledger, chance.randrange(1 << 31), "s", 0.02) for one in (a, c)]
        for racer in (fast, *others):
            racer.start()
        try:
            self.mesh.wait_until(
                lambda: fast.writes >= writes or fast.failure, f"{writes} writes", bound=300
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
        log = b.log_text()
        met = sum(log.count(f"applied {name} from") for name in NAMES)
        self.assertGreater(met, writes // 200, "publishing met the writer")

    def test_who_saves_by_renaming(self) -> None:
        self.race("s", rounds(WRITES // 2))

    def test_who_writes_in_place_and_deletes(self) -> None:
        self.race("sppd", rounds(WRITES // 2))


if __name__ == "__main__":
    unittest.main()
