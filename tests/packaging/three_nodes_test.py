#!/usr/bin/env python3
"""From the .deb to three nodes in sync, with nothing but what README.md and `dagsync init` print.

    three_nodes_test.py CPACK BUILD_DIRECTORY SOURCE_DIRECTORY

The commands are read out of README.md, "Installing it on three nodes", and run in three roots, each in a
network name space of its own (machine.py stands for systemd, ssh and sshd). Needs root; without, it
says so and is done.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

CPACK, BUILD, SOURCE = sys.argv[1], *map(Path, sys.argv[2:4])
sys.path.insert(0, str(SOURCE / "tests/e2e"))
os.environ.setdefault("DAGSYNC_BIN", str(BUILD / "dagsync"))

from netns import Network, can_make  # noqa: E402
from node import end_with_the_test  # noqa: E402

HERE = Path(__file__).parent
NODES = ("node1", "node2", "node3")
DAGS = "/home/airflow/airflow/dags"
BOUND_S = 60.0
SECTION = "Installing it on three nodes"


def commands_of_readme() -> dict[str, list[str]]:
    """Where each command of the section is to be run, in words, and the commands."""
    text = (SOURCE / "README.md").read_text()
    section = text.split(f"\n## {SECTION}\n")[1].split("\n## ")[0]
    block = re.search(r"^```sh\n(.*?)^```", section, re.M | re.S).group(1)
    found: dict[str, list[str]] = {}
    for line in block.splitlines():
        if line.startswith("# "):
            where = found.setdefault(line.removeprefix("# "), [])
        else:
            where.append(line)
    return found


def can_make_roots() -> bool:
    if os.geteuid() != 0 or not can_make():
        return False
    command = ["unshare", "--mount", "--pid", "--fork", "--uts", "true"]
    return subprocess.run(command, capture_output=True).returncode == 0


class ThreeNodes(unittest.TestCase):
    def setUp(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="dagsync-deb-"))
        self.addCleanup(shutil.rmtree, self.root)
        self.wire = self.root / "wire"
        self.wire.mkdir()
        self.package = self.make_package()
        network = Network(NODES)
        self.addCleanup(network.close)
        for name in NODES:
            self.start_machine(name, network)
        for name in NODES:
            self.wait(lambda: (self.wire / f"{name}.sock").exists(), f"{name} is up")

    def make_package(self) -> Path:
        done = subprocess.run(
            [CPACK, "--config", BUILD / "CPackConfig.cmake", "-B", self.root / "cpack"],
            capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return next((self.root / "cpack").glob("*.deb"))

    def start_machine(self, name: str, network: Network) -> None:
        home = self.root / name
        home.mkdir()
        lines = ["127.0.0.1 localhost", *(f"{network.host(each)} {each}" for each in NODES)]
        (home / "hosts").write_text("\n".join(lines) + "\n")
        with open(home / "log", "wb") as log:
            process = subprocess.Popen(
                [*network.launcher(name), "unshare", "--mount", "--propagation=private", "--pid",
                 "--fork", "--kill-child=KILL", "--uts", "--ipc",
                 HERE / "machine_root", name, home, self.wire, self.package],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=end_with_the_test)

        def end() -> None:  # with its process 1 ends all that runs in it
            process.send_signal(signal.SIGKILL)
            process.wait()

        self.addCleanup(end)

    # --- what is done on a machine -------------------------------------------------------

    def run_on(self, name: str, command: str, user: str = "root", cwd: str = "/root"):
        """As its administrator would type it."""
        with tempfile.TemporaryFile() as said, socket.socket(socket.AF_UNIX) as wire:
            wire.settimeout(1.5 * BOUND_S)
            wire.connect(os.fspath(self.wire / f"{name}.sock"))
            asked = json.dumps({"user": user, "command": command, "cwd": cwd})
            with open(os.devnull, "rb") as nothing:
                socket.send_fds(wire, [asked.encode()],
                                [nothing.fileno(), said.fileno(), said.fileno()])
            try:
                status = int(wire.recv(16) or 255)
            except TimeoutError:
                status = -1
            said.seek(0)
            return status, said.read().decode(errors="replace")

    def on(self, name: str, command: str, user: str = "root") -> str:
        status, said = self.run_on(name, command, user)
        if status != 0:
            self.fail(f"on {name}: {command}: status {status}\n{said}\n{self.logs()}")
        return said

    def logs(self) -> str:
        return "\n".join(f"--- {name}\n" + (self.root / name / "log").read_text() +
                         self.run_on(name, "cat /var/log/journal-of-*")[1] for name in NODES)

    def wait(self, condition, what: str) -> None:
        end = time.monotonic() + BOUND_S
        while not condition():
            self.assertLess(time.monotonic(), end, f"not within {BOUND_S} s: {what}")
            time.sleep(0.05)

    def wait_content(self, name: str, path: str, content: str) -> None:
        self.wait(lambda: self.run_on(name, f"cat {path}") == (0, content), f"{path} is on {name}")

    # --- the tests -----------------------------------------------------------------------

    def test_the_commands_of_the_readme_lead_to_three_nodes_in_sync(self) -> None:
        done_on: dict[str, tuple[str, ...]] = {}
        printed = ""
        for where, commands in commands_of_readme().items():
            if where.startswith("once, in a clone"):
                self.assertIn(self.package.name, where, "what is made there")
                self.assertIn("cpack", "".join(commands))
                nodes = ()
            else:
                nodes = NODES if where.startswith("on every node") else NODES[:1]
            done_on[where] = nodes
            for name in nodes:
                for command in commands:
                    said = self.on(name, command)
                    if "dagsync init" in command:
                        printed = self.follow(said)
        self.assertEqual(len(done_on), 4, done_on)
        self.assertIn("systemctl enable --now dagsync\n", printed)
        self.check_mesh(DAGS, "dagsync.toml", "tls")
        for name in NODES:
            self.check_daemon(name)
            self.on(name, "systemctl reload dagsync")
        self.add_a_second_mesh()

    def add_a_second_mesh(self) -> None:
        """As the README has it: another NAME.toml, and the unit that is a template."""
        folder = "/home/airflow/staging"
        for name in NODES:
            self.on(name, f"mkdir {folder}", user="airflow")
        nodes = ",".join(f"{name}={name}:7421" for name in NODES)
        printed = self.follow(self.on(
            "node1",
            f"dagsync init --config /etc/dagsync/staging.toml --nodes {nodes} --folder {folder}"))
        self.assertIn("systemctl enable --now dagsync@staging\n", printed)
        self.check_mesh(folder, "staging.toml", "tls-staging")
        self.check_mesh(DAGS, "dagsync.toml", "tls")

    def follow(self, said: str) -> str:
        """Runs what `dagsync init` has printed as left to do, on the node where it was called."""
        steps = re.search(r"^Start this node.*?(?=^/etc/dagsync/nodes\S* has the keys)", said,
                          re.M | re.S)
        self.assertIsNotNone(steps, said)
        commands = re.findall(r"^  (.*)", steps.group(0), re.M)
        for name in NODES[1:]:
            self.assertEqual(sum(name in each for each in commands), 3, commands)
        for command in commands:
            self.on("node1", command)
        return steps.group(0)

    def check_mesh(self, folder: str, config: str, tls: str) -> None:
        """A DAG saved on each is on all, and each says that they are in sync."""
        which = f"--config /etc/dagsync/{config}"
        for name in NODES:
            self.on(name, f"printf 'dag of {name}' >{folder}/{name}.py", user="airflow")
            for other in NODES:
                self.wait_content(other, f"{folder}/{name}.py", f"dag of {name}")
        for name in NODES:
            self.assertIn("in sync", self.on(name, f"dagsync status {which} --wait 60"))
            status = json.loads(self.on(name, f"dagsync status {which} --json"))
            self.assertEqual([each["connected"] for each in status["peers"]], [True, True], status)
            self.assertEqual(status["warnings"], [])
            shown = self.on(name, f"dagsync certs show {which}")
            for part in (name, f"/etc/dagsync/{tls}/node.crt", f"{tls}/ca.crt", "matches"):
                self.assertIn(part, shown)

    def check_daemon(self, name: str) -> None:
        """It runs as whom the folder belongs to, with the unit's one right, and files are theirs."""
        pid = self.on(name, "pidof -s dagsync").strip()
        found = dict(line.split(":\t") for line in
                     self.on(name, f"grep -E '^(Uid|CapEff|CapBnd|NoNewPrivs)' /proc/{pid}/status")
                     .splitlines())
        self.assertEqual(found["Uid"].split()[0], "1000")
        self.assertEqual(int(found["CapEff"], 16), 1 << 28, "CAP_LEASE alone")
        self.assertEqual(int(found["CapBnd"], 16), 1 << 28)
        owners = self.on(name, f"stat -c '%U %a' {DAGS}/node*.py /etc/dagsync/tls/node.key")
        self.assertEqual(owners.splitlines(), ["airflow 644"] * 3 + ["airflow 600"])
        self.assertEqual(self.on(name, "stat -c '%G %a' /run/dagsync/control.sock"), "dagsync 660\n")


if __name__ == "__main__":
    if not can_make_roots():
        print("not run: that needs root, and name spaces of networks, mounts and processes")
        sys.exit(0)
    unittest.main(argv=sys.argv[:1], verbosity=2)
