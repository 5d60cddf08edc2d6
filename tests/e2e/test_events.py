"""`dagsync events`: a line for each thing that happens, until interrupted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import unittest

from case import FreshMesh, SharedMesh
from node import BINARY, Node


class Follower:
    """`dagsync events` of a node, running."""

    def __init__(self, one: Node, *options: str) -> None:
        self.process = subprocess.Popen(
            [BINARY, "events", "--config", str(one.config), *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=one.environment,
        )
        self.lines: list[str] = []
        assert "following" in self.process.stderr.readline()
        self._reader = threading.Thread(target=self._read)

    def read(self) -> "Follower":
        self._reader.start()
        return self

    def _read(self) -> None:
        for line in self.process.stdout:
            self.lines.append(line)

    def events(self) -> list[dict]:
        return [json.loads(line) for line in self.lines]

    def tells(self, kind: str, path: str | None = None, node: str | None = None) -> bool:
        return any(
            event["kind"] == kind and path in (None, event["path"]) and node in (None, event["node"])
            for event in self.events()
        )

    def interrupt(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.end()

    def end(self) -> int:
        status = self.process.wait(30)
        if self._reader.ident:
            self._reader.join(30)
        self.errors = self.process.stderr.read()
        self.process.stdout.close()
        self.process.stderr.close()
        return status


class Followed(SharedMesh):
    def follow(self, one: Node, *options: str) -> Follower:
        follower = Follower(one, *options).read()

        def end() -> None:
            if follower.process.returncode is None:
                follower.process.kill()
                follower.end()

        self.addCleanup(end)
        return follower

    def test_a_change_is_sent_here_and_applied_there(self) -> None:
        a, b = self.follow(self.a, "--json"), self.follow(self.b, "--json")
        self.a.write("new.py", b"x")
        self.mesh.converge()
        os.unlink(self.a.path("new.py"))
        self.mesh.wait_until(
            lambda: a.tells("sent", "new.py", "b, c") and b.tells("applied", "new.py", "a"), "both"
        )
        self.mesh.wait_until(
            lambda: [each["what"] for each in b.events() if each["path"] == "new.py"]
            == ["changed", "deleted"],
            "the delete as well",
        )
        numbers = [event["number"] for event in b.events()]
        self.assertEqual(numbers, list(range(numbers[0], numbers[0] + len(numbers))))
        for follower in (a, b):
            self.assertEqual(follower.interrupt(), 0)

    def test_lines_for_people_name_the_path(self) -> None:
        b = self.follow(self.b)
        self.a.write("odd\udcff.py".encode(errors="surrogateescape"), b"x")
        self.mesh.converge()
        self.mesh.wait_until(lambda: any("odd\\xff.py" in line for line in b.lines), "a line")
        line = next(line for line in b.lines if "odd" in line)
        self.assertRegex(line, r"^\S+Z  applied +dags: odd\\xff.py  a  changed$")
        self.assertEqual(b.interrupt(), 0)

    def test_conflicts_errors_and_peers_are_told(self) -> None:
        a = self.follow(self.a, "--json")
        b = self.follow(self.b, "--json")
        os.mkfifo(self.a.path("pipe"))
        self.mesh.wait_until(lambda: a.tells("error", "pipe"), "the FIFO is named")
        os.unlink(self.a.path("pipe"))
        self.c.stop()
        self.mesh.wait_until(lambda: a.tells("disconnected", node="c"), "c is gone")
        self.a.write("both.py", b"edited on a")
        self.mesh.wait_content("both.py", b"edited on a", nodes=[self.a, self.b])
        self.c.write("both.py", b"older, on c", mtime_ns=10**18)
        self.c.start()
        self.mesh.wait_until(lambda: a.tells("connected", node="c"), "c is back")
        self.mesh.converge()
        c = self.c.listed("conflicts")
        self.assertEqual([each["path"] for each in c], ["both.py"])
        self.assertTrue(b.tells("connected", node="c"))

    def test_a_reader_that_does_not_read_is_cut_off(self) -> None:
        """What waits for it is bounded: by the pipe, the socket and the ring of the newest."""
        slow = Follower(self.a, "--json")
        for round_ in range(40):
            for index in range(500):
                self.a.write(f"many/{index}.py", f"{round_} {index}")
            self.assert_status(self.a.run("push", "--timeout", "60"), 0)
            self.assertLess(self.memory(self.a), 400 << 20)
            if "cut off" in self.a.log_text():
                break
        slow.read()
        self.assertEqual(slow.end(), 1, slow.errors)
        self.assertIn("faster than they were read", slow.errors)
        self.mesh.fence(self.a)

    @staticmethod
    def memory(one: Node) -> int:
        with open(f"/proc/{one.process.pid}/statm", encoding="ascii") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Halted(FreshMesh):
    def test_a_halt_and_its_end_are_told(self) -> None:
        a, b, c = self.begin()
        for index in range(30):
            a.write(f"{index}.py", b"x")
        self.mesh.converge()
        follower = Follower(a, "--json").read()
        elsewhere = a.home / "elsewhere"
        elsewhere.mkdir()
        for index in range(30):
            os.rename(a.path(f"{index}.py"), elsewhere / f"{index}.py")
        self.mesh.wait_until(lambda: follower.tells("halted"), "the halt")
        self.assert_status(a.run("resume", "dags"), 0)
        self.mesh.wait_until(lambda: follower.tells("resumed"), "its end")
        self.mesh.converge()
        a.stop()
        self.assertEqual(follower.end(), 3)  # no daemon any more

    def test_what_may_not_come_in_is_refused(self) -> None:
        self.mesh.configure(self.mesh["c"], folder={"mode": "send-only", "max_file_size": "1KiB"})
        a, b, c = self.begin()
        follower = Follower(c, "--json").read()
        a.write("theirs.py", b"x")
        c.write("large.bin", b"x" * 2000)
        self.mesh.wait_until(
            lambda: follower.tells("refused", "theirs.py", "a")
            and follower.tells("refused", "large.bin", "c"),
            "both are told",
        )
        self.assertEqual(follower.interrupt(), 0)

    def test_no_daemon(self) -> None:
        done = self.mesh["a"].run("events")
        self.assert_status(done, 3)


if __name__ == "__main__":
    unittest.main()
