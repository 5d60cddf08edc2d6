"""Programs that are run when something has happened in a folder: [[hook]]."""

from __future__ import annotations

import os
import pwd
import time
import unittest
from pathlib import Path

from case import FreshMesh
from node import Node, table

SHELL = "/bin/sh"


class Hooks(FreshMesh):
    options = {"n": 2}

    def setUp(self) -> None:
        super().setUp()
        self.a, self.b = self.mesh.nodes
        self.out = self.b.home / "hooks"
        self.out.mkdir()

    def with_hooks(self, *hooks: dict) -> None:
        """Configures b's hooks."""
        extra = "".join(table("[[hook]]", hook) for hook in hooks)
        self.mesh.configure(self.b, extra=extra)

    def shell(self, script: str) -> list[str]:
        return [SHELL, "-c", script, "hook", str(self.out)]

    def hook_status(self, index: int = 0) -> dict:
        return self.b.status()["hooks"][index]

    def has_run(self, runs: int, index: int = 0) -> None:
        self.mesh.wait_until(
            lambda: (status := self.hook_status(index))["runs"] >= runs and not status["running"],
            f"hook {index} has run {runs} times",
        )

    def paths_of(self, run: Path) -> list[bytes]:
        """What a run got on its standard input, relative to the folder."""
        content = run.read_bytes()
        self.assertTrue(content.endswith(b"\0"))
        root = os.fsencode(self.b.folder) + b"/"
        paths = content[:-1].split(b"\0")
        self.assertTrue(all(path.startswith(root) for path in paths), paths)
        return [path[len(root) :] for path in paths]

    def test_changes_that_come_together_are_one_run(self) -> None:
        script = 'cat > "$1/paths.$$"; env > "$1/env"'
        self.with_hooks({"on": "applied", "match": ["*.py", "models/"], "run": self.shell(script)})
        self.begin()
        names = [b"a.py", b"line\nfeed.py", b"odd \xff.py", b"models/x.bin", b"sub/b.py"]
        for name in [*names, b"left.txt", b"sub/model.bin"]:
            self.a.write(name, b"x")
        self.mesh.wait_in_sync()
        self.has_run(1)
        runs = list(self.out.glob("paths.*"))
        self.assertEqual(len(runs), 1)
        self.assertEqual(self.paths_of(runs[0]), sorted(names))
        environment = (self.out / "env").read_text().splitlines()
        for line in (
            "DAGSYNC_EVENT=applied",
            "DAGSYNC_FOLDER=dags",
            f"DAGSYNC_FOLDER_PATH={self.b.folder}",
            "DAGSYNC_LEFT_OUT=0",
        ):
            self.assertIn(line, environment)
        status = self.hook_status()
        self.assertEqual((status["on"], status["folder"], status["last_exit"]), ("applied", "dags", 0))
        self.assertEqual((status["failures"], status["waiting"], status["last_error"]), (0, 0, ""))

    def test_what_comes_during_a_run_waits_for_the_next(self) -> None:
        script = 'cat > "$1/paths.$(ls "$1" | wc -l)"; while [ ! -e "$1/go" ]; do sleep 0.02; done'
        self.with_hooks({"on": "applied", "run": self.shell(script)})
        self.begin()
        self.a.write("first.py", b"x")
        first, second = self.out / "paths.0", self.out / "paths.2"
        self.mesh.wait_until(first.exists, "the first run begins")
        for name in ("second.py", "third.py"):
            self.a.write(name, b"x")
        self.mesh.wait_in_sync()
        self.mesh.wait_until(lambda: self.hook_status()["waiting"] == 2, "two paths wait")
        self.assertTrue(self.hook_status()["running"])
        (self.out / "go").touch()
        self.has_run(2)
        self.assertEqual(self.paths_of(first), [b"first.py"])
        self.assertEqual(self.paths_of(second), [b"second.py", b"third.py"])

    def test_a_run_that_fails_or_takes_too_long_is_shown(self) -> None:
        # It does not heed SIGTERM, and neither does what it starts.
        stubborn = 'trap "" TERM; (trap "" TERM; sleep 600) & echo $! > "$1/child"; wait; sleep 600'
        self.with_hooks(
            {"on": "applied", "run": self.shell("echo first >&2; printf 'the last' >&2; exit 7")},
            {"on": "applied", "run": self.shell("sleep 600"), "timeout": "1s"},
            {"on": "applied", "run": self.shell(stubborn), "timeout": "1s"},
            {"on": "applied", "run": ["/nowhere/at-all"]},
        )
        self.begin()
        self.a.write("x.py", b"x")
        for index in range(4):
            self.has_run(1, index)
        failing, slow, stubborn_one, missing = self.b.status()["hooks"]
        self.assertEqual(failing["last_exit"], 7)
        self.assertEqual(failing["last_error"], "exit status 7: the last")
        for one in (slow, stubborn_one):
            self.assertIsNone(one["last_exit"])
            self.assertIn("took longer than 1 s", one["last_error"])
        child = int((self.out / "child").read_text())
        self.mesh.wait_until(lambda: is_gone(child), "what the hook started is ended as well")
        self.assertIn("/nowhere/at-all", missing["last_error"])
        shown = self.b.run("status").stdout
        self.assertIn("exit status 7: the last", shown)
        self.mesh.wait_in_sync()  # whatever hooks do

    def test_conflicts_and_halts_are_told_and_a_reload_takes_hooks_over(self) -> None:
        self.begin()
        script = 'cat > "$1/$DAGSYNC_EVENT"; printf "%s" "$DAGSYNC_REASON" > "$1/reason"'
        self.with_hooks(
            {"on": "conflict", "folder": "dags", "run": self.shell(script)},
            {"on": "halted", "run": self.shell(script)},
        )
        self.b.reload()
        self.mesh.wait_until(lambda: len(self.b.status()["hooks"]) == 2, "the hooks are there")
        self.b.stop()
        now = time.time_ns()
        self.a.write("both.py", b"the younger", mtime_ns=now)
        self.mesh.fence(self.a, nodes=[self.a])
        self.b.write("both.py", b"the older", mtime_ns=now - 10**10)
        self.b.start()
        self.mesh.converge()
        self.has_run(1, 0)
        self.assertEqual(self.paths_of(self.out / "conflict"), [b"both.py"])
        self.b.folder.rename(self.b.home / "away")
        self.has_run(1, 1)
        self.assertEqual((self.out / "halted").read_bytes(), b"")
        self.assertIn("dagsync resume", (self.out / "reason").read_text())
        (self.b.home / "away").rename(self.b.folder)
        self.assert_status(self.b.run("resume", "dags"), 0)
        self.mesh.converge()

    def test_what_cannot_be_run_is_named_by_the_check(self) -> None:
        for hook, complaint in (
            ({"run": ["/nowhere/at-all"]}, "no program /nowhere/at-all"),
            ({"run": [SHELL], "user": "no-such-user"}, "no user no-such-user"),
            ({"run": [SHELL], "folder": "other"}, "no [[folder]]"),
            ({"run": ["sh"]}, "absolute path"),
        ):
            self.with_hooks({"on": "applied"} | hook)
            done = self.b.run("daemon", "--check")
            self.assert_status(done, 2)
            self.assertIn(complaint, done.stderr)
        self.mesh.configure(self.b)

    @unittest.skipUnless(os.geteuid() == 0, "only root may become somebody else")
    def test_another_user_runs_it_without_our_rights(self) -> None:
        os.chmod(self.out, 0o777)
        for directory in (self.mesh.root, self.b.home):
            os.chmod(directory, 0o755)
        script = 'cat > "$1/paths"; id -u > "$1/id"; grep CapEff /proc/self/status > "$1/rights"; '
        script += 'echo "$HOME" > "$1/home"'
        self.with_hooks({"on": "applied", "user": "nobody", "run": self.shell(script)})
        self.assert_status(self.b.run("daemon", "--check"), 0)
        self.begin()
        self.a.write("x.py", b"x")
        self.has_run(1)
        nobody = pwd.getpwnam("nobody")
        self.assertEqual(self.hook_status()["last_error"], "")
        self.assertEqual(int((self.out / "id").read_text()), nobody.pw_uid)
        self.assertEqual((self.out / "home").read_text().strip(), nobody.pw_dir)
        self.assertEqual(int((self.out / "rights").read_text().split()[1], 16), 0)


def is_gone(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


if __name__ == "__main__":
    unittest.main()
