"""A network of namespaces with one cable each to a router, whose directions can be cut.

What is cut is dropped without a word, as by a broken switch: no reset, no refusal. Needs root.
"""

from __future__ import annotations

import os
import subprocess
from typing import Iterable

from mesh import Mesh

NET = "198.18"  # for tests of networks (RFC 2544); seen in these namespaces only


def run(*arguments: str) -> None:
    subprocess.run(arguments, check=True, capture_output=True)


def can_make() -> bool:
    """Whether namespaces, cables and rules that drop packets can be made here."""
    name = f"dagsync-probe-{os.getpid()}"
    try:
        run("ip", "netns", "add", name)
    except (OSError, subprocess.CalledProcessError):
        return False
    try:
        run("ip", "-n", name, "rule", "add", "from", f"{NET}.0.2", "to", f"{NET}.1.2", "blackhole")
        run("ip", "-n", name, "link", "add", "probe0", "type", "veth", "peer", "name", "probe1")
        return True
    except subprocess.CalledProcessError:
        return False
    finally:
        run("ip", "netns", "del", name)


class Network:
    """A namespace for each of these names."""

    def __init__(self, names: Iterable[str]) -> None:
        self._router = f"dagsync-{os.getpid()}-router"
        self._made: list[str] = []
        self._subnet: dict[str, int] = {}
        self._add(self._router)
        run("ip", "netns", "exec", self._router, "sysctl", "-qw", "net.ipv4.ip_forward=1")
        for number, name in enumerate(names):
            self._subnet[name] = number
            self._add(self._space(name))
            self._plug_in(self._space(name), number)

    def host(self, name: str) -> str:
        return f"{NET}.{self._subnet[name]}.2"

    def launcher(self, name: str) -> list[str]:
        """What runs the command that follows in the namespace of `name`."""
        return ["ip", "netns", "exec", self._space(name)]

    def hold(self, mesh: Mesh) -> None:
        """Puts every node of a mesh that does not run yet into its namespace."""
        for one in mesh.nodes:
            one.host, one.launcher = self.host(one.name), self.launcher(one.name)
        for one in mesh.nodes:
            mesh.configure(one)

    @staticmethod
    def _space(name: str) -> str:
        return f"dagsync-{os.getpid()}-{name}"

    def _add(self, space: str) -> None:
        run("ip", "netns", "add", space)
        self._made.append(space)
        run("ip", "-n", space, "link", "set", "lo", "up")

    def _plug_in(self, space: str, number: int) -> None:
        run(
            *("ip", "-n", self._router, "link", "add", f"port{number}", "type", "veth"),
            *("peer", "name", "eth0", "netns", space),
        )
        for where, link, last in ((self._router, f"port{number}", 1), (space, "eth0", 2)):
            run("ip", "-n", where, "addr", "add", f"{NET}.{number}.{last}/24", "dev", link)
            run("ip", "-n", where, "link", "set", link, "up")
        run("ip", "-n", space, "route", "add", "default", "via", f"{NET}.{number}.1")

    def _rule(self, action: str, source: str, target: str) -> None:
        run(
            *("ip", "-n", self._router, "rule", action),
            *("from", self.host(source), "to", self.host(target)),
            "blackhole",
        )

    def cut(self, source: str, target: str) -> None:
        """Nothing that `source` sends reaches `target` any more; the other way stays open."""
        self._rule("add", source, target)

    def mend(self, source: str, target: str) -> None:
        self._rule("del", source, target)

    def close(self) -> None:
        """After the processes in it have ended."""
        for space in reversed(self._made):
            run("ip", "netns", "del", space)
