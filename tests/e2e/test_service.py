"""What systemd is told: that the node is ready, that its loop turns, that it reloads and stops."""

from __future__ import annotations

import os
import signal
import socket
import time

from case import FreshMesh
from node import PATIENCE, Node

WATCHDOG_S = 0.6
FILES = 3000


class Notified(FreshMesh):
    options = {"n": 2}

    def setUp(self) -> None:
        super().setUp()
        self.a = self.mesh["a"]
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.manager.close)
        self.manager.bind(str(self.a.home / "notify"))
        self.manager.settimeout(20 * PATIENCE)
        self.a.environment |= {
            "NOTIFY_SOCKET": str(self.a.home / "notify"),
            "WATCHDOG_USEC": str(round(WATCHDOG_S * PATIENCE * 1e6)),
        }

    def wait_for(self, line: str) -> list[str]:
        """The lines that came before this one."""
        before: list[str] = []
        while True:
            lines = self.manager.recv(4096).decode().splitlines()
            if line in lines:
                return before
            before += lines

    def pending(self) -> list[str]:
        """What has come already."""
        lines: list[str] = []
        self.manager.setblocking(False)
        try:
            while True:
                lines += self.manager.recv(4096).decode().splitlines()
        except BlockingIOError:
            return lines
        finally:
            self.manager.settimeout(20 * PATIENCE)

    def test_ready_means_that_the_folder_was_read_and_the_ports_listen(self) -> None:
        for index in range(FILES):
            self.a.write(f"dags/{index % 50}/{index}.py", f"{index}")
        self.a.start()
        before = self.wait_for("READY=1")
        socket.create_connection((self.a.host, self.a.port), timeout=5 * PATIENCE).close()
        self.assertEqual(self.a.folder_status()["files"], FILES)
        self.assertIn("WATCHDOG=1", before)
        self.assertTrue(any(line.startswith("EXTEND_TIMEOUT_USEC=") for line in before), before)

    def test_the_watchdog_is_fed_as_long_as_the_loop_turns(self) -> None:
        self.a.start()
        self.wait_for("READY=1")
        last = time.monotonic()
        for _ in range(6):
            self.wait_for("WATCHDOG=1")
            now = time.monotonic()
            self.assertLess(now - last, WATCHDOG_S * PATIENCE, "in time for the watchdog")
            last = now
        self.a.pause()
        self.pending()
        self.manager.settimeout(2 * WATCHDOG_S * PATIENCE)
        with self.assertRaises(TimeoutError, msg="a daemon that stands still is not fed"):
            self.manager.recv(4096)
        self.a.proceed()

    def test_a_reload_and_the_end_are_told(self) -> None:
        self.a.start()
        self.wait_for("READY=1")
        self.a.reload()
        self.wait_for("RELOADING=1")
        self.wait_for("READY=1")
        self.a.terminate()
        self.wait_for("STOPPING=1")

    def test_a_reload_before_the_node_is_ready_does_not_make_it_so(self) -> None:
        for index in range(FILES):
            self.a.write(f"dags/{index % 50}/{index}.py", f"{index}")
        self.a.start()
        self.wait_for("STATUS=comparing the folders with the index")
        self.a.process.send_signal(signal.SIGHUP)
        self.assertNotIn("RELOADING=1", self.wait_for("READY=1"))
        self.assertEqual(self.a.folder_status()["files"], FILES)


class NotNotified(FreshMesh):
    options = {"n": 2}

    def test_nobody_needs_to_be_told(self) -> None:
        one: Node = self.mesh["a"]
        self.assertNotIn("NOTIFY_SOCKET", one.environment)
        one.environment["NOTIFY_SOCKET"] = os.fspath(one.home / "nobody")
        self.mesh.start("a")
        self.mesh.wait_until(one.is_ready, "a is ready")
