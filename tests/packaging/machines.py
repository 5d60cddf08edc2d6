"""Three machines under test, each a root in name spaces of its own, with the package at hand.

machine.py stands for systemd, ssh and sshd. Whoever imports this is run as
    SOME_test.py CPACK BUILD_DIRECTORY SOURCE_DIRECTORY
and needs root.
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

import skips  # noqa: E402
from netns import Network, can_make  # noqa: E402
from node import end_with_the_test  # noqa: E402

HERE = Path(__file__).parent
NODES = ("node1", "node2", "node3")
DAGS = "/home/airflow/airflow/dags"
BOUND_S = 60.0


def section_of_readme(*path: str) -> str:
    """What stands below this heading, without the headings below it."""
    text = (SOURCE / "README.md").read_text()
    for depth, title in enumerate(path, 2):
        text = text.split(f"\n{'#' * depth} {title}\n")[1]
        text = re.split(rf"\n#{{2,{depth}}} ", text)[0]
    return re.split(r"\n##+ ", text)[0]


def commands_of(section: str) -> list[tuple[str, list[str]]]:
    """Of the blocks of commands in it, in their order: where each is to be run, in words, and the
    commands."""
    found: list[tuple[str, list[str]]] = []
    for block in re.findall(r"^```sh\n(.*?)^```", section, re.M | re.S):
        for line in block.splitlines():
            if line.startswith("# "):
                found.append((line.removeprefix("# "), []))
            else:
                found[-1][1].append(line)
    return found


def can_make_roots() -> bool:
    if os.geteuid() != 0 or not can_make():
        return False
    command = ["unshare", "--mount", "--pid", "--fork", "--uts", "true"]
    return subprocess.run(command, capture_output=True).returncode == 0


class ThreeMachines(unittest.TestCase):
    """node1, node2 and node3, with nothing but the package in /root and an empty folder of airflow's."""

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


def main() -> None:
    """Runs the tests of the program, or says why not; what does not run fails (skips.py)."""
    if not can_make_roots():
        needs = "that needs root, and name spaces of networks, mounts and processes"
        sys.exit(skips.status_of([(Path(sys.argv[0]).name, needs)]))
    skips.main(argv=sys.argv[:1] + sys.argv[4:], verbosity=2)
