"""`dagsync push --to`: a CI runner without a daemon delivers a folder."""

from __future__ import annotations

import os
import subprocess
import time
import unittest

from case import FreshMesh
from node import Node

HOUR_NS = 3600 * 10**9
RUNNER = {"name": "ci", "may": ["send"]}


class PushTo(FreshMesh):
    options = {"more": ["ci"]}

    def begin_with_runner(
        self, known: bool = True, may: list[str] | None = None
    ) -> tuple[Node, ...]:
        runner = dict(RUNNER, may=may or RUNNER["may"])
        for one in self.mesh.nodes:
            self.mesh.configure(one, more_peers=[runner] if known else [])
        nodes = self.begin()
        self.runner = self.mesh.new_node("ci")
        self.mesh.configure(self.runner, peers=self.mesh.nodes)
        self.source = self.runner.folder
        return nodes

    def push(self, *targets: Node, more: tuple = ()) -> subprocess.CompletedProcess:
        to = [argument for one in targets for argument in ("--to", one.address)]
        return self.runner.run("push", *to, "--from", str(self.source), "--timeout", "20", *more)

    def test_the_nodes_have_the_folder_when_it_returns(self) -> None:
        a, b, c = self.begin_with_runner()
        for index in range(200):
            self.runner.write(f"team{index % 9}/dag{index}.py", f"{index}\n" * 100)
        self.runner.write("large.bin", os.urandom(3 << 20))
        os.symlink("team1", self.runner.path("link"))
        self.assert_status(self.push(a, b, c), 0)
        self.assertEqual(self.mesh.differences([self.runner, a, b, c]), [])
        self.mesh.converge()
        self.assertFalse(self.runner.state_dir.exists(), "it uses no state directory")
        self.assertEqual(self.conflicts(), [])

    def test_what_one_node_got_reaches_the_others(self) -> None:
        a, b, c = self.begin_with_runner()
        self.runner.write("dag.py", b"from the runner")
        self.assert_status(self.push(b), 0)
        self.assert_content("dag.py", b"from the runner", b)
        self.mesh.wait_content("dag.py", b"from the runner")
        self.mesh.converge()

    def test_its_changes_count_as_made_now(self) -> None:
        a, b, c = self.begin_with_runner()
        a.write("dag.py", b"edited on a node", mtime_ns=time.time_ns())
        self.mesh.converge()
        self.runner.write("dag.py", b"from the runner", mtime_ns=time.time_ns() - 1000 * HOUR_NS)
        self.assert_status(self.push(a), 0)
        self.mesh.wait_content("dag.py", b"from the runner")
        self.mesh.converge()
        self.assertEqual(self.conflicts(), [])

    def test_files_that_it_lacks_are_deleted_only_when_told_so(self) -> None:
        a, b, c = self.begin_with_runner()
        for index in range(10):
            a.write(f"{index}.py", b"x")
            if index:
                self.runner.write(f"{index}.py", b"x")
        self.mesh.converge()
        self.assert_status(self.push(a), 0)
        self.mesh.fence(a)
        self.assert_content("0.py", b"x")
        os.unlink(a.path("fence-0001"))
        self.assert_status(self.push(a, more=("--delete",)), 0)
        self.mesh.wait_content("0.py", None)
        self.mesh.converge()
        self.assertEqual(sorted(os.listdir(c.folder)), [f"{index}.py" for index in range(1, 10)])

    def test_a_dry_run_tells_and_changes_nothing(self) -> None:
        a, b, c = self.begin_with_runner()
        a.write("there.py", b"only there")
        self.mesh.converge()
        self.runner.write("new.py", b"new")
        done = self.push(a, more=("--dry-run", "--delete"))
        self.assert_status(done, 0)
        self.assertIn("new.py", done.stdout)
        self.assertIn("there.py", done.stdout)
        self.mesh.fence(a)
        self.assert_content("new.py", None)
        self.assert_content("there.py", b"only there")

    def test_a_runner_that_nobody_knows_is_refused(self) -> None:
        a, b, c = self.begin_with_runner(known=False)
        self.runner.write("dag.py", b"x")
        done = self.push(a)
        self.assert_status(done, 1)
        self.assertTrue(done.stderr.startswith("dagsync: "), done.stderr)
        self.mesh.wait_until(lambda: "ci" in a.log_text(), "the log names the runner")
        self.mesh.fence(a)
        self.assert_content("dag.py", None)

    def test_a_runner_that_may_not_send_is_refused(self) -> None:
        a, b, c = self.begin_with_runner(may=["receive"])
        self.runner.write("dag.py", b"x")
        done = self.push(a)
        self.assert_status(done, 1)
        self.assertTrue(done.stderr.startswith("dagsync: "), done.stderr)
        self.mesh.fence(a)
        self.assert_content("dag.py", None)

    def test_the_mesh_does_not_wait_for_a_runner(self) -> None:
        a, b, c = self.begin_with_runner()
        self.assert_status(a.run("status"), 0)
        a.write("dag.py", b"x")
        self.assert_status(a.run("push", "--timeout", "20"), 0)

    def test_a_node_that_does_not_answer_is_named(self) -> None:
        a, b, c = self.begin_with_runner()
        c.stop()
        self.runner.write("dag.py", b"x")
        to = ["--to", a.address, "--to", c.address]
        done = self.runner.run("push", *to, "--from", str(self.source), "--timeout", "2")
        self.assert_status(done, 1)
        self.assertIn(c.address, done.stdout + done.stderr)
        self.assert_content("dag.py", b"x", a)

    def test_delete_from_a_directory_without_a_file_is_refused(self) -> None:
        a, b, c = self.begin_with_runner()
        a.write("dag.py", b"x")
        self.mesh.converge()
        (self.source / "empty").mkdir()
        for more in (("--delete",), ("--delete", "--dry-run")):
            done = self.push(a, more=more)
            self.assert_status(done, 2)
            self.assertIn("not a single file", done.stderr)
        self.mesh.fence(a)
        self.assert_content("dag.py", b"x")
        self.assert_status(self.push(a), 0)  # without it nothing is deleted

    def test_a_temporary_directory_that_is_not_there_is_named(self) -> None:
        a, b, c = self.begin_with_runner()
        self.runner.environment["TMPDIR"] = "/nowhere"
        done = self.push(a)
        self.assert_status(done, 2)
        self.assertIn("TMPDIR=/nowhere is no directory", done.stderr)

    def test_what_is_there_but_not_pushed_is_not_deleted(self) -> None:
        a, b, c = self.begin_with_runner()
        for name in ("held.py", "gone.py", "stays.py"):
            a.write(name, b"x")
        self.mesh.converge()
        self.runner.write("stays.py", b"x")
        with open(self.runner.path("held.py"), "wb") as held:
            held.write(b"half")
            held.flush()
            done = self.push(a, more=("--delete",))
        self.assert_status(done, 1)
        self.assertIn("not pushed: held.py: ", done.stderr)
        self.mesh.wait_content("gone.py", None)
        self.assert_content("held.py", b"x")


if __name__ == "__main__":
    unittest.main()
