"""A state directory that is damaged, another user's, or another node's: told, and nothing lost."""

from __future__ import annotations

import os
import random
import shutil
import unittest
from pathlib import Path

from case import FreshMesh
from faults import IS_ROOT, NEEDS_ROOT, SEED
from node import Node

FILES = 200
PAGE = 4096
STRANGER = 12345


class Damaged(FreshMesh):
    """c's index is damaged while it is down, and the others go on meanwhile."""

    def index_of(self, one: Node) -> Path:
        return one.state_dir / "folders" / "dags" / "index.db"

    def begin_and_stop(self, kill: bool = False) -> tuple[Node, ...]:
        a, b, c = self.begin()
        for index in range(FILES):
            a.write(f"team{index % 5}/{index}.py", f"{index}\n" * 50)
        a.write("edited.py", b"before")
        self.mesh.converge()
        if kill:
            c.kill()
        else:
            c.stop()
        a.write("edited.py", b"after")
        os.unlink(a.path("team0/0.py"))
        self.mesh.converge(nodes=[a, b])
        return a, b, c

    def assert_mended(self, c: Node) -> None:
        """The trees are one again, nothing was deleted or brought back, and c tells of it."""
        self.mesh.converge(bound=40)
        self.assertEqual(sum(len(files) for _, _, files in os.walk(c.folder)), FILES)
        self.assert_content("edited.py", b"after")
        self.assert_content("team0/0.py", None)
        self.assertEqual([one.folder_status()["state"] for one in self.mesh.nodes], ["idle"] * 3)

    def test_overwritten_in_the_middle(self) -> None:
        chance = random.Random(SEED)
        _, _, c = self.begin_and_stop()
        index = self.index_of(c)
        pages = index.stat().st_size // PAGE
        with open(index, "r+b") as file:
            for page in range(2, pages):  # the head stays good: it is found by reading rows
                file.seek(page * PAGE)
                file.write(chance.randbytes(PAGE))
        c.start()
        self.assert_mended(c)
        self.assertIn("corrupt", str(c.status()).lower(), f"seed {SEED}")
        aside = [path for path in index.parent.iterdir() if path.name.startswith("index.db")]
        self.assertGreater(len(aside), 1, f"the damaged one is kept: {aside}")

    def test_one_page_overwritten(self) -> None:
        """Of a few bytes nobody can tell; what is found must be told, and the rest be right."""
        chance = random.Random(SEED)
        _, _, c = self.begin_and_stop()
        index = self.index_of(c)
        with open(index, "r+b") as file:
            file.seek(index.stat().st_size // 2 // PAGE * PAGE)
            file.write(chance.randbytes(PAGE))
        c.start()
        self.assert_mended(c)

    def test_truncated(self) -> None:
        _, _, c = self.begin_and_stop()
        index = self.index_of(c)
        os.truncate(index, index.stat().st_size // 2 + 100)
        c.start()
        self.assert_mended(c)
        self.assertIn("corrupt", str(c.status()).lower())

    def test_truncated_to_nothing(self) -> None:
        _, _, c = self.begin_and_stop()
        os.truncate(self.index_of(c), 0)
        c.start()
        self.assert_mended(c)

    def test_a_torn_log_after_a_kill(self) -> None:
        _, _, c = self.begin_and_stop(kill=True)
        log = self.index_of(c).with_name("index.db-wal")
        if log.exists() and log.stat().st_size > PAGE:
            os.truncate(log, log.stat().st_size - PAGE // 2)
        c.start()
        self.assert_mended(c)

    def test_the_kept_versions_are_gone(self) -> None:
        a, b, c = self.begin()
        for number in range(3):
            a.write("dag.py", f"version {number}")
            self.mesh.converge()
        c.stop()
        shutil.rmtree(self.index_of(c).parent / "versions")
        c.start()
        self.mesh.converge()
        listed = c.listed("versions", "dag.py")
        if listed:
            done = c.run("restore", "dag.py", "--version", str(listed[0]["id"]))
            self.assert_status(done, 1)
            self.assertTrue(done.stderr.startswith("dagsync: "), done.stderr)
        self.assert_content("dag.py", b"version 2")
        self.mesh.fence(c)


class Swapped(FreshMesh):
    def test_two_nodes_with_each_others_state_directories_do_not_start(self) -> None:
        a, b, c = self.begin()
        a.write("dag.py", b"content")
        self.mesh.converge()
        a.stop()
        b.stop()
        a.state_dir.rename(self.mesh.root / "swap")
        b.state_dir.rename(a.state_dir)
        (self.mesh.root / "swap").rename(b.state_dir)
        for one, owner in ((a, b), (b, a)):
            done = one.run("daemon")
            self.assertIn(done.returncode, (1, 2))
            self.assertIn(f'"{owner.name}"', done.stderr)
        b.state_dir.rename(self.mesh.root / "swap")
        a.state_dir.rename(b.state_dir)
        (self.mesh.root / "swap").rename(a.state_dir)
        a.start()
        b.start()
        self.mesh.converge()
        self.assertEqual(self.conflicts(), [])


@unittest.skipUnless(IS_ROOT, NEEDS_ROOT)
class Foreign(FreshMesh):
    def test_a_state_directory_of_another_user_is_refused(self) -> None:
        a = self.mesh["a"]
        a.state_dir.mkdir(mode=0o700)
        os.chown(a.state_dir, STRANGER, STRANGER)
        for path in (a.home, a.folder):
            os.chmod(path, 0o755)
        os.chmod(self.mesh.root, 0o755)
        for path in a.home.glob("node.*"):
            os.chown(path, STRANGER + 1, STRANGER + 1)
        a.launcher = ["setpriv", "--reuid", str(STRANGER + 1), "--clear-groups", "--"]
        os.chown(a.home, STRANGER + 1, -1)
        a.start()
        process, a.process = a.process, None
        self.assertIn(process.wait(20), (1, 2))
        self.assertIn(str(a.state_dir), a.log_text())
        self.assertRegex(a.log_text().lower(), "own|permission")
        self.assertEqual(os.listdir(a.folder), [])


if __name__ == "__main__":
    unittest.main()
