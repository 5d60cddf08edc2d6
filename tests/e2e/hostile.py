"""A mesh of two honest nodes, and peers of theirs that keep to no rule (tests/hostile)."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from pathlib import Path

from case import SharedMesh
from node import BINARY, PATIENCE, Node, end_with_the_test

PROGRAM = os.environ.get(
    "DAGSYNC_HOSTILE", str(Path(BINARY).resolve().parent / "tests" / "hostile" / "dagsync-hostile")
)
MOST_MEMORY = 200 << 20
# A file of a is on b within this, whatever a hostile peer does meanwhile on the same two processors.
SOON_S = 5.0
ATTACK_WITHIN_S = 60


class Attack:
    """One run of dagsync-hostile; `heard` is what it heard, once it has ended."""

    def __init__(self, command: list[str]) -> None:
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=end_with_the_test,
        )

    def is_over(self) -> bool:
        return self.process.poll() is not None

    def wait(self) -> dict:
        out, err = self.process.communicate(timeout=ATTACK_WITHIN_S * PATIENCE)
        assert self.process.returncode == 0, f"status {self.process.returncode}: {err}"
        return json.loads(out)

    def end(self) -> None:
        if not self.is_over():
            self.process.kill()
        self.process.communicate()


class HostileMesh(SharedMesh):
    """a and b are honest. Each attack comes as another peer, h0, h1, ..., for a breach of the
    protocol bars a peer for a while; they dial in, and nobody waits for them."""

    peers = 40
    may: list | None = None  # what a and b let them do
    differing: dict = {}  # name -> may, of single ones
    folder_a: dict = {}  # keys of a's folder

    @classmethod
    def setUpClass(cls) -> None:
        cls.hostile = [f"h{number}" for number in range(cls.peers)]
        cls.options = {"n": 2, "more": cls.hostile}
        cls.next_peer = iter(cls.hostile)
        super().setUpClass()

    @classmethod
    def prepare(cls) -> None:
        more = [{"name": name, "may": cls.differing.get(name, cls.may)} for name in cls.hostile]
        for one in cls.mesh.nodes:
            folder = cls.folder_a if one.name == "a" else {}
            cls.mesh.configure(one, more_peers=more, folder=folder)
        for name in cls.hostile:
            home = cls.mesh.root / name
            home.mkdir()
            cls.mesh.give_certificate(home, name)

    def setUp(self) -> None:
        self.a, self.b = self.mesh.nodes
        self.mesh.revive()
        forget_peak(self.a)

    # --- attacking -------------------------------------------------------------------

    def begin(
        self, attack: str, *options: str | bytes, name: str = "", linger: float = 0
    ) -> Attack:
        """Starts an attack on a; it goes on listening for `linger` seconds, or until closed, then
        says that nothing follows, and ends when a has taken all that was sent."""
        self.peer = name or next(self.next_peer)
        if not name:
            self.told_before = len(self.a.log_text())
        begun = Attack(
            [
                *(PROGRAM, "--to", self.a.address, "--tls", str(self.mesh.root / self.peer)),
                *("--name", self.peer, "--linger", str(linger), *options, attack),
            ]
        )
        self.addCleanup(begun.end)
        return begun

    def attack(self, attack: str, *options: str | bytes, linger: float = 10) -> dict:
        return self.begin(attack, *options, linger=linger).wait()

    def flood(self, attack: str, *options: str) -> dict:
        """An attack with so much that a might be slow or grow, while it comes and for a second."""
        heard = self.assert_fast_during(self.begin(attack, *options, linger=1))
        self.assert_unharmed()
        return heard

    # --- what must hold afterwards ---------------------------------------------------

    def lines(self, pattern: str = "refused") -> list[str]:
        """What a has logged since the attack began."""
        told = self.a.log_text()[self.told_before :].splitlines()
        return [line for line in told if re.search(pattern, line)]

    def assert_refused(self, reason: str) -> None:
        """a has logged once that it refused something of this peer, and why."""
        pattern = rf"refused of peer {self.peer}: .*{reason}"
        self.mesh.wait_until(lambda: self.lines(pattern), f"the log has {pattern!r}")
        self.assertEqual(len(self.lines(rf"refused of peer {self.peer}:")), 1, self.lines())

    def assert_unharmed(self) -> None:
        self.assert_fast()
        self.assert_lean(self.a)

    def assert_fast(self) -> float:
        """Both ways; returns the slower one."""
        slowest = 0.0
        for source, target in ((self.a, self.b), (self.b, self.a)):
            began = time.monotonic()
            self.mesh.fence(source, [target])
            slowest = max(slowest, time.monotonic() - began)
        self.assertLess(slowest, SOON_S * PATIENCE)
        return slowest

    def assert_lean(self, one: Node) -> None:
        if not is_sanitized(one):
            self.assertLess(peak_memory(one), MOST_MEMORY)

    def assert_fast_during(self, attack: Attack) -> dict:
        """Looks again and again, while the attack goes on."""
        while not attack.is_over():
            self.assert_fast()
        return attack.wait()


def peak_memory(one: Node) -> int:
    """Of the daemon, in bytes: the most that was resident since the last forget_peak()."""
    text = Path(f"/proc/{one.process.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", text)[1]) << 10


def forget_peak(one: Node) -> None:
    Path(f"/proc/{one.process.pid}/clear_refs").write_text("5")


def read_bytes(one: Node) -> int:
    """That the daemon has read in its life, from files and sockets."""
    text = Path(f"/proc/{one.process.pid}/io").read_text()
    return int(re.search(r"rchar: (\d+)", text)[1])


def is_sanitized(one: Node) -> bool:
    """A sanitizer's shadow of all memory takes terabytes of addresses."""
    text = Path(f"/proc/{one.process.pid}/status").read_text()
    return int(re.search(r"VmPeak:\s+(\d+) kB", text)[1]) > 1 << 30
