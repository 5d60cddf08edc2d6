"""`dagsync pause` and `resume`: maintenance of one node's folder."""

from __future__ import annotations

import os
import time
import unittest

from case import FreshMesh
from mesh import BOUND_S


class Pause(FreshMesh):
    def setUp(self) -> None:
        super().setUp()
        self.a, self.b, self.c = self.begin()

    def pause(self, one) -> None:
        self.assert_status(one.run("pause", "dags"), 0)

    def resume(self, one, *options: str) -> None:
        done = one.run("resume", "dags", *options)
        self.assert_status(done, 0)
        self.assertIn("resumed dags", done.stdout)

    def test_edits_on_both_sides_meet_when_it_is_over(self) -> None:
        a, b, c = self.a, self.b, self.c
        for index in range(30):
            a.write(f"kept/{index}.py", b"kept")
        for name in ("here.py", "there.py", "both.py", "gone-here.py", "gone-there.py", "edited.py"):
            a.write(name, b"before")
        self.mesh.converge()
        # What was written before the pause is not of it.
        b.write("just-before.py", b"x")
        self.pause(b)
        self.mesh.wait_content("just-before.py", b"x")

        now = time.time_ns()
        b.write("here.py", b"edited here")
        b.write("both.py", b"the younger", mtime_ns=now)
        os.unlink(b.path("gone-here.py"))
        os.unlink(b.path("edited.py"))
        b.write("new-here.py", b"new")
        a.write("there.py", b"edited there")
        a.write("both.py", b"the older", mtime_ns=now - 10**9)
        os.unlink(a.path("gone-there.py"))
        a.write("edited.py", b"edited after the delete")
        a.write("new-there.py", b"new")
        self.mesh.fence(a, nodes=[a, c])
        self.mesh.converge(nodes=[a, c])

        def stays_apart() -> None:
            self.assert_content("here.py", b"before", a, c)
            self.assert_content("new-here.py", None, a, c)
            self.assert_content("gone-here.py", b"before", a, c)
            self.assert_content("there.py", b"before", b)
            self.assert_content("new-there.py", None, b)
            self.assert_content("gone-there.py", b"before", b)
            status = b.folder_status()
            self.assertEqual(status["state"], "halted")
            self.assertIn("paused by the operator since", status["state_reason"])
            self.assertIn("dagsync resume dags", status["state_reason"])
            self.assertEqual(b.status()["in_sync"], False)

        stays_apart()
        self.mesh.wait_until(
            lambda: "b takes nothing" in a.run("status").stdout, "a says that b takes nothing"
        )
        for command in (("push",), ("restore", "here.py"), ("verify",)):
            done = b.run(*command)
            self.assert_status(done, 1)
            self.assertIn("paused by the operator", done.stdout + done.stderr)
        self.assertIn("paused already", b.run("pause", "dags").stdout)
        b.restart()
        self.mesh.wait_until(lambda: b.peer_status("a").get("connected"), "b is back")
        self.mesh.fence(a, nodes=[a, c])
        stays_apart()
        b.kill()
        b.start()
        self.mesh.wait_until(lambda: b.peer_status("a").get("connected"), "b is back")
        self.mesh.fence(a, nodes=[a, c])
        stays_apart()

        self.resume(b)
        self.mesh.converge()
        for name, content in (
            ("here.py", b"edited here"),
            ("there.py", b"edited there"),
            ("both.py", b"the younger"),
            ("gone-here.py", None),
            ("gone-there.py", None),
            ("edited.py", b"edited after the delete"),
            ("new-here.py", b"new"),
            ("new-there.py", b"new"),
            ("kept/29.py", b"kept"),
        ):
            self.assert_content(name, content)
        conflicts = self.conflicts()
        self.assertEqual({entry["path"] for entry in conflicts}, {"both.py"})

    def test_an_emptied_folder_halts_when_it_is_over(self) -> None:
        a, b, c = self.a, self.b, self.c
        for index in range(30):
            a.write(f"{index}.py", b"x")
        self.mesh.converge()
        self.pause(b)
        for index in range(30):
            os.unlink(b.path(f"{index}.py"))
        done = b.run("resume", "dags")
        self.assert_status(done, 1)
        self.assertIn("max_delete_percent", done.stderr)
        self.assertTrue(a.has("7.py"))
        self.resume(b)
        self.mesh.converge()
        self.assert_content("7.py", b"x")

    def test_a_lost_folder_halts_when_it_is_over(self) -> None:
        a, b, c = self.a, self.b, self.c
        a.write("x.py", b"x")
        self.mesh.converge()
        self.pause(b)
        away = b.home / "away"
        b.folder.rename(away)
        b.folder.mkdir()
        done = b.run("resume", "dags")
        self.assert_status(done, 1)
        self.assertIn("not as it was", done.stderr)
        b.folder.rmdir()
        away.rename(b.folder)
        self.resume(b)
        self.mesh.converge()
        self.assert_content("x.py", b"x")


if __name__ == "__main__":
    unittest.main()
