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
WAL_HEAD, FRAME_HEAD = 32, 24  # of SQLite's log: both bear the salt of the log's round
STRANGER = 12345


def end_of_log(log: bytes) -> int:
    """Behind its last frame that is of this round; zeroes and those of earlier rounds follow."""
    end = WAL_HEAD
    while any(log[16:24]) and log[end + 8 : end + 16] == log[16:24]:
        end += FRAME_HEAD + PAGE
    return end


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
        bytes_ = log.read_bytes()
        end = end_of_log(bytes_)
        self.assertGreater(end, WAL_HEAD, "there is a log to tear")
        with open(log, "r+b") as file:
            file.seek(end - PAGE // 2)
            file.write(bytes(byte ^ 0xFF for byte in bytes_[end - PAGE // 2 : end]))
        c.start()
        self.assert_mended(c)

    def test_the_kept_versions_are_gone(self) -> None:
        a, b, c = self.begin()
        for number in range(3):
            a.write("dag.py", f"version {number}")
            self.mesh.converge()
        self.assertEqual(len(c.listed("versions", "dag.py")), 2)
        c.stop()
        shutil.rmtree(self.index_of(c).parent / "versions")
        c.start()
        self.mesh.converge()
        self.assertEqual(c.listed("versions", "dag.py"), [], "what is not there is not offered")
        done = c.run("restore", "dag.py")
        self.assert_status(done, 1)
        self.assertIn("no kept version of dag.py", done.stderr)
        self.assert_content("dag.py", b"version 2")
        a.write("dag.py", "version 3")
        self.mesh.converge()
        self.assert_status(c.run("restore", "dag.py"), 0)
        self.mesh.wait_content("dag.py", b"version 2")
        self.mesh.fence(c)


class Removed(FreshMesh):
    def test_a_directory_of_the_state_is_removed_under_the_daemon(self) -> None:
        a, b, c = self.begin()
        a.write("dag.py", b"version 0")
        self.mesh.converge()
        for number, directory in enumerate(("versions", "staging"), start=1):
            with self.subTest(directory):
                shutil.rmtree(c.state_dir / "folders" / "dags" / directory)
                a.write("dag.py", f"version {number}")
                self.mesh.wait_until(
                    lambda: "restart" in c.folder_status()["state_reason"], "c says what mends it"
                )
                self.mesh.wait_until(
                    lambda: c.folder_status()["errors"], "c says what does not come in"
                )
                self.assertFalse(c.status()["in_sync"])
                self.assertFalse(a.status()["in_sync"])
                c.restart()
                self.mesh.converge()
                self.assert_content("dag.py", f"version {number}".encode())


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


class Restored(FreshMesh):
    """a's state directory is an earlier one of its own, after a stop in order."""

    def backed_up(self) -> tuple[Node, ...]:
        """All in sync; of what a knew at the backup much is other than it is now."""
        a, b, c = self.begin()
        for number in range(20):
            a.write(f"{number}.py", b"first")
        self.mesh.converge()
        a.stop()
        shutil.copytree(a.state_dir, self.mesh.root / "backup")
        a.start()
        for number in range(10):
            a.write(f"{number}.py", b"second")
            a.write(f"later{number}.py", b"later")
        os.unlink(a.path("19.py"))
        self.mesh.converge()
        a.stop()
        return a, b, c

    def go_back(self, a: Node) -> None:
        shutil.rmtree(a.state_dir)
        shutil.copytree(self.mesh.root / "backup", a.state_dir)

    def assert_as_left(self) -> None:
        self.assert_content("4.py", b"second")
        self.assert_content("later9.py", b"later")
        self.assert_content("19.py", None)

    def test_an_edit_made_while_it_was_down_travels(self) -> None:
        a, b, c = self.backed_up()
        b.write("11.py", b"by b meanwhile")
        self.mesh.converge(nodes=[b, c])
        self.go_back(a)
        a.write("5.py", b"third")
        a.write("new.py", b"new")
        os.unlink(a.path("12.py"))
        a.start()
        self.mesh.converge()
        self.assert_as_left()
        self.assert_content("5.py", b"third")
        self.assert_content("new.py", b"new")
        self.assert_content("12.py", None)
        self.assert_content("11.py", b"by b meanwhile")

    def test_twice_in_a_row(self) -> None:
        a, _, _ = self.backed_up()
        for turn in (b"third", b"fourth"):
            self.go_back(a)
            a.write("5.py", turn)
            a.start()
            self.mesh.converge()
            a.write("6.py", turn)
            self.mesh.converge()
            a.stop()
        a.start()
        self.mesh.converge()
        self.assert_as_left()
        self.assert_content("5.py", b"fourth")
        self.assert_content("6.py", b"fourth")

    def test_while_a_peer_that_knows_what_came_after_is_away(self) -> None:
        """a's edits after the backup reach b alone, and b comes back last."""
        a, b, c = self.backed_up()
        a.start()
        self.mesh.converge()
        c.stop()
        for number in range(5):
            a.write(f"for_b{number}.py", b"for b")
        self.mesh.converge(nodes=[a, b])
        a.stop()
        b.stop()
        self.go_back(a)
        for number in range(5):
            os.unlink(a.path(f"for_b{number}.py"))  # as if the folder, too, had gone back
        a.start()
        c.start()
        for number in range(30):
            a.write(f"for_c{number}.py", b"for c")
        self.mesh.converge(nodes=[a, c])
        b.start()
        self.mesh.converge()
        self.assert_as_left()
        for number in range(5):
            self.assert_content(f"for_b{number}.py", b"for b")
        for number in range(30):
            self.assert_content(f"for_c{number}.py", b"for c")

    def test_of_a_folder_that_went_back_with_it(self) -> None:
        """As a virtual machine does: at a nothing tells of it, and a has what came after again."""
        a, b, c = self.begin()
        a.write("kept.py", b"first")
        self.mesh.converge()
        a.stop()
        shutil.copytree(a.state_dir, self.mesh.root / "backup")
        a.start()
        a.write("kept.py", b"second")
        a.write("later.py", b"later")
        self.mesh.converge()
        a.stop()
        os.unlink(a.path("later.py"))
        stood = os.stat(a.path("kept.py"))
        with open(a.path("kept.py"), "r+b") as file:
            file.truncate(0)
            file.write(b"first")
        os.utime(a.path("kept.py"), ns=(stood.st_atime_ns, stood.st_mtime_ns - 10**12))
        self.go_back(a)
        a.start()
        self.mesh.converge()
        self.assert_content("later.py", b"later")

    def test_a_fresh_one_with_a_full_folder(self) -> None:
        a, b, c = self.backed_up()
        shutil.rmtree(a.state_dir)
        a.write("5.py", b"third")
        a.start()
        self.mesh.converge()
        self.assert_as_left()
        self.assert_content("5.py", b"third")

    def test_another_node_does_not_start_with_a_copy(self) -> None:
        a, b, _ = self.backed_up()
        b.stop()
        shutil.rmtree(b.state_dir)
        shutil.copytree(a.state_dir, b.state_dir)
        done = b.run("daemon")
        self.assertIn(done.returncode, (1, 2))
        self.assertIn('belongs to node "a"', done.stderr)
        shutil.rmtree(b.state_dir)
        b.start()
        a.start()
        self.mesh.converge()
        self.assert_as_left()


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
