"""A network that drops what goes one way, the other, or both, with writes on both sides."""

from __future__ import annotations

import os
import unittest

from case import FreshMesh
from faults import Ledger, Writer
from netns import Network, can_make


@unittest.skipUnless(can_make(), "network namespaces and routing rules need root")
class Partitions(FreshMesh):
    def setUp(self) -> None:
        super().setUp()
        self.network = Network(self.mesh.names)
        self.addCleanup(self.unplug)
        self.network.hold(self.mesh)
        self.ledger = Ledger()
        self.hands = {
            one.name: Writer(one, self.ledger, number) for number, one in enumerate(self.mesh.nodes)
        }

    def unplug(self) -> None:
        self.mesh.stop()
        self.network.close()

    def save(self, node: str, name: str) -> bytes:
        return self.hands[node].save(name)

    def share(self) -> None:
        for number in range(10):
            self.save("a", f"shared/{number}.py")
        self.mesh.converge()

    def write_on_both_sides(self) -> None:
        """a and c edit the same names and names of their own, while they cannot talk."""
        for node in ("a", "c"):
            for number in range(5):
                self.save(node, f"shared/{number}.py")
                self.save(node, f"of-{node}/{number}.py")
        self.hands["a"].remove("shared/8.py")
        self.hands["c"].remove("shared/9.py")

    def apart(self, one: str, other: str) -> None:
        """Returns when both know that they do not hear each other."""
        for left, right in ((one, other), (other, one)):
            self.mesh.wait_until(
                lambda: not self.mesh[left].peer_status(right)["connected"],
                f"{left} sees that {right} is away",
                bound=60,
            )

    def assert_nothing_lost(self) -> None:
        self.mesh.converge(bound=60)
        self.assertEqual(self.ledger.lost(self.mesh), [])
        for one in self.mesh.nodes:
            self.assertEqual(len(os.listdir(one.path("of-c"))), 5, one.name)
            self.assertFalse(one.has("shared/8.py") or one.has("shared/9.py"), one.name)
            self.assertEqual(len(os.listdir(one.path("shared"))), 8, one.name)

    def test_one_way_between_two_nodes_is_gone_around(self) -> None:
        for source, target in (("a", "c"), ("c", "a")):
            with self.subTest(f"{source} does not reach {target}"):
                if not self.mesh.running():
                    self.begin()
                self.network.cut(source, target)
                told = self.save(source, f"around-{source}.py")  # b passes it on
                back = self.save(target, f"around-{target}.py")
                self.mesh.wait_content(f"around-{source}.py", told, bound=60)
                self.mesh.wait_content(f"around-{target}.py", back, bound=60)
                self.apart(source, target)
                self.assertFalse(self.mesh[source].status()["in_sync"])
                self.network.mend(source, target)
                self.mesh.converge(bound=60)
        self.assertEqual(self.conflicts(), [])
        self.assertEqual(self.ledger.lost(self.mesh), [])

    def split(self, *ways: tuple[str, str]) -> None:
        """c on one side, a and b on the other; `ways` are those that drop."""
        self.begin()
        self.share()
        for source, target in ways:
            self.network.cut(source, target)
        self.apart("a", "c")
        self.apart("b", "c")
        self.write_on_both_sides()
        content = self.mesh["a"].read("of-a/4.py")
        self.mesh.wait_content("of-a/4.py", content, nodes=[self.mesh["a"], self.mesh["b"]])
        self.assertFalse(self.mesh["c"].has("of-a/4.py"))
        for source, target in ways:
            self.network.mend(source, target)
        self.assert_nothing_lost()
        lost = {entry["path"] for entry in self.conflicts()}
        self.assertEqual(lost, {f"shared/{number}.py" for number in range(5)})

    def test_both_ways_drop(self) -> None:
        self.split(("a", "c"), ("c", "a"), ("b", "c"), ("c", "b"))

    def test_one_side_hears_and_is_not_heard(self) -> None:
        self.split(("c", "a"), ("c", "b"))

    def test_one_side_is_heard_and_does_not_hear(self) -> None:
        self.split(("a", "c"), ("b", "c"))


if __name__ == "__main__":
    unittest.main()
