"""Nodes that are away, come back, come back empty, come for the first time, or crash."""

from __future__ import annotations

import os
import random
import shutil
import threading
import time
import unittest

from case import FreshMesh
from node import Node

HOUR_NS = 3600 * 10**9


def lose_everything(one: Node) -> None:
    shutil.rmtree(one.folder)
    one.folder.mkdir()
    shutil.rmtree(one.state_dir)


class Away(FreshMesh):
    def fill(self, one: Node, files: int = 20) -> None:
        for index in range(files):
            one.write(f"team{index % 4}/dag{index}.py", f"{index}\n" * 100)

    def test_a_node_that_was_down_catches_up(self) -> None:
        a, b, c = self.begin()
        self.fill(a)
        self.mesh.converge()
        c.stop()
        a.write("team0/dag0.py", "changed by a")
        b.write("team1/dag1.py", "changed by b")
        os.unlink(a.path("team2/dag2.py"))
        os.rename(b.path("team3"), b.path("moved"))
        os.symlink("team0", a.path("link"))
        os.chmod(a.path("team0/dag4.py"), 0o600)
        self.mesh.converge()
        c.start()
        self.mesh.converge()
        self.assert_content("team1/dag1.py", b"changed by b")
        self.assertFalse(c.has("team3") or c.has("team2/dag2.py"))
        self.assertEqual(self.conflicts(), [])

    def test_a_delete_while_a_node_is_away_stays_a_delete(self) -> None:
        a, b, c = self.begin()
        self.fill(a)
        self.mesh.converge()
        c.stop()
        os.unlink(a.path("team0/dag0.py"))
        shutil.rmtree(a.path("team1"))
        self.mesh.converge()
        a.restart()
        c.start()
        self.mesh.converge()
        self.mesh.fence(c)
        for one in (a, b, c):
            self.assertFalse(one.has("team0/dag0.py") or one.has("team1"), one.name)

    def test_edits_made_while_the_daemon_is_down_travel_at_its_start(self) -> None:
        a, b, c = self.begin()
        self.fill(a)
        self.mesh.converge()
        c.stop()
        c.write("team0/dag0.py", "edited while down")
        c.write("new.py", "made while down")
        os.unlink(c.path("team1/dag1.py"))
        c.start()
        self.mesh.converge()
        self.assert_content("team0/dag0.py", b"edited while down")
        self.assert_content("new.py", b"made while down")
        self.assert_content("team1/dag1.py", None)
        self.assertEqual(self.conflicts(), [])

    def test_nodes_stop_and_start_in_the_middle_of_changes(self) -> None:
        a, b, c = self.begin()
        ended = threading.Event()

        def keep_writing() -> None:
            for index in range(400):
                a.write(f"burst/{index % 40}.py", f"{index}\n" * 50)
                time.sleep(0.004)
            ended.set()

        writer = threading.Thread(target=keep_writing)
        writer.start()
        turn = 0
        while not ended.is_set():
            one = (b, c)[turn % 2]
            turn += 1
            one.restart()
            self.mesh.wait_until(one.is_ready, f"{one.name} is ready")
        writer.join()
        self.mesh.converge()
        self.assert_content("burst/39.py", b"399\n" * 50)
        self.assertEqual(self.conflicts(), [])

    def test_all_nodes_restart_with_an_edit_on_each(self) -> None:
        a, b, c = self.begin()
        self.fill(a)
        self.mesh.converge()
        self.mesh.stop()
        a.write("team0/dag0.py", "by a")
        b.write("team1/dag1.py", "by b")
        os.unlink(c.path("team2/dag2.py"))
        self.mesh.start()
        self.mesh.converge()
        self.assert_content("team0/dag0.py", b"by a")
        self.assert_content("team1/dag1.py", b"by b")
        self.assert_content("team2/dag2.py", None)
        self.assertEqual(self.conflicts(), [])

    def test_a_restart_without_changes_announces_nothing(self) -> None:
        a, b, c = self.begin()
        self.fill(a)
        self.mesh.converge()
        before = [one.folder_status()["sequence"] for one in (a, b, c)]
        self.mesh.stop()
        self.mesh.start()
        self.mesh.converge()
        self.assertEqual([one.folder_status()["sequence"] for one in (a, b, c)], before)

    def test_a_paused_node_catches_up(self) -> None:
        a, b, c = self.begin()
        c.pause()
        self.fill(a, files=200)
        self.mesh.wait_content("team3/dag199.py", b"199\n" * 100, nodes=[a, b])
        c.proceed()
        self.mesh.converge()


class Lost(FreshMesh):
    def test_a_wiped_node_gets_everything_and_deletes_nothing(self) -> None:
        a, b, c = self.begin()
        for index in range(40):
            a.write(f"sub/{index}.py", str(index))
        os.unlink(a.path("sub/7.py"))
        self.mesh.converge()
        c.stop()
        lose_everything(c)
        os.unlink(a.path("sub/8.py"))
        c.start()
        self.mesh.converge()
        self.assertEqual(len(os.listdir(c.path("sub"))), 38)
        c.write("sub/1.py", "c is a node like any other again")
        self.mesh.wait_content("sub/1.py", b"c is a node like any other again")
        self.mesh.converge()
        self.assertEqual(self.conflicts(), [])

    def test_a_lost_index_joins_by_content_and_then_by_age(self) -> None:
        a, b, c = self.begin()
        now = time.time_ns()
        for name in ("same", "edited-there", "edited-here", "deleted-there"):
            a.write(f"{name}.py", "old", mtime_ns=now - 10 * HOUR_NS)
        self.mesh.converge()
        c.stop()
        shutil.rmtree(c.state_dir)
        a.write("edited-there.py", "by a", mtime_ns=now - HOUR_NS)
        os.unlink(a.path("deleted-there.py"))
        c.write("edited-here.py", "by c", mtime_ns=now - HOUR_NS)
        c.write("only-here.py", "c's own")
        self.mesh.converge(nodes=[a, b])
        c.start()
        self.mesh.converge()
        self.assert_content("same.py", b"old")
        self.assert_content("edited-there.py", b"by a")
        self.assert_content("edited-here.py", b"by c")
        self.assert_content("only-here.py", b"c's own")
        self.assert_content("deleted-there.py", None)

    def test_a_new_empty_node_joins(self) -> None:
        self.mesh.start("a", "b")
        a, b, c = self.mesh.nodes
        for index in range(60):
            a.write(f"sub{index % 3}/{index}.py", os.urandom(2000))
        os.symlink("sub0", a.path("link"))
        os.mkdir(a.path("empty"))
        self.mesh.wait_until(lambda: not self.mesh.differences([a, b]), "a and b are the same")
        c.start()
        self.mesh.converge()
        self.assertEqual(len(os.listdir(c.path("sub0"))), 20)

    def test_three_nodes_meet_with_files_of_their_own(self) -> None:
        now = time.time_ns()
        for age, one in enumerate(self.mesh.nodes):
            one.write("same.py", "the same everywhere", mtime_ns=now - HOUR_NS)
            one.write(f"only-{one.name}.py", one.name)
            one.write("differs.py", one.name, mtime_ns=now - age * HOUR_NS)
        self.mesh.start()
        self.mesh.converge()
        self.assert_content("differs.py", b"a")
        for name in self.mesh.names:
            self.assert_content(f"only-{name}.py", name.encode())
        self.assertEqual({entry["path"] for entry in self.conflicts()}, {"differs.py"})


class Crashes(FreshMesh):
    def crash_while_a_writes(self, *victims: str) -> None:
        """Kills each victim three times while a replaces 60 files again and again."""
        self.begin()
        a = self.mesh["a"]
        ended = threading.Event()
        last: dict[str, bytes] = {}
        written = 0

        def keep_writing() -> None:
            nonlocal written
            round_ = 0
            while not ended.is_set():
                round_ += 1
                for index in range(60):
                    name, content = f"sub{index % 5}/{index}.py", b"%d %d\n" % (round_, index) * 200
                    a.write(name, content)
                    last[name] = content
                    written += 1
                    time.sleep(0.001)

        writer = threading.Thread(target=keep_writing)
        writer.start()
        try:
            for _ in range(3):
                for name in victims:
                    one = self.mesh[name]
                    goal = written + random.randint(40, 160)  # into the burst, at no chosen point
                    self.mesh.wait_until(lambda: written > goal, "the burst goes on")
                    one.kill()
                    one.start()
                    self.mesh.wait_until(one.is_ready, f"{one.name} is ready")
        finally:
            ended.set()
            writer.join()
        self.mesh.converge()
        for name, content in last.items():
            self.assert_content(name, content)
        self.assertEqual(self.conflicts(), [], "a crash invents no conflict")

    def test_a_receiver_is_killed_during_a_burst(self) -> None:
        self.crash_while_a_writes("b")

    def test_the_author_is_killed_during_a_burst(self) -> None:
        self.crash_while_a_writes("a")

    def test_all_are_killed_during_a_burst(self) -> None:
        self.crash_while_a_writes("a", "b", "c")

    def test_a_node_is_killed_while_it_gets_a_large_file(self) -> None:
        a, b, c = self.begin()
        content = os.urandom(48 << 20)
        a.write("large.bin", content)
        self.mesh.wait_until(
            lambda: c.status() and a.peer_status("c").get("bytes_sent", 0) > 1 << 20, "bytes flow"
        )
        c.kill()
        c.start()
        self.mesh.converge()
        self.assert_content("large.bin", content)
        self.assertEqual(self.conflicts(), [])

    def test_a_delete_of_many_survives_a_crash_of_its_author(self) -> None:
        a, b, c = self.begin()
        for index in range(300):
            a.write(f"keep/{index}.py", "x")
        for index in range(200):
            a.write(f"go/{index % 10}/{index}.py", "x" * index)
        self.mesh.converge()
        remover = threading.Thread(target=shutil.rmtree, args=(a.path("go"),))
        remover.start()
        a.kill()
        remover.join()
        a.start()
        self.mesh.converge()
        self.assertEqual([one.has("go") for one in (a, b, c)], [False] * 3)
        self.assertEqual(len(os.listdir(b.path("keep"))), 300)


if __name__ == "__main__":
    unittest.main()
