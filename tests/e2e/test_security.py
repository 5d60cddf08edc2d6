"""Who is not let in: foreign authorities, unknown names, no certificate, garbage."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import socket
import ssl
import subprocess
import time
import unittest
from pathlib import Path

from case import FreshMesh, SharedMesh
from mesh import make_certificates
from node import PATIENCE, Node

REFUSED_WITHIN_S = 1.0
OPENSSL_CA = """
[ca]
default_ca = mesh
[mesh]
database = {directory}/index
new_certs_dir = {directory}
rand_serial = yes
certificate = {tls}/ca.crt
private_key = {tls}/ca.key
default_md = sha256
policy = any
[any]
commonName = supplied
"""


def client(directory: Path, name: str | None, ca: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(ca)
    context.set_alpn_protocols(["dagsync/1"])
    if name:
        context.load_cert_chain(directory / f"{name}.crt", directory / f"{name}.key")
    return context


class Strangers(SharedMesh):
    """A client of our own knocks at a's door; each test from an address of its own, for the log
    tells of each address once a minute."""

    options = {"more": ["stranger"]}
    knockers = itertools.count(1)

    def setUp(self) -> None:
        super().setUp()
        self.address_from_now_on()

    def address_from_now_on(self) -> None:
        self.source = f"127.77.0.{next(self.knockers)}"

    def knock(self, timeout: float = 5 * PATIENCE) -> socket.socket:
        return socket.create_connection(
            (self.a.host, self.a.port), timeout=timeout, source_address=(self.source, 0)
        )

    def bytes_until_closed(self, context: ssl.SSLContext) -> tuple[bytes, float]:
        """What a says after the handshake, and when it closes."""
        began = time.monotonic()
        got = b""
        try:
            with self.knock() as raw:
                with context.wrap_socket(raw) as link:
                    while block := link.recv(65536):
                        got += block
        except TimeoutError:
            raise AssertionError("a does not close the connection") from None
        except (ssl.SSLError, ConnectionError):
            pass  # refused in the middle of the handshake
        return got, time.monotonic() - began

    def assert_refused(self, context: ssl.SSLContext, reason: str) -> None:
        for _ in range(3):
            got, took = self.bytes_until_closed(context)
            self.assertEqual(got, b"", "not one byte beyond the handshake")
            self.assertLess(took, REFUSED_WITHIN_S * PATIENCE)
        self.assert_told_once(reason)

    def assert_told_once(self, reason: str) -> None:
        """a has logged one line about this client, with the reason, however often it came."""
        self.mesh.wait_until(self.lines, f"the log says {reason!r}")
        self.mesh.fence(self.a)
        self.assertEqual(len(self.lines()), 1, self.lines())
        self.assertRegex(self.lines()[0], rf"efused.*: .*{reason}")

    def lines(self) -> list[str]:
        about = rf"\b{re.escape(self.source)}\b"
        return [line for line in self.a.log_text().splitlines() if re.search(about, line)]

    def test_a_name_that_is_not_configured_is_refused_with_a_line_that_tells_the_mend(self) -> None:
        context = client(self.mesh.tls, "stranger", self.mesh.tls / "ca.crt")
        self.assert_refused(context, r"bears stranger, .* add a \[\[peer\]\]")

    def test_a_certificate_of_another_authority_is_refused(self) -> None:
        foreign = self.mesh.root / "foreign"
        make_certificates(foreign, ["b"])  # even under a name that a knows
        context = client(foreign, "b", self.mesh.tls / "ca.crt")
        self.assert_refused(context, "not signed by our CA: issue it")

    def certificate_of_b(self, name: str, *arguments: str) -> Path:
        """A directory with another certificate of b by the mesh's CA, which openssl makes."""
        made = self.mesh.root / name
        made.mkdir()
        shutil.copy(self.mesh.tls / "b.key", made / "b.key")
        (made / "index").touch()
        (made / "names").write_text("subjectAltName = DNS:b\n")
        (made / "conf").write_text(OPENSSL_CA.format(directory=made, tls=self.mesh.tls))
        for command in (
            ["req", "-new", "-key", made / "b.key", "-subj", "/CN=b", "-out", made / "b.csr"],
            ["ca", "-batch", "-notext", "-config", made / "conf", "-extfile", made / "names"]
            + ["-in", made / "b.csr", "-out", made / "b.crt", *arguments],
        ):
            subprocess.run(["openssl", *command], check=True, capture_output=True)
        return made

    def test_a_certificate_out_of_its_time_is_refused_and_the_log_says_so(self) -> None:
        for name, since, until, told in (
            ("past", "20200101000000Z", "20210101000000Z", "expired on 2021.*: renew it"),
            ("future", "20900101000000Z", "20910101000000Z", "valid only from 2090.*: set the"),
        ):
            with self.subTest(name):
                made = self.certificate_of_b(name, "-startdate", since, "-enddate", until)
                self.address_from_now_on()
                self.assert_refused(client(made, "b", self.mesh.tls / "ca.crt"), told)
        made = self.certificate_of_b("good", "-days", "1")  # so that nothing else was wrong with them
        context = client(made, "b", self.mesh.tls / "ca.crt")
        with self.knock() as raw:
            with context.wrap_socket(raw) as link, self.assertRaises(TimeoutError):
                link.settimeout(REFUSED_WITHIN_S)
                link.recv(1)  # a waits for a hello

    def test_plain_text_is_refused_and_logged_once(self) -> None:
        for _ in range(20):
            with self.knock() as raw:
                raw.sendall(b"dagsync/1 hello, I am b\r\n" * 20)
                try:
                    self.assertNotIn(b"dagsync", raw.recv(65536))
                except ConnectionError:
                    pass
        self.assert_told_once("does not speak TLS: let only dagsync nodes")

    def test_no_certificate_is_refused(self) -> None:
        context = client(self.mesh.tls, None, self.mesh.tls / "ca.crt")
        self.assert_refused(context, "it shows no certificate: issue one")

    def test_tls_1_2_is_refused(self) -> None:
        context = client(self.mesh.tls, "b", self.mesh.tls / "ca.crt")
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        self.assert_refused(context, "does not speak TLS 1.3")

    def test_garbage_does_no_harm(self) -> None:
        for garbage in (
            b"GET / HTTP/1.1\r\n\r\n",
            b"\0" * 5000,
            os.urandom(70000),
            b"\x16\x03\x01\xff\xff" + b"x" * 100,
        ):
            with self.knock(timeout=15 * PATIENCE) as raw:
                try:
                    raw.sendall(garbage)
                    raw.shutdown(socket.SHUT_WR)
                    while raw.recv(65536):
                        pass
                except ConnectionError:
                    pass
        self.mesh.fence(self.a)
        self.mesh.wait_in_sync()

    def test_garbage_of_a_known_peer_does_no_harm(self) -> None:
        context = client(self.mesh.tls, "b", self.mesh.tls / "ca.crt")
        for garbage in (b"\xff" * 64, os.urandom(4096), b"\0" * 100):
            try:
                with self.knock(timeout=15 * PATIENCE) as raw:
                    with context.wrap_socket(raw) as link:
                        link.sendall(garbage)
                        link.settimeout(1)
                        while link.recv(65536):
                            pass
            except (ssl.SSLError, OSError):
                pass
        self.assert_told_once("b, before its hello: malformed frame")
        self.mesh.wait_in_sync()


class ForeignNodes(FreshMesh):
    """A whole daemon that does not belong to the mesh; a, b and c do not know it."""

    def join(self, one: Node) -> None:
        self.mesh.configure(one, peers=self.mesh.nodes)
        self.mesh.nodes.append(one)
        one.write("intruder.py", b"x")
        one.start()
        self.mesh.wait_until(lambda: one.status(), "the foreign node runs")

    def assert_kept_out(self, one: Node) -> None:
        a, b, c = self.mesh.nodes[:3]
        self.mesh.wait_until(
            lambda: a.log_text().count("efuse") > 0, "a tells that it refused someone"
        )
        self.mesh.fence(a, [a, b, c])
        self.assert_content("intruder.py", None, a, b, c)
        self.assertEqual(os.listdir(one.folder), ["intruder.py"])
        self.assertFalse(any(peer["connected"] for peer in one.status()["peers"]))
        self.mesh.wait_in_sync(nodes=[a, b, c])


class WrongAddress(FreshMesh):
    def test_another_node_at_a_peers_address_is_not_taken_for_it(self) -> None:
        a, b, c = self.mesh.nodes
        wrong = [{"name": "b", "address": [c.address]}, {"name": "c", "address": [b.address]}]
        self.mesh.configure(a, peers=[], more_peers=wrong)
        self.mesh.start()

        def told() -> list[str]:
            return [line for line in a.log_text().splitlines() if c.address in line]

        self.mesh.wait_until(told, "a's log names the address")
        self.assertTrue(any(" b" in line and "c" in line for line in told()), told())
        self.mesh.wait_in_sync()  # b and c know where a is, and that is enough
        for one, peer in ((a, "b"), (b, "a"), (c, "a")):
            self.assertTrue(one.peer_status(peer)["connected"])
        a.write("right.py", b"x")
        self.mesh.wait_content("right.py", b"x")


class UnknownNode(ForeignNodes):
    options = {"more": ["x"]}

    def test_a_node_of_our_authority_that_nobody_configured(self) -> None:
        self.begin()
        one = self.mesh.new_node("x")
        self.join(one)
        self.assert_kept_out(one)


class ForeignAuthority(ForeignNodes):
    def test_a_node_of_another_authority(self) -> None:
        self.begin()
        foreign = self.mesh.root / "foreign"
        make_certificates(foreign, ["c2"])
        one = self.mesh.new_node("c2", foreign)
        self.join(one)
        self.assert_kept_out(one)


if __name__ == "__main__":
    unittest.main()
