"""The harness itself: tree comparison, links and skips, without a daemon."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path

import skips
import tree
from mesh import PORT, loopback_hosts
from proxy import Links


class TreeComparison(unittest.TestCase):
    def setUp(self) -> None:
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.left, self.right = Path(temporary.name) / "left", Path(temporary.name) / "right"
        for root in (self.left, self.right):
            (root / "sub").mkdir(parents=True)
            (root / "sub" / "file").write_bytes(b"same")
            os.utime(root / "sub" / "file", ns=(1, 1))
            (root / "link").symlink_to("sub/file")

    def told(self, **options) -> list[str]:
        return tree.differences(os.fsencode(self.left), os.fsencode(self.right), **options)

    def test_equal_trees_do_not_differ(self) -> None:
        self.assertEqual(self.told(), [])

    def test_each_kind_of_difference_is_told(self) -> None:
        changes = {
            "content": lambda root: (
                (root / "sub/file").write_bytes(b"diff"),
                os.utime(root / "sub/file", ns=(1, 1)),
            ),
            "mtime": lambda root: os.utime(root / "sub/file", ns=(1, 2)),
            "mode": lambda root: (root / "sub/file").chmod(0o600),
            "mode of a directory": lambda root: (root / "sub").chmod(0o700),
            "target": lambda root: ((root / "link").unlink(), (root / "link").symlink_to("sub")),
            "kind": lambda root: ((root / "link").unlink(), (root / "link").write_text("sub/file")),
            "one more": lambda root: (root / "new").mkdir(),
            "odd bytes in a name": lambda root: open(os.fsencode(root) + b"/\xff\n", "w").close(),
        }
        for what, change in changes.items():
            with self.subTest(what):
                self.doCleanups()
                self.setUp()
                change(self.right)
                self.assertEqual(len(self.told()), 1)

    def test_what_is_left_out_is_not_compared_with_all_below_it(self) -> None:
        (self.right / "sub" / "more").write_text("x")
        self.assertEqual(self.told(leave_out=lambda path: path == b"sub"), [])

    def test_names_of_dagsync_are_found(self) -> None:
        (self.left / "sub" / ".dagsync-1").touch()
        (self.left / ".dagsyncignore").touch()
        self.assertEqual(tree.names_of_dagsync(os.fsencode(self.left)), [b"sub/.dagsync-1"])


class LinkControl(unittest.TestCase):
    """b echoes what it gets; a dials b through a link."""

    def setUp(self) -> None:
        hosts = loopback_hosts(PORT)
        self.listener = socket.create_server((next(hosts), PORT))
        self.addCleanup(self.listener.close)
        threading.Thread(target=self.echo, daemon=True).start()
        self.dialled = next(hosts), PORT
        self.links = Links()
        self.addCleanup(self.links.close)
        self.links.add("a", "b", self.dialled, self.listener.getsockname())
        self.links.add("b", "a", (next(hosts), PORT), (next(hosts), PORT))

    def echo(self) -> None:
        while True:
            try:
                peer = self.listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self.answer, args=(peer,), daemon=True).start()

    def answer(self, peer: socket.socket) -> None:
        with peer:
            while data := peer.recv(65536):
                peer.sendall(data)

    def dial(self) -> socket.socket:
        connection = socket.create_connection(self.dialled, timeout=5)
        self.addCleanup(connection.close)
        return connection

    def trip(self, connection: socket.socket, data: bytes = b"ping") -> bytes:
        connection.sendall(data)
        got = b""
        while len(got) < len(data):
            block = connection.recv(65536)
            if not block:
                break
            got += block
        return got

    def test_bytes_travel_both_ways_and_are_counted(self) -> None:
        self.assertEqual(self.trip(self.dial(), b"x" * 300000), b"x" * 300000)
        self.assertEqual(self.links.carried("a", "b"), 300000)
        self.assertEqual(self.links.carried("b", "a"), 300000)

    def test_a_cut_ends_what_is_connected_and_refuses_what_is_new(self) -> None:
        connection = self.dial()
        self.trip(connection)
        self.links.cut("a", "b")
        self.assertEqual(connection.recv(1), b"")
        with self.assertRaises(ConnectionRefusedError):
            self.dial()
        self.links.restore()
        self.assertEqual(self.trip(self.dial()), b"ping")

    def test_a_blackhole_tells_nothing_and_delivers_when_restored(self) -> None:
        connection = self.dial()
        self.trip(connection)
        self.links.blackhole("a", "b")
        connection.sendall(b"late")
        connection.settimeout(0.2)
        with self.assertRaises(TimeoutError):
            connection.recv(4)
        self.links.restore()
        connection.settimeout(5)
        self.assertEqual(connection.recv(4), b"late")

    def test_one_way_can_be_stalled_alone(self) -> None:
        connection = self.dial()
        self.trip(connection)
        self.links.stall("b", "a")
        connection.sendall(b"late")
        connection.settimeout(0.2)
        with self.assertRaises(TimeoutError):
            connection.recv(4)
        self.assertEqual(self.links.carried("a", "b"), 8)

    def test_an_end_on_one_side_ends_the_other(self) -> None:
        connection = self.dial()
        self.trip(connection)
        connection.shutdown(socket.SHUT_WR)
        self.assertEqual(connection.recv(1), b"")


class Skips(unittest.TestCase):
    """A run in which something was skipped does not pass for one in which all held."""

    def status_of(self, *reasons: str, allowed: bool = False) -> int:
        """Of a run of a test that holds, and of one that is skipped for each reason."""
        lines = ["import unittest", "class Told(unittest.TestCase):", "    def test(self): pass"]
        for number, reason in enumerate(reasons):
            lines += [f"    @unittest.skip({reason!r})", f"    def test_{number}(self): pass"]
        environment = os.environ | {"DAGSYNC_ALLOW_SKIPS": "1" if allowed else "0"}
        with tempfile.TemporaryDirectory() as directory:
            Path(directory, "told.py").write_text("\n".join(lines))
            done = subprocess.run(
                [sys.executable, "-B", skips.__file__, "told"],
                cwd=directory,
                env=environment | {"PYTHONPATH": directory},
                capture_output=True,
                text=True,
            )
        for reason in reasons:
            self.assertIn(reason, done.stderr)
        return done.returncode

    def test_all_ran(self) -> None:
        self.assertEqual(self.status_of(), 0)

    def test_what_could_run_here_must(self) -> None:
        self.assertEqual(self.status_of("no root"), 1)
        self.assertEqual(self.status_of("no root", skips.HERE + "too slow"), 1)

    def test_what_cannot_and_what_need_not_is_named_as_skipped(self) -> None:
        self.assertEqual(self.status_of(skips.HERE + "too slow"), skips.SKIPPED)
        self.assertEqual(self.status_of("no root", allowed=True), skips.SKIPPED)


if __name__ == "__main__":
    unittest.main()
