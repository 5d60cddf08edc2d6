"""Nodes of other versions: a recorded conversation of protocol 1.1, and one of another major."""

from __future__ import annotations

import socket
import ssl
import threading
import unittest
from pathlib import Path

from case import FreshMesh
from node import Node

# What a node called b, of protocol 1.1, once sent: hello, knowledge, two files, a delete, a link.
RECORDED = (Path(__file__).parent / "recorded" / "minor1.bin").read_bytes()
MAJOR_AND_NAME = b"\x08\x01\x10\x01\x1a\x01b"  # in its hello: major 1, minor 1, "b"
FIRST = b"print('written by a node of minor 1')\n"


class Replay:
    """Says as b what is recorded, and keeps what is answered."""

    def __init__(self, b: Node, to: Node) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.load_verify_locations(b.home / "ca.crt")
        context.load_cert_chain(b.home / "node.crt", b.home / "node.key")
        context.set_alpn_protocols(["dagsync/1"])
        self.socket = context.wrap_socket(socket.create_connection((to.host, to.port), 10))
        self.socket.settimeout(0.05)
        self.heard = b""
        self.closed = False

    def say(self, recorded: bytes) -> None:
        self.socket.sendall(recorded)

    def listen(self) -> None:
        """What is there, or comes within a moment."""
        try:
            got = self.socket.recv(1 << 16)
            self.heard += got
            self.closed = not got
        except TimeoutError:
            pass
        except (ssl.SSLError, ConnectionError):
            self.closed = True

    def close(self) -> None:
        self.socket.close()


class Versions(FreshMesh):
    options = {"n": 2}

    def setUp(self) -> None:
        super().setUp()
        self.a, self.b = self.mesh.nodes
        self.a.start()
        self.mesh.wait_until(self.a.is_ready, "a is ready")

    def replay(self, recorded: bytes) -> Replay:
        replay = Replay(self.b, self.a)
        self.addCleanup(replay.close)
        replay.say(recorded)
        return replay

    def test_what_a_node_of_protocol_1_1_said_is_understood_and_answered(self) -> None:
        self.a.write("of-a.py", b"x")
        self.mesh.wait_until(lambda: self.a.folder_status()["files"] == 1, "a has its file")
        replay = self.replay(RECORDED)

        def arrived() -> bool:
            replay.listen()
            return self.a.has("old/link.py") and b"of-a.py" in replay.heard

        self.mesh.wait_until(arrived, "what b recorded is on a, and a tells of its own")
        self.assert_content("old/first.py", FIRST, self.a)
        self.assertEqual((self.a.folder / "old" / "link.py").readlink(), Path("first.py"))
        self.assertFalse(self.a.has("second.py"))
        peer = self.a.peer_status("b")
        self.assertTrue(peer["connected"], peer)
        self.assertEqual(peer["version"], "0.1.0")
        self.assertFalse(replay.closed)
        self.assertNotIn("warning refused", self.a.log_text())

    def test_a_node_of_another_major_is_refused_without_a_byte(self) -> None:
        self.assertIn(MAJOR_AND_NAME, RECORDED)
        other = RECORDED.replace(MAJOR_AND_NAME, b"\x08\x02" + MAJOR_AND_NAME[2:])
        for _ in range(3):
            replay = self.replay(other)
            while not replay.closed:
                replay.listen()
            self.assertEqual(replay.heard, b"")
        said = "it speaks protocol 2, we speak 1: install the same major version of dagsync"
        self.mesh.wait_until(lambda: said in self.a.log_text(), "the log says so")
        self.assertEqual(self.a.log_text().count(said), 1)
        self.assertFalse(self.a.has("old"))
        self.assertFalse(self.a.peer_status("b")["connected"])

    def test_status_says_of_a_node_of_another_major_why_it_is_not_connected(self) -> None:
        """Also when it hangs up on us without a word, each time that we dial it."""
        dialed = HangsUp(self.b)
        self.addCleanup(dialed.close)
        self.mesh.wait_until(lambda: dialed.count > 0, "a dials b")
        self.mesh.wait_until(lambda: "is a a [[peer]] in its dagsync.toml, and dagsync of the same"
                             in self.a.peer_status("b")["trouble"], "a does not know better yet")
        other = RECORDED.replace(MAJOR_AND_NAME, b"\x08\x02" + MAJOR_AND_NAME[2:])
        self.replay(other)
        said = "it speaks protocol 2, we speak 1: install the same major version of dagsync"
        self.mesh.wait_until(lambda: said in self.a.peer_status("b")["trouble"], "status says so")
        before = dialed.count
        self.mesh.wait_until(lambda: dialed.count >= before + 2, "a has dialed b again")
        self.assertIn(said, self.a.peer_status("b")["trouble"])
        self.assertIn(f"b is not connected: {said}", self.a.run("status").stdout)


class HangsUp:
    """Listens as b, and closes each connection when it has heard something."""

    def __init__(self, b: Node) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_verify_locations(b.home / "ca.crt")
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_cert_chain(b.home / "node.crt", b.home / "node.key")
        context.set_alpn_protocols(["dagsync/1"])
        self.listener = context.wrap_socket(
            socket.create_server((b.host, b.port)), server_side=True)
        self.count = 0
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
                connection.settimeout(10)
                with connection:
                    connection.recv(1)
                self.count += 1
            except OSError:
                if self.listener.fileno() < 0:
                    return

    def close(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


if __name__ == "__main__":
    unittest.main()
