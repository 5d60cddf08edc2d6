"""Changes that have not seen each other: the younger wins on every node, the loser is kept."""

from __future__ import annotations

import os
import shutil
import time
import unittest

from case import FreshMesh, SharedMesh
from node import Node

HOUR_NS = 3600 * 10**9


class Apart(SharedMesh):
    """a, b and c cannot see each other while they change the same names."""

    options = {"links": True}

    def setUp(self) -> None:
        super().setUp()
        self.now = time.time_ns()
        self.addCleanup(self.mesh.links.restore)

    def share(self, name: str, content: str = "base") -> None:
        self.a.write(name, content, mtime_ns=self.now - 100 * HOUR_NS)
        self.mesh.converge()

    def part(self) -> None:
        """After it nobody knows more than its own folder tells."""
        self.mesh.links.cut(*self.mesh.names)
        for one in self.mesh.nodes:
            self.mesh.wait_until(
                lambda: not any(peer["connected"] for peer in one.status()["peers"]),
                f"{one.name} sees that it is alone",
            )

    def observed(self, one: Node) -> None:
        """Returns when `one` has taken in what its disk says."""

        def quiet() -> bool:
            folder = one.folder_status()
            return folder["state"] != "scanning" and folder["pending_changes"] == 0

        self.mesh.wait_until(quiet, f"{one.name} has nothing pending")

    def meet(self) -> None:
        for one in self.mesh.nodes:
            self.observed(one)
        self.mesh.links.restore()
        self.mesh.converge()

    def lost(self, name: str) -> dict[str, list[dict]]:
        """The conflicts of this name that each node lists."""
        return {
            one.name: [entry for entry in one.listed("conflicts") if entry["path"] == name]
            for one in self.mesh.nodes
        }

    def test_of_two_edits_the_younger_wins_and_the_loser_can_be_restored(self) -> None:
        self.share("edit.py")
        self.part()
        self.a.write("edit.py", "younger, by a", mtime_ns=self.now - HOUR_NS)
        self.b.write("edit.py", "older, by b", mtime_ns=self.now - 2 * HOUR_NS)
        self.meet()
        self.assert_content("edit.py", b"younger, by a")
        listed = self.lost("edit.py")["b"]
        self.assertEqual([entry["reason"] for entry in listed], ["conflict"])
        self.assertEqual(listed[0]["size"], len(b"older, by b"))
        self.assert_status(self.b.run("restore", "edit.py", "--version", str(listed[0]["id"])), 0)
        self.assert_content("edit.py", b"older, by b", self.b)
        self.mesh.wait_content("edit.py", b"older, by b")
        self.mesh.converge()

    def test_the_order_in_which_they_were_written_does_not_matter(self) -> None:
        self.share("order.py")
        self.part()
        self.a.write("order.py", "older, by a", mtime_ns=self.now - 2 * HOUR_NS)
        self.observed(self.a)
        self.b.write("order.py", "younger, by b", mtime_ns=self.now - HOUR_NS)
        self.meet()
        self.assert_content("order.py", b"younger, by b")
        self.assertEqual(len(self.lost("order.py")["a"]), 1)

    def test_equal_times_are_decided_alike_everywhere(self) -> None:
        self.share("tie.py")
        self.part()
        for one in self.mesh.nodes:
            one.write("tie.py", f"by {one.name}", mtime_ns=self.now - HOUR_NS)
        self.meet()
        self.assertIn(self.a.read("tie.py"), [b"by a", b"by b", b"by c"])
        lost = sum(map(bool, self.lost("tie.py").values()))
        self.assertEqual(lost, 2, "two nodes lost their edit and list it")

    def test_three_edits_at_once(self) -> None:
        self.share("three.py")
        self.part()
        for age, one in ((3, self.a), (1, self.b), (2, self.c)):
            one.write("three.py", f"by {one.name}", mtime_ns=self.now - age * HOUR_NS)
        self.meet()
        self.assert_content("three.py", b"by b")
        self.assertTrue(self.lost("three.py")["a"] and self.lost("three.py")["c"])

    def test_a_roll_back_that_has_seen_what_it_replaces_is_younger_than_it(self) -> None:
        self.share("chain.py")
        self.mesh.links.isolate("c")
        self.a.write("chain.py", "X, by a", mtime_ns=self.now - HOUR_NS)
        self.mesh.wait_content("chain.py", b"X, by a", nodes=[self.a, self.b])
        self.c.write("chain.py", "Z, by c, which has not seen X", mtime_ns=self.now - 5 * HOUR_NS)
        self.b.write("chain.py", "Y, b rolls X back", mtime_ns=self.now - 50 * HOUR_NS)
        self.meet()
        self.assert_content("chain.py", b"Y, b rolls X back")
        self.assertEqual(len(self.lost("chain.py")["c"]), 1)

    def test_the_same_edit_on_two_nodes_is_no_conflict(self) -> None:
        self.share("agree.py")
        self.part()
        for one in (self.a, self.b):
            one.write("agree.py", "the same", mtime_ns=self.now - HOUR_NS)
        self.meet()
        self.assertEqual(self.lost("agree.py"), {"a": [], "b": [], "c": []})

    def test_an_edit_younger_than_a_delete_survives(self) -> None:
        self.share("alive.py")
        self.part()
        os.unlink(self.a.path("alive.py"))
        self.observed(self.a)
        self.b.write("alive.py", "edited after the delete")
        self.meet()
        self.assert_content("alive.py", b"edited after the delete")

    def test_a_delete_younger_than_an_edit_wins_and_the_edit_is_kept(self) -> None:
        self.share("dead.py")
        self.part()
        self.b.write("dead.py", "edited before the delete", mtime_ns=self.now - HOUR_NS)
        self.observed(self.b)
        os.unlink(self.a.path("dead.py"))
        self.meet()
        self.assert_content("dead.py", None)
        self.assertEqual(len(self.lost("dead.py")["b"]), 1)
        self.assert_status(self.b.run("restore", "dead.py"), 0)
        self.mesh.wait_content("dead.py", b"edited before the delete")
        self.mesh.converge()

    def test_a_mtime_in_the_future_wins_only_until_a_later_edit(self) -> None:
        self.share("clock.py")
        self.part()
        self.a.write("clock.py", "dated 2100", mtime_ns=4_102_444_800 * 10**9)
        self.observed(self.a)
        self.b.write("clock.py", "written later")
        self.meet()
        self.assert_content("clock.py", b"written later")

    def test_a_child_brings_its_deleted_directory_back(self) -> None:
        self.share("dir/old.py")
        self.part()
        shutil.rmtree(self.a.path("dir"))
        self.observed(self.a)
        self.b.write("dir/new.py", "made meanwhile")
        self.meet()
        self.assert_content("dir/new.py", b"made meanwhile")
        self.assert_content("dir/old.py", None)

    def test_a_file_against_a_directory_of_the_same_name(self) -> None:
        self.part()
        self.a.write("clash/below.py", "what stood below")
        self.observed(self.a)
        self.b.write("clash", "a file, made later")
        self.meet()
        self.assert_content("clash", b"a file, made later")
        kept = [
            entry for one in self.mesh.nodes for entry in one.listed("versions", "clash/below.py")
        ]
        self.assertTrue(kept, "what was below the losing directory is kept")

    def test_both_renamed_the_same_file(self) -> None:
        self.share("from.py")
        self.part()
        os.rename(self.a.path("from.py"), self.a.path("to-a.py"))
        os.rename(self.b.path("from.py"), self.b.path("to-b.py"))
        self.meet()
        self.assert_content("from.py", None)
        self.assert_content("to-a.py", b"base")
        self.assert_content("to-b.py", b"base")

    def test_both_deleted_the_same_file(self) -> None:
        self.share("both.py")
        self.part()
        os.unlink(self.a.path("both.py"))
        os.unlink(self.b.path("both.py"))
        self.meet()
        self.assert_content("both.py", None)
        self.assertEqual(self.lost("both.py"), {"a": [], "b": [], "c": []})


class WhileDown(FreshMesh):
    def test_edits_made_while_both_daemons_were_down(self) -> None:
        a, b, c = self.begin()
        now = time.time_ns()
        a.write("down.py", "base", mtime_ns=now - 9 * HOUR_NS)
        self.mesh.converge()
        a.stop()
        b.stop()
        a.write("down.py", "older", mtime_ns=now - 2 * HOUR_NS)
        b.write("down.py", "younger", mtime_ns=now - HOUR_NS)
        a.start()
        self.mesh.wait_content("down.py", b"older", nodes=[a, c])
        b.start()
        self.mesh.converge()
        self.assert_content("down.py", b"younger")
        self.assertEqual(
            len([entry for entry in a.listed("conflicts") if entry["path"] == "down.py"]), 1
        )

    def test_two_writers_race_and_nothing_is_torn_or_lost(self) -> None:
        a, b, c = self.begin()
        for round_ in range(100):
            a.write("race.py", f"a {round_}\n" * 200)
            b.write("race.py", f"b {round_}\n" * 200)
        self.mesh.converge()
        content = a.read("race.py").decode().splitlines()
        self.assertEqual(len(content), 200)
        self.assertEqual(len(set(content)), 1)


if __name__ == "__main__":
    unittest.main()
