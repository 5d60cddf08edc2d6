"""Daemons are killed at random moments, 200 times: equal trees, nothing lost, no invented conflict.

DAGSYNC_E2E_LONG=10 kills ten times as often; DAGSYNC_E2E_SEED repeats the choices of a run.
"""

from __future__ import annotations

import random
import time
import unittest

from case import FreshMesh
from faults import SEED, Ledger, Writer, rounds
from mesh import Mesh
from node import Node

KILLS = 200
LONGEST_LIFE_S = 0.4
OWN_NAMES = 24


class Owner(Writer):
    """Saves, deletes and makes again files that no other node writes."""

    def __init__(self, node: Node, ledger: Ledger, seed: int) -> None:
        super().__init__(node, ledger, seed)
        self.last: dict[str, bytes | None] = {}

    def work(self) -> None:
        while not self.ending.wait(self.chance.uniform(0.002, 0.02)):
            number = self.chance.randrange(OWN_NAMES)
            name = f"{self.node.name}/team{number % 5}/{number}.py"
            if self.chance.random() < 0.15:
                self.remove(name)
                self.last[name] = None
            else:
                self.last[name] = self.save(name, self.chance.choice((0, 500, 9000, 90_000)))


class Turns(Writer):
    """Each node in turn edits the files that the one before it edited, once it sees that edit."""

    NAMES = tuple(f"turns/{number}.py" for number in range(6))

    def __init__(self, nodes: list[Node], ledger: Ledger, seed: int) -> None:
        super().__init__(nodes[0], ledger, seed)
        self.nodes = nodes
        self.hands = [Hand(node, ledger, seed) for node in nodes]
        self.last: dict[str, bytes | None] = {}
        self.turn = dict.fromkeys(self.NAMES, 0)

    def work(self) -> None:
        while not self.ending.wait(0.003):
            for name in self.NAMES:
                hand = self.hands[self.turn[name] % len(self.hands)]
                if hand.node.read(name) == self.last.get(name):
                    self.last[name] = hand.save(name, self.chance.choice((0, 3000)))
                    self.turn[name] += 1


class Hand(Writer):
    """Only saves when it is asked to."""


class Killed(FreshMesh):
    def live_and_die(self, mesh: Mesh, kills: int, chance: random.Random) -> None:
        for _ in range(kills):
            one = chance.choice(mesh.nodes)
            time.sleep(chance.uniform(0, LONGEST_LIFE_S))  # the fault itself, not a wait
            one.kill()
            one.start()

    def test_nothing_is_lost_and_no_conflict_invented(self) -> None:
        print(f"seed {SEED}")
        chance, ledger = random.Random(SEED), Ledger()
        nodes = list(self.begin())
        writers = [Owner(one, ledger, chance.randrange(1 << 31)) for one in nodes]
        writers.append(Turns(nodes, ledger, chance.randrange(1 << 31)))
        for writer in writers:
            writer.start()
        try:
            self.live_and_die(self.mesh, rounds(KILLS), chance)
        finally:
            for writer in writers:
                writer.finish()
        self.mesh.converge(bound=60)
        for writer in writers:
            for name, content in writer.last.items():
                self.assert_content(name, content)
        self.assertEqual(ledger.lost(self.mesh), [], "every content is live or can be restored")
        invented = [(entry["path"], entry["origin"], entry["size"]) for entry in self.conflicts()]
        self.assertEqual(invented, [], "a crash invents no conflict")
        self.assertGreater(min(writers[-1].turn.values()), 3, "edits went round")


if __name__ == "__main__":
    unittest.main()
