"""A folder that vanishes, or loses most of its files at once, halts; no node deletes anything."""

from __future__ import annotations

import os
import shutil
import unittest

from case import FreshMesh
from node import Node

FILES, MOST = 60, 50


class Filled(FreshMesh):
    """60 files: 50 in all/most, 10 in all/rest. One rename takes many away in a single moment."""

    def begin_filled(self) -> tuple[Node, ...]:
        a, b, c = self.begin()
        for index in range(FILES):
            a.write(f"all/{'most' if index < MOST else 'rest'}/{index}.py", f"{index}\n" * 20)
        self.mesh.converge()
        return a, b, c

    @staticmethod
    def take_away(one: Node, name: str) -> None:
        os.rename(one.path(name), one.home / "taken-away")

    @staticmethod
    def count(one: Node) -> int:
        return sum(len(files) for _, _, files in os.walk(one.folder / "all"))


class Halts(Filled):
    def assert_halted(self, one: Node) -> None:
        self.mesh.wait_until(
            lambda: one.folder_status().get("state") == "halted", f"{one.name} halts"
        )
        status = one.status()
        self.assertTrue(status["folders"][0]["state_reason"], "the reason is told")
        self.assertFalse(status["in_sync"])
        self.assert_status(one.run("status"), 1)

    def others_go_on(self, b: Node, c: Node) -> None:
        """b and c still work with each other, and have lost nothing."""
        self.mesh.fence(b, [b, c])
        self.assertEqual((self.count(b), self.count(c)), (FILES, FILES))

    def test_the_root_is_renamed_away(self) -> None:
        a, b, c = self.begin_filled()
        os.rename(a.folder, a.home / "elsewhere")
        self.assert_halted(a)
        self.others_go_on(b, c)
        a.folder.mkdir()  # another directory at the same path is not the folder either
        self.others_go_on(b, c)
        self.assert_halted(a)
        a.folder.rmdir()
        os.rename(a.home / "elsewhere", a.folder)

    def test_the_root_is_removed(self) -> None:
        a, b, c = self.begin_filled()
        shutil.rmtree(a.folder)
        self.assert_halted(a)
        self.mesh.fence(b, [b, c])
        self.assertGreaterEqual(self.count(b), FILES // 2, "it is removed file by file")

    def test_the_root_is_replaced_by_an_empty_directory(self) -> None:
        a, b, c = self.begin_filled()
        empty = a.home / "empty"
        empty.mkdir()
        os.rename(a.folder, a.home / "elsewhere")
        os.rename(empty, a.folder)
        self.assert_halted(a)
        self.others_go_on(b, c)

    def test_the_root_is_emptied(self) -> None:
        a, b, c = self.begin_filled()
        self.take_away(a, "all")
        self.assert_halted(a)
        self.others_go_on(b, c)

    def test_the_root_is_empty_at_the_start(self) -> None:
        a, b, c = self.begin_filled()
        a.stop()
        self.take_away(a, "all")
        a.start()
        self.assert_halted(a)
        self.others_go_on(b, c)

    def test_another_directory_is_the_root_at_the_start(self) -> None:
        a, b, c = self.begin_filled()
        a.stop()
        os.rename(a.folder, a.home / "elsewhere")
        a.folder.mkdir()
        a.start()
        self.assert_halted(a)
        self.others_go_on(b, c)

    def test_a_halted_folder_stays_halted_after_a_restart(self) -> None:
        a, b, c = self.begin_filled()
        self.take_away(a, "all/most")
        self.assert_halted(a)
        a.restart()
        self.assert_halted(a)
        self.others_go_on(b, c)

    def test_a_removal_file_by_file_halts_before_more_than_half_is_gone(self) -> None:
        a, b, c = self.begin_filled()
        shutil.rmtree(a.folder / "all" / "most")
        self.assert_halted(a)
        self.mesh.fence(b, [b, c])
        self.assertGreaterEqual(self.count(b), FILES // 2)

    def test_a_slow_removal_halts_as_well(self) -> None:
        a, b, c = self.begin_filled()
        for index in range(MOST):
            name = f"all/most/{index}.py"
            os.unlink(a.path(name))
            self.mesh.wait_until(
                lambda: not b.has(name) or a.folder_status()["state"] == "halted",
                "the delete has travelled alone, or a has halted",
            )
            if b.has(name):
                break
        self.assert_halted(a)
        self.mesh.fence(b, [b, c])
        self.assertGreaterEqual(self.count(b), FILES // 2)


class DoesNotHalt(FreshMesh):
    def fill(self) -> tuple[Node, ...]:
        a, b, c = self.begin()
        for index in range(FILES):
            a.write(f"old/{index}.py", f"{index}\n" * 20)
        self.mesh.converge()
        return a, b, c

    def test_a_rename_of_everything_is_no_mass_delete(self) -> None:
        a, b, c = self.fill()
        os.rename(a.path("old"), a.path("new"))
        self.mesh.wait_content("new/59.py", b"59\n" * 20)
        self.mesh.converge()
        self.assertFalse(c.has("old"))

    def test_few_files_are_no_mass(self) -> None:
        a, b, c = self.begin()
        for index in range(20):
            a.write(f"{index}.py", b"x")
        self.mesh.converge()
        for index in range(19):
            os.unlink(a.path(f"{index}.py"))
        self.mesh.wait_until(
            lambda: os.listdir(b.folder) == os.listdir(c.folder) == ["19.py"], "19 files are gone"
        )
        self.mesh.converge()


class NoLimit(FreshMesh):
    options = {"folder": {"max_delete_percent": 100}}

    def test_all_but_one_may_go(self) -> None:
        a, b, c = self.begin()
        for index in range(FILES):
            a.write(f"{index}.py", b"x")
        self.mesh.converge()
        for index in range(1, FILES):
            os.unlink(a.path(f"{index}.py"))
        self.mesh.wait_until(
            lambda: os.listdir(b.folder) == os.listdir(c.folder) == ["0.py"], "one file is left"
        )
        self.mesh.converge()

    def test_all_may_not(self) -> None:
        a, b, c = self.begin()
        for index in range(FILES):
            a.write(f"{index}.py", b"x")
        self.mesh.converge()
        for index in range(FILES):
            os.unlink(a.path(f"{index}.py"))
        self.mesh.wait_until(lambda: a.folder_status()["state"] == "halted", "a halts")
        self.mesh.fence(b, [b, c])
        self.assertTrue(os.listdir(c.folder))


class Resume(Filled):
    def begin_halted(self) -> tuple[Node, ...]:
        a, b, c = self.begin_filled()
        self.take_away(a, "all/most")
        self.mesh.wait_until(lambda: a.folder_status()["state"] == "halted", "a halts")
        return a, b, c

    def test_without_a_word_the_files_come_back(self) -> None:
        a, b, c = self.begin_halted()
        b.write("all/most/0.py", "changed while a was halted")
        self.assert_status(a.run("resume", "dags"), 0)
        self.mesh.converge()
        self.assert_content("all/most/0.py", b"changed while a was halted")
        self.assertEqual(self.count(a), FILES)

    def test_with_accept_deletes_they_are_deleted_everywhere(self) -> None:
        a, b, c = self.begin_halted()
        self.assert_status(a.run("resume", "dags", "--accept-deletes"), 0)
        self.mesh.wait_until(
            lambda: self.count(b) == self.count(c) == FILES - MOST, "the deletes are everywhere"
        )
        self.mesh.converge()
        self.assertFalse(c.has("all/most"))


class ResumeAfterALoss(Filled):
    """The folder itself was lost, one way or another, and something stands there again."""

    def lose(self, one: Node) -> None:
        """Removes the folder, and waits until the node has noticed."""
        shutil.rmtree(one.folder)
        self.wait_halted(one)

    def wait_halted(self, one: Node) -> None:
        self.mesh.wait_until(
            lambda: one.folder_status().get("state") == "halted", f"{one.name} halts"
        )

    def assert_complete(self, *nodes: Node) -> None:
        self.mesh.converge()
        for one in nodes:
            self.assertEqual(self.count(one), FILES)
        # It is watched again, not only compared.
        nodes[0].write("after.py", b"after the resume")
        self.mesh.wait_content("after.py", b"after the resume")

    def test_what_the_operator_sees(self) -> None:
        a, b, c = self.begin_filled()
        self.take_away(a, "all/most")
        self.wait_halted(a)
        status = a.run("status")
        self.assert_status(status, 1)
        for text in ("not in sync", "halted", "max_delete_percent", "dagsync resume dags"):
            self.assertIn(text, status.stdout)
        self.assertIn("--accept-deletes", a.folder_status()["state_reason"])
        self.assertIn("folder dags halted: 50 files of 60", a.log_text())
        push = a.run("push")
        self.assert_status(push, 1)
        self.assertIn("halted", push.stderr)
        self.assert_status(a.run("status", "--wait", "0.2"), 1)
        self.assertFalse(b.status()["in_sync"])  # a takes nothing any more
        self.assertEqual(b.folder_status()["state"], "idle")
        self.assert_status(b.run("status"), 1)

    def test_a_folder_that_is_not_halted_has_nothing_to_resume(self) -> None:
        a, b, c = self.begin()
        done = a.run("resume", "dags")
        self.assert_status(done, 0)
        self.assertIn("not halted", done.stdout)
        self.assert_status(a.run("resume", "nothing"), 2)

    def test_removed_and_made_anew(self) -> None:
        a, b, c = self.begin_filled()
        self.lose(a)
        done = a.run("resume", "dags")
        self.assert_status(done, 1)
        self.assertIn("make the directory", done.stderr)
        self.assertEqual(a.folder_status()["state"], "halted")
        a.folder.mkdir()
        self.assert_status(a.run("resume", "dags"), 0)
        self.assert_complete(a, b, c)

    def test_removed_and_the_deletes_accepted(self) -> None:
        a, b, c = self.begin_filled()
        self.lose(a)
        a.folder.mkdir()
        self.assert_status(a.run("resume", "dags", "--accept-deletes"), 0)
        self.mesh.wait_until(lambda: not (os.listdir(b.folder) or os.listdir(c.folder)), "all gone")
        self.mesh.converge()

    def test_emptied(self) -> None:
        a, b, c = self.begin_filled()
        self.take_away(a, "all")
        self.wait_halted(a)
        self.assert_status(a.run("resume", "dags"), 0)
        self.assert_complete(a, b, c)

    def test_replaced_by_another_directory(self) -> None:
        a, b, c = self.begin_filled()
        os.rename(a.folder, a.home / "elsewhere")
        a.folder.mkdir()
        (a.folder / "own.py").write_bytes(b"stands in the other one")
        self.wait_halted(a)
        self.assertIn("dagsync resume", a.folder_status()["state_reason"])
        self.mesh.fence(b, [b, c])
        self.assertFalse(b.has("own.py"))
        self.assert_status(a.run("resume", "dags"), 0)
        self.mesh.wait_content("own.py", b"stands in the other one")
        self.assert_complete(a, b, c)

    def test_replaced_by_another_directory_while_the_daemon_was_down(self) -> None:
        a, b, c = self.begin_filled()
        a.stop()
        os.rename(a.folder, a.home / "elsewhere")
        a.folder.mkdir()
        a.start()
        self.wait_halted(a)
        self.assert_status(a.run("resume", "dags"), 0)
        self.assert_complete(a, b, c)

    def test_replaced_by_a_symlink(self) -> None:
        a, b, c = self.begin_filled()
        elsewhere = a.home / "elsewhere"
        os.rename(a.folder, elsewhere)
        a.folder.symlink_to(elsewhere)
        self.wait_halted(a)
        done = a.run("resume", "dags")
        self.assert_status(done, 1)
        self.assertIn("symlink", done.stderr)
        self.assertEqual((self.count(b), self.count(c)), (FILES, FILES))
        a.folder.unlink()
        os.rename(elsewhere, a.folder)
        self.assert_status(a.run("resume", "dags"), 0)
        self.assert_complete(a, b, c)


if __name__ == "__main__":
    unittest.main()
