"""Who has no certificate, and who has no rights on this machine."""

from __future__ import annotations

import os
import re
import shutil
import socket
import stat
import subprocess
import time
import unittest

from case import FreshMesh, SharedMesh
from hostile import MOST_MEMORY, forget_peak, is_sanitized, peak_memory
from node import BINARY, PATIENCE

HALF_OPEN = 2000
SOON_S = 2.0
NOBODY = "65534"


class Network(SharedMesh):
    """Without a certificate: nothing but time and sockets to waste."""

    def setUp(self) -> None:
        super().setUp()
        forget_peak(self.a)

    def knock(self, source: str = "") -> socket.socket:
        """A connection from an address of its own, if told so."""
        link = socket.socket()
        self.addCleanup(link.close)
        link.settimeout(20 * PATIENCE)
        if source:
            link.bind((source, 0))
        link.connect((self.a.host, self.a.port))
        return link

    def lines(self, pattern: str) -> list[str]:
        return [line for line in self.a.log_text().splitlines() if re.search(pattern, line)]

    def assert_unharmed(self) -> None:
        began = time.monotonic()
        self.mesh.fence(self.a)
        self.mesh.fence(self.b)
        self.assertLess(time.monotonic() - began, 2 * SOON_S * PATIENCE)
        if not is_sanitized(self.a):
            self.assertLess(peak_memory(self.a), MOST_MEMORY)

    def test_two_thousand_half_open_connections(self) -> None:
        links = [
            self.knock(f"127.66.{number // 250}.{number % 250 + 1}") for number in range(HALF_OPEN)
        ]
        self.assert_unharmed()
        # Who has a certificate comes through as soon as the first of them have had their time.
        self.b.restart()
        self.mesh.wait_in_sync(bound=40)
        self.assertEqual(len(links), HALF_OPEN)
        full = self.lines("too many connections whose handshake is not done: .* let a firewall")
        self.assertEqual(len(full), 1, "of all together, not a line for each")
        late = r"from 127\.66\..* refused: the handshake was not done in time"
        self.mesh.wait_until(
            lambda: len(self.lines(late)) > 200, "the log tells of each that was let in"
        )
        hosts = [line.split(" from ")[1].split()[0] for line in self.lines(late)]
        self.assertEqual(len(hosts), len(set(hosts)), "once")

    def test_handshakes_that_come_a_byte_at_a_time(self) -> None:
        hello = bytes.fromhex("1603010200010001fc0303") + bytes(200)
        links = [self.knock() for _ in range(10)]
        began = time.monotonic()
        for byte in hello[:20]:
            for link in links:
                link.sendall(bytes([byte]))
            time.sleep(0.05)
        self.assert_unharmed()
        for link in links:  # 10 s each, however much has come
            try:
                self.assertEqual(link.recv(100), b"")
            except ConnectionError:
                pass
        self.assertLess(time.monotonic() - began, 15 * PATIENCE)

    def test_sixty_four_mib_of_zeros(self) -> None:
        link = self.knock("127.88.0.1")
        block = bytes(1 << 20)
        try:
            for _ in range(64):
                link.sendall(block)
        except ConnectionError:
            pass
        self.assert_unharmed()
        self.mesh.wait_until(lambda: self.lines("from 127.88.0.1 refused"), "the log tells of it")
        link.close()
        self.mesh.fence(self.a)
        told = self.lines("from 127.88.0.1 refused")
        self.assertEqual(len(told), 1, told)
        self.assertIn("refused: it does not speak TLS: let only dagsync nodes", told[0])


@unittest.skipUnless(os.geteuid() == 0 and shutil.which("setpriv"), "only root can be another user")
class LocalUser(FreshMesh):
    """Without rights: no command, no state, no key."""

    def setUp(self) -> None:
        super().setUp()
        self.a, *_ = self.begin()
        # The way there is open, so that only the modes of what lies there count.
        os.chmod(self.mesh.root, 0o755)
        os.chmod(self.a.home, 0o755)

    def as_user(self, group: str, *command: str) -> subprocess.CompletedProcess:
        identity = ["--reuid", NOBODY, "--regid", group, "--clear-groups"]
        return subprocess.run(["setpriv", *identity, *command], capture_output=True, text=True)

    def status_as(self, group: str) -> subprocess.CompletedProcess:
        # The binary may lie where only its builder gets.
        program = self.mesh.root / "dagsync"
        if not program.exists():
            shutil.copy(shutil.which(BINARY), program)
        return self.as_user(group, str(program), "status", "--config", str(self.a.config))

    def test_only_owner_and_group_of_the_control_socket_can_talk_to_the_daemon(self) -> None:
        control = os.stat(self.a.control_socket)
        self.assertEqual(stat.S_IMODE(control.st_mode), 0o660)
        stranger = self.status_as(NOBODY)
        self.assertEqual(stranger.returncode, 3, stranger.stdout)
        self.assertIn("may not ask the daemon", stranger.stderr)
        member = self.status_as(str(control.st_gid))
        self.assertEqual(member.returncode, 0, member.stderr)

    def test_others_can_read_neither_state_nor_keys(self) -> None:
        self.assertEqual(stat.S_IMODE(os.stat(self.a.state_dir).st_mode), 0o700)
        self.assertNotEqual(self.as_user(NOBODY, "ls", str(self.a.state_dir)).returncode, 0)
        for key in (self.a.home / "node.key", self.mesh.tls / "ca.key"):
            self.assertEqual(stat.S_IMODE(os.stat(key).st_mode), 0o600)
            self.assertNotEqual(self.as_user(NOBODY, "cat", str(key)).returncode, 0)


if __name__ == "__main__":
    unittest.main()
