"""Where the log goes: the journal with fields to ask for, a file that rotates."""

import os
import re
import socket
import struct
import unittest

from case import FreshMesh


def fields(datagram: bytes) -> dict[str, str]:
    """One entry in the journal's native protocol: NAME=value, or NAME, a length and the value."""
    found = {}
    while datagram:
        head, _, datagram = datagram.partition(b"\n")
        name, equals, value = head.partition(b"=")
        if not equals:
            (size,) = struct.unpack("<Q", datagram[:8])
            value, datagram = datagram[8 : 8 + size], datagram[9 + size :]
        found[name.decode()] = value.decode()
    return found


class Journal(FreshMesh):
    options = {"n": 2}

    def test_lines_have_priorities_and_say_what_they_are_about(self) -> None:
        a, b = self.mesh.nodes
        place = b.home / "journal"
        place.mkdir()
        journal = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(journal.close)
        journal.bind(str(place / "socket"))
        journal.setblocking(False)
        # A /run of its own, so that nothing of the machine's is touched.
        script = (
            "mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/journal && "
            f'mount --bind {place} /run/systemd/journal && exec "$@"'
        )
        b.launcher = ["unshare", "--mount", "sh", "-c", script, "sh"]
        b.log.touch()
        found = os.stat(b.log)
        b.environment["JOURNAL_STREAM"] = f"{found.st_dev}:{found.st_ino}"
        entries: list[dict[str, str]] = []

        def has(**wanted: str) -> bool:
            while True:
                try:
                    entries.append(fields(journal.recv(1 << 16)))
                except BlockingIOError:
                    break
            return any(wanted.items() <= entry.items() for entry in entries)

        self.begin()
        self.mesh.wait_until(lambda: has(PEER="a", PRIORITY="6"), "a connects")
        a.write("two\nlines.py", b"1")
        about = {"FOLDER": "dags", "PATH": "two\nlines.py", "PEER": "a", "PRIORITY": "6"}
        self.mesh.wait_until(lambda: has(SYSLOG_IDENTIFIER="dagsync", **about), "a change is told")
        a.kill()
        self.mesh.wait_until(lambda: has(PEER="a", PRIORITY="4"), "a cannot be reached")
        self.assertEqual("", b.log_text())
        a.start()
        self.mesh.converge()

    def test_a_stream_that_is_not_ours_is_no_journal(self) -> None:
        a = self.mesh["a"]
        a.environment["JOURNAL_STREAM"] = "1:1"
        self.begin()
        self.assertRegex(a.log_text(), r"\dZ?[+-]\d\d:\d\d info node a is ready")


class File(FreshMesh):
    options = {"n": 2}

    def test_a_file_rotates(self) -> None:
        a, b = self.mesh.nodes
        log = a.home / "logs" / "dagsync.log"
        table = f'\n[log]\nfile = "{log}"\nmax_size = "1KiB"\nkeep = 2\n'
        self.mesh.configure(a, extra=table)
        self.begin()
        for number in range(60):
            b.write(f"{number}.py", b"1")
        self.mesh.converge()
        older = sorted(each.name for each in log.parent.iterdir())
        self.assertEqual(["dagsync.1.log", "dagsync.2.log", "dagsync.log"], older)
        for each in log.parent.iterdir():
            self.assertLessEqual(each.stat().st_size, 1024)
        self.assertRegex(log.read_text(), r"info dags: applied \d+.py from b")

    def test_a_file_that_cannot_be_is_a_mistake_in_the_configuration(self) -> None:
        a = self.mesh["a"]
        for name, words in (
            (f"{a.config}/x.log", "give a file that the daemon's user may write"),
            (f"{a.folder}/x.log", "lies inside folder"),
        ):
            self.mesh.configure(a, extra=f'\n[log]\nfile = "{name}"\n')
            done = a.run("daemon")
            self.assertEqual(2, done.returncode, done.stderr)
            self.assertTrue(re.search(words, done.stderr), done.stderr)


if __name__ == "__main__":
    unittest.main()
