"""A folder that is unmounted, replaced or turned into something else halts; `resume` mends it."""

from __future__ import annotations

import os
import shutil
import subprocess
import unittest

from case import FreshMesh
from faults import IS_ROOT, NEEDS_ROOT, Mounted
from node import Node

FILES = 30


class Rooted(FreshMesh):
    def begin_filled(self, top: str = "") -> tuple[Node, ...]:
        a, b, c = self.begin()
        for index in range(FILES):
            b.write(f"{top}team{index % 3}/{index}.py", f"{index}\n" * 20)
        self.mesh.converge()
        return a, b, c

    def assert_halted(self, one: Node, *words: str) -> None:
        """What the operator sees: the state, why, what mends it, and that nothing is in sync."""
        self.mesh.wait_until(
            lambda: one.folder_status().get("state") == "halted", f"{one.name} halts"
        )
        told = one.run("status")
        self.assert_status(told, 1)
        self.assertIn("halted", told.stdout)
        for word in words:
            self.assertIn(word, told.stdout)
        self.assertIn("halted", one.log_text())

    def others_go_on(self, *others: Node) -> None:
        self.mesh.fence(others[0], others)
        for one in others:
            self.assertEqual(self.count(one), FILES, one.name)

    @staticmethod
    def count(one: Node) -> int:
        return sum(len(files) for root, _, files in os.walk(one.folder) if "/team" in root)

    def resume(self, one: Node, *options: str) -> None:
        self.assert_status(one.run("resume", "dags", *options), 0)


@unittest.skipUnless(IS_ROOT, NEEDS_ROOT)
class Unmounted(Rooted):
    """a's folder is the root of a file system of its own."""

    def setUp(self) -> None:
        super().setUp()
        a = self.mesh["a"]
        a.folder = a.home / "mounted"
        self.disk = Mounted(a.folder, "16m")
        self.addCleanup(self.unmount)
        self.mesh.configure(a)

    def unmount(self) -> None:
        self.mesh.stop()
        self.disk.unmount()

    def move_away(self) -> None:
        """As an administrator would, who finds the file system busy: lazily, but not for ever."""
        self.away = self.mesh.root / "away"
        self.away.mkdir()
        self.command("mount", "--move", self.disk.at, self.away)
        self.disk.at, self.home_at = self.away, self.disk.at

    def move_back(self) -> None:
        self.command("mount", "--move", self.away, self.home_at)
        self.disk.at = self.home_at

    @staticmethod
    def command(*arguments: object) -> None:
        subprocess.run([str(argument) for argument in arguments], check=True)

    def test_it_is_unmounted_under_the_daemon_and_comes_back(self) -> None:
        a, b, c = self.begin_filled()
        self.move_away()
        b.write("team0/0.py", b"edited while a's folder was away")
        self.assert_halted(a, "resume")
        self.others_go_on(b, c)
        self.assertEqual(os.listdir(a.folder), [], "nothing is written below the mount point")
        self.move_back()
        self.resume(a)
        self.mesh.converge()
        self.assert_content("team0/0.py", b"edited while a's folder was away")
        self.assertEqual(self.count(a), FILES)
        self.assertEqual(self.conflicts(), [])

    def test_it_is_not_mounted_at_the_start(self) -> None:
        a, b, c = self.begin_filled()
        a.stop()
        self.move_away()
        a.start()
        self.assert_halted(a)
        self.others_go_on(b, c)
        self.assertEqual(os.listdir(a.folder), [])
        a.stop()
        self.move_back()
        a.start()  # the right folder again: that needs no word of anybody
        self.mesh.converge()
        self.assertEqual(self.count(a), FILES)
        self.assertEqual(self.conflicts(), [])


class Replaced(Rooted):
    def replace(self, one: Node) -> None:
        os.rename(one.folder, one.home / "elsewhere")

    def test_by_a_symlink_to_itself(self) -> None:
        a, b, c = self.begin_filled()
        self.replace(a)
        os.symlink("elsewhere", a.folder)
        self.assert_halted(a)
        self.others_go_on(b, c)
        refused = a.run("resume", "dags")
        self.assert_status(refused, 1)
        self.assertIn("symlink", refused.stderr)
        self.assertEqual(a.folder_status()["state"], "halted")
        os.unlink(a.folder)
        os.rename(a.home / "elsewhere", a.folder)
        self.resume(a)
        self.mesh.converge()
        self.assertEqual(self.count(a), FILES)

    def test_by_a_file(self) -> None:
        a, b, c = self.begin_filled()
        self.replace(a)
        a.folder.write_text("no directory")
        self.assert_halted(a)
        self.others_go_on(b, c)
        self.assert_status(a.run("resume", "dags"), 1)
        a.folder.unlink()
        os.rename(a.home / "elsewhere", a.folder)
        self.resume(a)
        self.mesh.converge()

    def test_by_a_directory_with_other_files(self) -> None:
        a, b, c = self.begin_filled()
        self.replace(a)
        a.folder.mkdir()
        a.write("team0/0.py", b"another project's")
        a.write("other.py", b"another project's, too")
        self.assert_halted(a, "resume")
        self.others_go_on(b, c)
        self.assert_content("other.py", None, b, c)
        self.resume(a)  # this directory is meant: what it lacks comes, what it has travels
        self.mesh.converge()
        self.assertEqual(self.count(c), FILES)
        self.assert_content("other.py", b"another project's, too")
        self.assert_content("team0/0.py", b"another project's")
        kept = [entry for one in (b, c) for entry in one.listed("versions", "team0/0.py")]
        self.assertTrue(kept, "what it replaced can be restored")

    def test_a_removed_folder_is_filled_again(self) -> None:
        a, b, c = self.begin_filled()
        self.replace(a)  # at once: of a removal file by file the first half may pass
        shutil.rmtree(a.home / "elsewhere")
        self.assert_halted(a)
        self.others_go_on(b, c)
        self.assert_status(a.run("resume", "dags"), 1)
        self.assertFalse(a.folder.exists(), "nobody makes a folder that may only be unmounted")
        a.folder.mkdir()
        self.resume(a)
        self.mesh.converge()
        self.assertEqual(self.count(a), FILES)
        self.assertEqual(self.conflicts(), [])

    def test_a_removed_folder_is_accepted_as_deletes(self) -> None:
        a, b, c = self.begin_filled()
        self.replace(a)  # at once: of a removal file by file the first half may pass
        shutil.rmtree(a.home / "elsewhere")
        self.assert_halted(a)
        self.others_go_on(b, c)
        a.folder.mkdir()
        a.write("fresh.py", b"a new beginning")
        self.resume(a, "--accept-deletes")
        self.mesh.wait_until(lambda: self.count(b) == self.count(c) == 0, "the files are gone")
        self.mesh.converge()
        self.assert_content("fresh.py", b"a new beginning")
        self.assertTrue(b.listed("versions", "team0/0.py"), "they can be restored")


@unittest.skipUnless(IS_ROOT, NEEDS_ROOT)
class MountedBelow(Rooted):
    """Another file system is mounted in a's folder, and hides what stands there: nobody's delete."""

    def mount(self, a: Node) -> Mounted:
        disk = Mounted(a.folder / "team0", "1m")
        self.addCleanup(disk.unmount)
        self.addCleanup(self.mesh.stop)  # before that
        return disk

    def assert_hidden(self, a: Node, b: Node, c: Node) -> None:
        def is_told() -> bool:
            return any(
                error["path"].startswith("team0") and "mount" in error["error"]
                for error in a.folder_status().get("errors", [])
            )

        self.mesh.wait_until(is_told, "a tells of the mount")
        self.assertFalse(a.status()["in_sync"])
        self.assert_status(a.run("status"), 1)
        self.others_go_on(b, c)
        self.assertEqual(os.listdir(a.path("team0")), [], "nothing is written into it")

    def assert_back(self, a: Node, disk: Mounted) -> None:
        disk.unmount()
        self.mesh.converge()
        self.assertEqual(self.count(a), FILES)
        self.assertEqual(a.folder_status()["errors"], [])

    def test_under_the_daemon(self) -> None:
        a, b, c = self.begin_filled()
        disk = self.mount(a)
        b.write("team0/0.py", b"edited meanwhile")
        self.assert_hidden(a, b, c)
        self.assert_back(a, disk)
        self.assert_content("team0/0.py", b"edited meanwhile")

    def test_while_the_daemon_is_down(self) -> None:
        a, b, c = self.begin_filled()
        a.stop()
        disk = self.mount(a)
        a.start()
        self.assert_hidden(a, b, c)
        self.assert_back(a, disk)


class MassDelete(Rooted):
    def test_what_the_operator_sees_and_can_do(self) -> None:
        a, b, c = self.begin_filled("all/")
        os.rename(a.path("all"), a.home / "all")  # at once: file by file the first few may pass
        self.assert_halted(a, "max_delete_percent", "resume dags", "--accept-deletes")
        self.assertIn(str(FILES), a.folder_status()["state_reason"], "how many files are gone")
        self.others_go_on(b, c)
        # It neither gives nor takes until somebody has decided, and the others are told.
        a.write("late.py", b"written on the halted node")
        b.write("meanwhile.py", b"written elsewhere")
        self.mesh.fence(b, [b, c])
        self.assert_content("late.py", None, b, c)
        self.assert_content("meanwhile.py", None, a)
        self.assertFalse(b.status()["in_sync"])
        pushed = b.run("push", "--timeout", "1")
        self.assert_status(pushed, 1)
        self.assertIn("a", pushed.stdout + pushed.stderr)
        self.resume(a)
        self.mesh.converge()
        self.assertEqual(self.count(a), FILES)
        self.assert_content("late.py", b"written on the halted node")
        self.assert_content("meanwhile.py", b"written elsewhere")


if __name__ == "__main__":
    unittest.main()
