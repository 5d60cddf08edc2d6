"""One node of a mesh under test: its directories, its dagsync.toml, its daemon, its commands."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import time
from pathlib import Path

import control

BINARY = os.environ.get("DAGSYNC_BIN", "dagsync")
# Bounds are for a release build on two busy cores; a sanitizer build gets more of them.
PATIENCE = float(os.environ.get("DAGSYNC_E2E_PATIENCE", "1"))
LOG_LEVEL = os.environ.get("DAGSYNC_E2E_LOG_LEVEL", "info")
END_WITHIN_S = 2.0
ANSWERS_WITHIN_S = 10.0
LOG_LINES_SHOWN = 80
FOREIGN_SETTINGS = ("DAGSYNC_CONFIG", "JOURNAL_STREAM", "NOTIFY_SOCKET")
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)
SANITIZER_REPORTS = (
    "ERROR: AddressSanitizer",
    "ERROR: LeakSanitizer",
    "WARNING: ThreadSanitizer",
    "runtime error:",
    "dagsync: bug:",
)


def end_with_the_test() -> None:
    """In the child: a test that is killed leaves no daemon behind."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Node:
    """`home` holds all that belongs to the node; the folder is `home/dags`, or as told."""

    def __init__(
        self, name: str, home: Path, host: str, port: int, folder: Path | None = None
    ) -> None:
        self.name, self.home, self.host, self.port = name, home, host, port
        self.folder = folder or home / "dags"
        self.state_dir = home / "state"
        self.config = home / "dagsync.toml"
        self.control_socket = home / "control.sock"
        self.log = home / "log"
        self.process: subprocess.Popen | None = None
        self.log_level = LOG_LEVEL
        self.launcher: list[str] = []  # what starts the daemon, if not we
        self.complaints: list[str] = []  # what was wrong with an end of the daemon
        self.folder.mkdir(parents=True)
        self.environment = {
            key: value for key, value in os.environ.items() if key not in FOREIGN_SETTINGS
        }
        self._told_to_end = 0.0

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"

    # --- configuration ---------------------------------------------------------------

    def configure(
        self,
        peers: list[dict],
        node: dict | None = None,
        folder: dict | None = None,
        extra: str = "",
    ) -> None:
        """Writes dagsync.toml; `node` and `folder` add keys to their tables or replace them."""
        tls = {
            key: str(self.home / f"{file}")
            for key, file in (("ca", "ca.crt"), ("cert", "node.crt"), ("key", "node.key"))
        }
        own = {
            "name": self.name,
            "listen": [self.address],
            "state_dir": str(self.state_dir),
            "control_socket": str(self.control_socket),
        }
        text = table("[node]", own | (node or {})) + table("[tls]", tls)
        text += table("[[folder]]", {"name": "dags", "path": str(self.folder)} | (folder or {}))
        text += "".join(table("[[peer]]", peer) for peer in peers)
        self.config.write_text(text + extra)

    # --- the daemon ------------------------------------------------------------------

    def start(self) -> None:
        assert self.process is None, f"{self.name} runs already"
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [
                    *self.launcher,
                    *(BINARY, "daemon", "--config", str(self.config), "--log-level", self.log_level),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.environment,
                preexec_fn=end_with_the_test,
            )

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        self._told_to_end = time.monotonic()

    def await_end(self) -> None:
        """What is not a clean end, in time after `terminate()`, is kept as a complaint."""
        process, self.process = self.process, None
        left = self._told_to_end + END_WITHIN_S * PATIENCE - time.monotonic()
        try:
            status = process.wait(max(left, 0.01))
        except subprocess.TimeoutExpired:
            self.complaints.append(f"{self.name} did not end within {END_WITHIN_S} s after SIGTERM")
            process.kill()
            process.wait()
            return
        if status != 0:
            self.complaints.append(f"{self.name} ended with status {status} after SIGTERM")

    def stop(self) -> None:
        self.terminate()
        self.await_end()

    def kill(self) -> None:
        """As a crash: nothing of the process runs any more, no goodbye."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self.process = None

    def restart(self) -> None:
        self.stop()
        self.start()

    def pause(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def proceed(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def reload(self) -> None:
        self.process.send_signal(signal.SIGHUP)

    def died(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    # --- its commands, and what it says of itself ------------------------------------

    def run(
        self, *arguments: str | bytes | Path, timeout: float = 60
    ) -> subprocess.CompletedProcess:
        """A subcommand with this node's configuration; output as text, odd bytes escaped."""
        head, *rest = arguments
        return subprocess.run(
            [BINARY, head, "--config", str(self.config), *rest],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="backslashreplace",
            timeout=timeout * PATIENCE,
            env=self.environment,
        )

    def status(self, wait: float = 0) -> dict:
        """What `status --json` prints, with `--wait` so many seconds (of a release build); an empty
        table where no daemon answers. It does before its folders are loaded and its ports listen."""
        what = {"wait": wait * PATIENCE} if wait else {}
        try:
            question = control.ask(self.control_socket, "status", **what)
            said = control.answer(question, (wait + ANSWERS_WITHIN_S) * PATIENCE)
        except OSError:
            return {}
        return said.get("status", {})

    def is_ready(self) -> bool:
        """Whether its folder was compared with the index (or halted), and its port listens."""
        return self.folder_status().get("state", "scanning") != "scanning"

    def folder_status(self) -> dict:
        return (self.status().get("folders") or [{}])[0]

    def peer_status(self, name: str) -> dict:
        return next((peer for peer in self.status().get("peers", []) if peer["name"] == name), {})

    def listed(self, command: str, *arguments: str | bytes) -> list[dict]:
        """What `conflicts --json` or `versions --json` lists."""
        done = self.run(command, "--json", *arguments)
        return json.loads(done.stdout) if done.stdout.strip() else []

    def bytes_received(self) -> int:
        """From all peers together, since the daemon's start."""
        return sum(peer["bytes_received"] for peer in self.status()["peers"])

    # --- its folder ------------------------------------------------------------------

    def path(self, name: str | bytes) -> bytes:
        return os.path.join(os.fsencode(self.folder), os.fsencode(name))

    def write(self, name: str | bytes, content: bytes | str, mtime_ns: int | None = None) -> None:
        """Saves by a temporary file (outside the folder) and a rename, so it is one event."""
        target = self.path(name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        staged = os.fsencode(self.home / "staged")
        with open(staged, "wb") as out:
            out.write(content if isinstance(content, bytes) else content.encode())
        if mtime_ns is not None:
            os.utime(staged, ns=(mtime_ns, mtime_ns))
        os.rename(staged, target)

    def read(self, name: str | bytes) -> bytes | None:
        try:
            with open(self.path(name), "rb") as content:
                return content.read()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def holds(self, name: str | bytes, content: bytes | None) -> bool:
        """Whether `name` has this content; reads it only where its size is right."""
        try:
            size = os.stat(self.path(name)).st_size
        except (FileNotFoundError, NotADirectoryError):
            return content is None
        return content is not None and size == len(content) and self.read(name) == content

    def has(self, name: str | bytes) -> bool:
        return os.path.lexists(self.path(name))

    def log_text(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def log_tail(self) -> str:
        lines = self.log_text().splitlines()[-LOG_LINES_SHOWN:]
        return "\n".join([f"--- log of {self.name}, the last {len(lines)} lines", *lines])


def table(head: str, values: dict) -> str:
    """A TOML table; JSON's strings, numbers, booleans and lists are TOML's as well."""
    lines = [f"{key} = {json.dumps(value)}" for key, value in values.items() if value is not None]
    return "\n".join([head, *lines, "", ""])
