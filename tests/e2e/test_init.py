"""`dagsync init`: what it writes is all that three nodes need."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import stat
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from mesh import PORT, loopback_hosts, place
from node import BINARY, PATIENCE, Node

NAMES = ("a", "b", "c")
BOUND_S = 20.0


class Init(unittest.TestCase):
    def setUp(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="dagsync-init-", dir=place()))
        self.addCleanup(shutil.rmtree, self.root)
        hosts = loopback_hosts(PORT)
        self.nodes = []
        for name in NAMES:
            (self.root / name).mkdir()
            self.nodes.append(Node(name, self.root / name, next(hosts), PORT))
        self.addresses = ",".join(f"{one.name}={one.address}" for one in self.nodes)

    def init(self, *arguments: str | Path, within: list[str] | None = None):
        return subprocess.run(
            [*(within or []), BINARY, "init", *map(str, arguments)],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60 * PATIENCE)

    def init_node(self, one: Node, *more: str | Path):
        return self.init("--config", one.config, "--nodes", self.addresses, "--node", one.name,
                         "--folder", one.folder, "--listen", one.address, *more)

    def end(self, one: Node) -> None:
        if one.process is not None:
            one.stop()
        self.assertEqual(one.complaints, [], one.log_tail())

    def check_in_sync(self, prefix=lambda one: []) -> None:
        """Starts all; a file saved on each must be on all others, by their own word too."""
        for one in self.nodes:
            self.addCleanup(self.end, one)
            one.start()
        for one in self.nodes:
            (one.folder / f"{one.name}.py").write_text(one.name)
        end = time.monotonic() + BOUND_S * PATIENCE
        while time.monotonic() < end:
            done = [subprocess.run([*prefix(one), BINARY, "status", "--wait", "5", "--config",
                                    str(self.config_of(one))], capture_output=True, text=True)
                    for one in self.nodes]
            if all(each.returncode == 0 for each in done):
                break
            time.sleep(0.05)
        else:
            self.fail("\n".join([done[0].stdout, done[0].stderr, self.nodes[0].log_tail()]))
        for one in self.nodes:
            self.assertEqual(sorted(os.listdir(one.folder)), ["a.py", "b.py", "c.py"], one.name)

    def config_of(self, one: Node) -> Path:
        return one.config

    # --- a call on each node, with one CA ------------------------------------------------

    def test_three_nodes_set_up_by_init_alone_come_in_sync(self) -> None:
        for one in self.nodes:
            done = self.init_node(one, "--ca", self.root / "ca")
            self.assertEqual(done.returncode, 0, done.stderr)
            check = one.run("daemon", "--check")
            self.assertEqual(check.returncode, 0, check.stderr)
        self.check_in_sync()

    def test_keys_are_for_their_owner(self) -> None:
        self.assertEqual(self.init_node(self.nodes[0]).returncode, 0)
        keys = list(self.nodes[0].home.rglob("*.key"))
        self.assertGreaterEqual(len(keys), 7, "of the CA, and of each node in its two places")
        for key in keys:
            self.assertEqual(stat.S_IMODE(key.stat().st_mode), 0o600, key)

    def test_nothing_is_overwritten(self) -> None:
        a = self.nodes[0]
        self.assertEqual(self.init_node(a).returncode, 0)
        for lost in ("dagsync.toml", "tls/node.key", "nodes"):
            before = {path: path.read_bytes() for path in a.home.rglob("*") if path.is_file()}
            done = self.init_node(a)
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertIn("never overwritten", done.stderr)
            after = {path: path.read_bytes() for path in a.home.rglob("*") if path.is_file()}
            self.assertEqual(before, after)
            target = a.home / lost
            shutil.rmtree(target) if target.is_dir() else target.unlink()

    def test_what_is_missing_or_wrong_is_named(self) -> None:
        a = self.nodes[0]
        for arguments, told in (
            (["--folder", a.folder], "--nodes"),
            (["--nodes", "a,b", "--node", "a"], "--folder"),
            (["--nodes", "a,b", "--folder", a.folder], "--node"),
            (["--nodes", "a,b", "--node", "d", "--folder", a.folder], "none of the nodes"),
            (["--nodes", "a", "--node", "a", "--folder", a.folder], "two nodes"),
            (["--nodes", "a,b b", "--node", "a", "--folder", a.folder], "DNS name"),
            (["--nodes", "a,b=h:99999", "--node", "a", "--folder", a.folder], "HOST:PORT"),
            (["--nodes", "a,b,b", "--node", "a", "--folder", a.folder], "named twice"),
            (["--nodes", "a,b", "--node", "a", "--folder", a.home / "none"], "make it"),
        ):
            done = self.init("--config", a.config, *arguments)
            self.assertEqual(done.returncode, 2, f"{arguments}: {done.stdout}{done.stderr}")
            self.assertIn(told, done.stderr, arguments)
            self.assertEqual(os.listdir(a.home), ["dags"], f"{arguments}: nothing was written")

    # --- one call, and what it made for the others ---------------------------------------

    def config_in_common(self) -> Path:
        return self.root / "mesh/dagsync.toml"

    def test_a_call_on_one_node_makes_all_that_the_others_need(self) -> None:
        """Each node has the same paths, as on machines of their own: in a mount name space."""
        if subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode != 0:
            self.skipTest("mounting needs root")
        common = self.root / "mesh"
        common.mkdir()
        within = {one.name: ["unshare", "--mount", "--propagation", "private", "sh", "-c",
                             f'mount --bind {one.home} {common} && exec "$@"', "sh"]
                  for one in self.nodes}
        # So that the three daemons, which share this machine's addresses, do not meet at one port.
        ports = {one.name: 17420 + index for index, one in enumerate(self.nodes)}
        host = self.nodes[0].host
        nodes = ",".join(f"{name}={host}:{port}" for name, port in ports.items())
        done = self.init("--config", common / "dagsync.toml", "--nodes", nodes, "--node", "a",
                         "--folder", common / "dags", within=within["a"])
        self.assertEqual(done.returncode, 0, done.stderr)
        for name in ("b", "c"):
            section = done.stdout.split(f"\nOn {name},")[1].split("\n\n")[0]
            commands = re.findall(r"^  (.*)", section, re.M)
            self.assertEqual(len(commands), 3, section)
            self.assertIn(f"scp -rp {common}/nodes/{name}/. root@{host}:{common}/", commands[0])
            made = self.nodes[0].home / "nodes" / name
            shutil.copytree(made, self.root / name, dirs_exist_ok=True)
        for one in self.nodes:
            one.launcher = within[one.name]
            one.config = common / "dagsync.toml"
        self.config_of = lambda one: common / "dagsync.toml"
        self.check_in_sync(lambda one: ["nsenter", f"--mount=/proc/{one.process.pid}/ns/mnt"])

    # --- on a terminal -------------------------------------------------------------------

    def test_it_asks_on_a_terminal(self) -> None:
        a = self.nodes[0]
        pid, terminal = pty.fork()
        if pid == 0:
            os.execvp(BINARY, [BINARY, "init", "--config", str(a.config)])
        shown = ""

        def answer(question: str, text: str) -> None:
            nonlocal shown
            end = time.monotonic() + BOUND_S * PATIENCE
            while question not in shown and time.monotonic() < end:
                if select.select([terminal], [], [], 0.2)[0]:
                    shown += os.read(terminal, 4096).decode()
            self.assertIn(question, shown)
            shown = ""
            os.write(terminal, text.encode() + b"\n")

        try:
            answer("Names of all nodes", "a, b,c")
            answer("Where the others reach a [a:7411]", a.address)
            answer("Where the others reach b [b:7411]", "")
            answer("Where the others reach c [c:7411]", "10.0.0.3")
            answer("Which of them is this one", "a")
            answer("The folder", str(a.folder))
            while True:
                try:
                    if not os.read(terminal, 4096):
                        break
                except OSError:  # the other end is closed
                    break
        finally:
            os.close(terminal)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0)
        text = a.config.read_text()
        for part in ('name = "a"', '"b:7411"', '"10.0.0.3:7411"', f'path = "{a.folder}"'):
            self.assertIn(part, text)
