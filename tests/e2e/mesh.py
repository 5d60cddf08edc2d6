"""A mesh of real daemons on loopback addresses, in a temporary directory, with a CA of its own."""

from __future__ import annotations

import os
import random
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Callable, Iterable

import tree
from node import BINARY, PATIENCE, SANITIZER_REPORTS, Node
from proxy import Links

BOUND_S = 20.0  # how long what must happen may take, where a test does not say otherwise
PORT = 17411
MARKER = "fence-%04d"
SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 0.002, 0.1
MEMORY, ROOM = "/dev/shm", 4 << 30  # where syncing costs nothing; with less room it is left alone
REST = 3  # a costly look is followed by a rest of so many times its length


class Mesh:
    """Nodes named a, b, c, ... (n00, n01, ... where there are many); none runs before `start()`.

    `folder`: keys for every node's [[folder]]; `node`: for every [node]. With `links` (True, or
    something that is added to and closed like it), the nodes reach each other through `self.links`,
    which can be cut. `more` names that get a certificate.
    """

    def __init__(
        self,
        n: int = 3,
        folder: dict | None = None,
        node: dict | None = None,
        links: bool | object = False,
        more: Iterable[str] = (),
    ) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="dagsync-e2e-", dir=place()))
        self.names = [chr(ord("a") + at) if n <= 26 else f"n{at:02}" for at in range(n)]
        self.folder_options, self.node_options = folder or {}, node or {}
        self.tls = self.root / "tls"
        make_certificates(self.tls, [*self.names, *more])
        self.links = Links() if links is True else links or None
        self.nodes: list[Node] = []
        self._hosts = loopback_hosts(PORT)
        self._fences = 0
        for name in self.names:
            self.nodes.append(self.new_node(name))
        if self.links:
            self._listeners = {}
            for source in self.nodes:
                for target in self.nodes:
                    if source is not target:
                        listen = (next(self._hosts), PORT)
                        self._listeners[source.name, target.name] = listen
                        self.links.add(source.name, target.name, listen, (target.host, PORT))
        for one in self.nodes:
            self.configure(one)

    def __getitem__(self, name: str) -> Node:
        return next(one for one in self.nodes if one.name == name)

    def new_node(self, name: str, tls: Path | None = None) -> Node:
        """A node with its directories and a certificate of the mesh's CA (of the one in `tls`)."""
        home = self.root / name
        home.mkdir()
        self.give_certificate(home, name, tls)
        return Node(name, home, next(self._hosts), PORT)

    def give_certificate(self, home: Path, name: str, tls: Path | None = None) -> None:
        for source, target in (
            ("ca.crt", "ca.crt"),
            (f"{name}.crt", "node.crt"),
            (f"{name}.key", "node.key"),
        ):
            shutil.copy((tls or self.tls) / source, home / target)

    def address(self, source: Node, target: Node) -> str:
        """Where `source` is told to dial `target`."""
        if self.links:
            host, port = self._listeners[source.name, target.name]
            return f"{host}:{port}"
        return target.address

    def configure(
        self,
        one: Node,
        peers: list[Node] | None = None,
        more_peers: Iterable[dict] = (),
        folder: dict | None = None,
        node: dict | None = None,
        extra: str = "",
    ) -> None:
        """Writes the dagsync.toml of `one`: the mesh's options, then what is given here."""
        known = self.nodes if peers is None else peers
        told = [
            {"name": peer.name, "address": [self.address(one, peer)]}
            for peer in known
            if peer is not one
        ]
        one.configure(
            [*told, *more_peers],
            self.node_options | (node or {}),
            self.folder_options | (folder or {}),
            extra,
        )

    # --- running ---------------------------------------------------------------------

    def start(self, *names: str) -> None:
        """Starts the named nodes (all of them), and waits until each answers: is_ready() is later."""
        chosen = [self[name] for name in names or self.names]
        for one in chosen:
            one.start()
        for one in chosen:
            self.wait_until(one.status, f"{one.name} answers")

    def revive(self) -> None:
        """Starts what ended by itself again: one crash fails one test, and stays a complaint."""
        for one in self.running():
            if one.died():
                status, one.process = one.process.returncode, None
                one.complaints.append(f"{one.name} ended by itself with status {status}")
                one.start()
                self.wait_until(lambda: one.status(), f"{one.name} answers")

    def running(self) -> list[Node]:
        return [one for one in self.nodes if one.process is not None]

    def stop(self) -> None:
        """Ends every daemon, all at once: each has the same two seconds."""
        ending = self.running()
        for one in ending:
            one.terminate()
        for one in ending:
            one.await_end()

    def close(self) -> list[str]:
        """Ends everything, removes it, and returns what was not as it must be."""
        complaints = []
        for one in self.running():
            if one.died():
                complaints.append(
                    f"{one.name} ended by itself with status {one.process.returncode}"
                )
                one.process = None
        self.stop()
        if self.links:
            self.links.close()
        for one in self.nodes:
            complaints += one.complaints
            log = one.log_text()
            complaints += [
                f"{one.name}'s log has: {report}" for report in SANITIZER_REPORTS if report in log
            ]
            foreign = tree.names_of_dagsync(os.fsencode(one.folder)) if one.folder.is_dir() else []
            complaints += [f"{one.name}'s folder has {name!r}" for name in foreign]
        shutil.rmtree(self.root)
        return complaints

    def logs(self) -> str:
        return "\n".join(one.log_tail() for one in self.nodes)

    # --- waiting ---------------------------------------------------------------------

    def wait_until(
        self, condition: Callable[[], object], what: str, bound: float = BOUND_S
    ) -> float:
        """Seconds until `condition()` was true; fails with `what` after `bound` seconds."""
        began = time.monotonic()
        pause = SHORTEST_PAUSE_S
        while True:
            looked = time.monotonic()
            if condition():
                return looked - began
            for one in self.running():
                died = one.process.poll()
                assert died is None, f"{one.name} ended by itself with status {died}"
            now = time.monotonic()
            assert now - began < bound * PATIENCE, f"not within {bound} s: {what}"
            time.sleep(max(pause, REST * (now - looked)))  # the daemons need the processors, too
            pause = min(pause * 1.5, LONGEST_PAUSE_S)

    def wait_in_sync(self, bound: float = BOUND_S, nodes: Iterable[Node] | None = None) -> None:
        """By what `status --wait` says, of each running node; one that just started may be late."""
        for one in nodes or self.running():
            self.wait_until(one.status, f"{one.name} answers", bound)
            said = one.status(wait=bound)
            if not said.get("in_sync"):
                raise AssertionError(f"{one.name} is not in sync after {bound} s: {said or 'silent'}")

    def differences(
        self,
        nodes: Iterable[Node] | None = None,
        leave_out=lambda path: False,
        contents: bool = True,
    ) -> list[str]:
        first, *others = nodes or self.running()
        return [
            f"{first.name}, {other.name}: {line}"
            for other in others
            for line in tree.differences(
                os.fsencode(first.folder), os.fsencode(other.folder), leave_out, contents
            )
        ]

    def converge(
        self,
        bound: float = BOUND_S,
        nodes: Iterable[Node] | None = None,
        leave_out=lambda path: False,
    ) -> None:
        """Waits until the trees of these nodes (the running ones) are the same, by their word too.

        While a node is away nobody is in sync; then it is what each says of the others that counts.
        """
        chosen = list(nodes or self.running())
        seen: list[str] = ["not looked yet"]

        def alike() -> bool:
            seen[:] = self.differences(chosen, leave_out, contents=False)
            return not seen

        try:
            self.wait_until(alike, "the trees are the same", bound)
        except AssertionError as failure:
            raise AssertionError("\n".join([str(failure), *seen])) from None
        if len(chosen) == len(self.nodes):
            self.wait_in_sync(bound, chosen)
        else:
            self.wait_until(lambda: self.agree(chosen), "each has what the others have", bound)
        left = self.differences(chosen, leave_out)
        assert not left, "in sync by their own word, yet:\n" + "\n".join(left)

    @staticmethod
    def agree(nodes: list[Node]) -> bool:
        """Whether each of these says that nothing is pending and the others have all it has."""
        names = {one.name for one in nodes}
        for one in nodes:
            folder = one.folder_status()
            if not folder:
                return False
            behind = {peer["name"] for peer in folder["peers"] if not peer["in_sync"]}
            if folder["pending_changes"] or behind & names:
                return False
        return True

    def wait_content(
        self,
        name: str | bytes,
        content: bytes | None,
        bound: float = BOUND_S,
        nodes: Iterable[Node] | None = None,
    ) -> None:
        """Waits until `name` has this content (None: is not there) on the running nodes."""
        for one in nodes or self.running():
            self.wait_until(
                lambda: one.holds(name, content), f"{name!r} is right on {one.name}", bound
            )

    def fence(self, source: Node, nodes: Iterable[Node] | None = None) -> None:
        """Returns when a file written on `source` now is on `nodes`, and all before it as well."""
        self._fences += 1
        name, content = MARKER % self._fences, os.urandom(16)
        chosen = list(nodes or self.running())
        source.write(name, content)
        self.wait_content(name, content, nodes=chosen)


def place() -> str | None:
    """Where meshes are made: in memory, but for tests of what file systems do (on the disk, then)."""
    if os.environ.get("DAGSYNC_E2E_ON_DISK") or not os.path.isdir(MEMORY):
        return None
    found = os.statvfs(MEMORY)
    return MEMORY if found.f_bavail * found.f_frsize >= ROOM else None


def make_certificates(directory: Path, names: Iterable[str]) -> None:
    done = subprocess.run(
        [BINARY, "certs", "init", str(directory), "--nodes", ",".join(names)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"certs init: status {done.returncode}: {done.stdout}{done.stderr}"


def loopback_hosts(port: int):
    """Addresses of 127.0.0.0/8 at which `port`, which the kernel never gives away, is free.

    Each mesh begins somewhere else in 16 million addresses, so that meshes that run side by side
    do not meet, and nothing else takes the port between this look and the daemon's.
    """
    while True:
        host = f"127.{random.randint(1, 254)}.{random.randint(0, 255)}.{random.randint(1, 254)}"
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
        yield host
