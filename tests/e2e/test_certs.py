"""Certificates in a running mesh: how long they last, new ones, and another CA."""

from __future__ import annotations

import datetime
import shutil
import subprocess
from pathlib import Path

from case import FreshMesh
from mesh import make_certificates
from node import BINARY, Node

SOON = "this node's certificate ends on"


def certs(*arguments: str | Path) -> subprocess.CompletedProcess:
    return subprocess.run([BINARY, "certs", *map(str, arguments)], capture_output=True, text=True)


def days_left(one: Node) -> float:
    ends = datetime.datetime.fromisoformat(one.status()["certificate_expires"])
    return (ends - datetime.datetime.now(datetime.timezone.utc)) / datetime.timedelta(days=1)


class Certificates(FreshMesh):
    def renew(self, name: str, days: int) -> None:
        done = certs("renew", self.mesh.tls, "--node", name, "--days", days)
        self.assertEqual(done.returncode, 0, done.stderr)

    def put(self, one: Node, file: str, source: Path) -> None:
        """In one step, as `install` and `mv` do."""
        staged = one.home / "staged.pem"
        shutil.copy(source, staged)
        staged.rename(one.home / file)

    def test_status_tells_how_long_it_lasts(self) -> None:
        a, b, c = self.begin()
        self.assertAlmostEqual(days_left(a), 825, delta=2)
        self.assertEqual(
            b.peer_status("a")["certificate_expires"], a.status()["certificate_expires"])
        self.assertIn(f"certificate until {a.status()['certificate_expires'][:10]}",
                      a.run("status").stdout)
        self.assertEqual(a.status()["warnings"], [])
        shown = certs("show", "--config", a.config)
        self.assertEqual(shown.returncode, 0, shown.stderr)
        for part in (f"{a.home}/node.crt", f"{a.home}/ca.crt", "matches"):
            self.assertIn(part, shown.stdout)

    def test_it_warns_30_days_before_and_not_before_that(self) -> None:
        a, b, _ = self.mesh.nodes
        for one, days in ((a, 29), (b, 32)):
            self.renew(one.name, days)
            self.mesh.give_certificate(one.home, one.name)
        self.begin()
        self.assertIn(SOON, a.run("status").stdout)
        self.assertIn("certs renew", a.status()["warnings"][0])
        self.assertIn(SOON, a.log_text())
        self.assertEqual(b.status()["warnings"], [])
        self.assertNotIn(SOON, b.log_text())

    def test_a_new_certificate_is_taken_over_without_a_word(self) -> None:
        a, b, _ = self.mesh.nodes
        self.renew("a", 20)
        self.mesh.give_certificate(a.home, "a")
        self.begin()
        self.assertTrue(a.status()["warnings"])
        self.renew("a", 400)
        self.put(a, "node.key", self.mesh.tls / "a.key")
        self.put(a, "node.crt", self.mesh.tls / "a.crt")
        self.mesh.wait_until(lambda: days_left(a) > 390, "a has taken it over")
        self.assertEqual(a.status()["warnings"], [])
        self.assertIn("the new files of [tls] are in force", a.log_text())
        b.restart()
        self.mesh.wait_in_sync()
        self.assertEqual(
            b.peer_status("a")["certificate_expires"], a.status()["certificate_expires"])
        self.mesh.fence(a)

    def test_a_reload_takes_it_over_at_once(self) -> None:
        a, *_ = self.begin()
        self.renew("a", 400)
        self.mesh.give_certificate(a.home, "a")
        a.reload()
        self.mesh.wait_until(lambda: days_left(a) < 402, "a has taken it over")
        self.mesh.fence(a)

    def test_what_does_not_fit_is_told_and_the_old_one_stays(self) -> None:
        a, b, _ = self.begin()

        def trouble() -> bool:
            return any("not in force" in each for each in a.status()["warnings"])

        self.renew("a", 400)
        self.put(a, "node.crt", self.mesh.tls / "a.crt")
        self.mesh.wait_until(trouble, "the key is the old one's")
        self.assertAlmostEqual(days_left(a), 825, delta=2)
        self.put(a, "node.key", self.mesh.tls / "a.key")
        self.mesh.wait_until(lambda: not trouble() and days_left(a) < 402, "now it fits")

        self.put(a, "node.key", self.mesh.tls / "b.key")
        self.put(a, "node.crt", self.mesh.tls / "b.crt")
        self.mesh.wait_until(
            lambda: any("does not bear this node's name" in w for w in a.status()["warnings"]),
            "another node's certificate is refused")
        b.restart()  # and meets a under its own name
        self.mesh.wait_in_sync()

    def test_another_ca_step_by_step(self) -> None:
        """As the README has it: trust both, change the certificates, trust the new one alone."""
        nodes = self.begin()
        new = self.mesh.root / "tls-new"
        make_certificates(new, self.mesh.names)
        both = self.mesh.root / "both.crt"
        both.write_text((self.mesh.tls / "ca.crt").read_text() + (new / "ca.crt").read_text())
        shown = certs("show", both)
        self.assertEqual(shown.stdout.count("CA   "), 2, shown.stdout)

        def taken_over(one: Node, times: int) -> None:
            self.mesh.wait_until(
                lambda: one.log_text().count("the new files of [tls] are in force") == times,
                f"{one.name} has taken it over")
            self.mesh.fence(one)

        for one in nodes:
            self.put(one, "ca.crt", both)
            taken_over(one, 1)
        for one in nodes:
            self.put(one, "node.key", new / f"{one.name}.key")
            self.put(one, "node.crt", new / f"{one.name}.crt")
            taken_over(one, 2)
            self.mesh.wait_in_sync()
            one.restart()  # whoever connects anew is let in, by nodes of both kinds
            self.mesh.wait_in_sync()
        for one in nodes:
            self.put(one, "ca.crt", new / "ca.crt")
            taken_over(one, 3)
        for one in nodes:
            one.restart()
        self.mesh.wait_in_sync()
        self.mesh.converge()
        self.an_old_certificate_is_refused(nodes, both)

        self.mesh.give_certificate(nodes[0].home, "a", self.mesh.tls)  # of the old CA
        shutil.copy(new / "ca.crt", nodes[0].home / "ca.crt")
        check = nodes[0].run("daemon", "--check")
        self.assertEqual(check.returncode, 2)
        self.assertIn("not signed by the CA", check.stderr)

    def an_old_certificate_is_refused(self, nodes: list[Node], both: Path) -> None:
        """The first of the nodes, which still trusts both CAs, shows it to those who do not."""
        late, *others = nodes
        refused = "not signed by our CA"
        for one in nodes:
            self.assertNotIn(refused, one.log_text(), "nobody was kept out on the way")
        late.stop()
        self.mesh.give_certificate(late.home, late.name, self.mesh.tls)
        shutil.copy(both, late.home / "ca.crt")
        late.start()
        for other in others:
            self.mesh.wait_until(lambda: refused in other.log_text(), f"{other.name} refuses it")
            self.assertFalse(other.peer_status(late.name)["connected"])
            self.assertFalse(late.peer_status(other.name)["connected"])
        late.stop()
