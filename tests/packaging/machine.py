"""Process 1 of a machine under test: starts what the installed units say, and runs what ssh is told.

    machine.py NAME WIRE      in a root, process and network name space of its own

Whoever connects to WIRE/NAME.sock hands over a command and its own standard streams, and gets the exit
status: the test does so, and so do `ssh` and `systemctl` of the root (stubs/). Of a unit it does what dagsync.service asks for and can be done without
control groups: user, groups and capabilities (setpriv), directories, conditions, readiness, reload.
"""

from __future__ import annotations

import configparser
import contextlib
import grp
import json
import os
import pwd
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

UNITS = [Path("/etc/systemd/system"), Path("/lib/systemd/system")]
WITHIN_S = 60  # for a start or a stop
NOW = {"enable": "start", "disable": "stop"}  # what systemctl does with --now
PATHS = {"RuntimeDirectory": "/run", "StateDirectory": "/var/lib", "LogsDirectory": "/var/log"}


class Unit:
    """What the unit file and its drop-ins say; a later line counts, or is added in lists."""

    def __init__(self, name: str) -> None:
        stem, _, instance = name.removesuffix(".service").partition("@")
        template = f"{stem}@.service" if instance else f"{stem}.service"
        self.name = name.removesuffix(".service")
        self.instance = instance
        self.values: dict[str, str] = {}
        found = [each / template for each in UNITS if (each / template).exists()]
        if not found:
            raise FileNotFoundError(f"Unit {name}.service not found.")
        drop_ins = (UNITS[0] / f"{self.name}.service.d").glob("*.conf")
        for path in [found[0], *sorted(drop_ins)]:
            parser = configparser.RawConfigParser(strict=False, interpolation=None)
            parser.optionxform = str
            parser.read(path)
            for section in parser.sections():
                for key, value in parser.items(section):
                    self.values[key] = value.replace("%i", instance)
        self.process: subprocess.Popen | None = None
        self.ready = threading.Event()
        self.notified: list[str] = []

    def __getitem__(self, key: str) -> str:
        return self.values.get(key, "")

    def start(self) -> str:
        """Returns when it is ready; what went wrong, or nothing."""
        if self.process is not None and self.process.poll() is None:
            return ""
        condition = self["ConditionPathExists"]
        if condition and not os.path.exists(condition):
            return ""  # as systemd has it: skipped, and no failure
        user = pwd.getpwnam(self["User"] or "root")
        for kind, parent in PATHS.items():
            if self[kind]:
                path = Path(parent) / self[kind]
                path.mkdir(parents=True, exist_ok=True)
                path.chmod(int(self[f"{kind}Mode"] or "755", 8))
                for each in [path, *path.rglob("*")]:  # where the user of the unit has changed
                    os.chown(each, user.pw_uid, group_of(self["Group"] or user.pw_name),
                             follow_symlinks=False)
        self.ready.clear()
        notify = f"/run/{self.name}.notify"
        self._listen(notify)
        log = open(f"/var/log/journal-of-{self.name}", "ab")
        self.process = subprocess.Popen(
            [*self._privileges(), *self["ExecStart"].split()],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, umask=int(self["UMask"] or "22", 8),
            env={"PATH": "/usr/bin:/bin", "NOTIFY_SOCKET": notify, "USER": user.pw_name})
        end = time.monotonic() + WITHIN_S
        while not self.ready.wait(0.02):
            if self.process.poll() is not None:
                return f"Job for {self.name}.service failed, status {self.process.returncode}."
            if time.monotonic() > end:
                return f"{self.name}.service was not ready within {WITHIN_S} s."
        return ""

    def _privileges(self) -> list[str]:
        capabilities = [f"+{each.removeprefix('CAP_').lower()}"
                        for each in self["AmbientCapabilities"].split()]
        listed = ",".join(["-all", *capabilities])
        return ["setpriv", f"--reuid={self['User'] or 'root'}", f"--regid={self['Group'] or 'root'}",
                "--init-groups", f"--bounding-set={listed}", f"--inh-caps={listed}",
                f"--ambient-caps={listed}", "--no-new-privs"]

    def _listen(self, path: str) -> None:
        Path(path).unlink(missing_ok=True)
        manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        manager.bind(path)
        os.chmod(path, 0o777)

        def hear() -> None:
            while True:
                lines = manager.recv(4096).decode().splitlines()
                self.notified += lines
                if "READY=1" in lines:
                    self.ready.set()

        threading.Thread(target=hear, daemon=True).start()

    def stop(self) -> str:
        if self.process is None or self.process.poll() is not None:
            return ""
        self.process.terminate()
        try:
            self.process.wait(float(self["TimeoutStopSec"] or WITHIN_S))
        except subprocess.TimeoutExpired:
            self.process.kill()
            return f"{self.name}.service did not stop in time."
        return ""

    def reload(self) -> str:
        command = self["ExecReload"].replace("$MAINPID", str(self.process.pid))
        self.ready.clear()
        subprocess.run(command.split(), check=True)
        return "" if self.ready.wait(WITHIN_S) else f"{self.name}.service did not reload."


class Socket:
    """A unit that listens, and starts NAME@.service for each who connects, with that as its streams."""

    def __init__(self, name: str) -> None:
        parser = configparser.RawConfigParser()
        parser.read(UNITS[1] / f"{name}.socket")
        self.port = int(parser["Socket"]["ListenStream"])
        self.command = Unit(f"{name}@connection")["ExecStart"].split()
        self.listener: socket.socket | None = None

    def start(self) -> str:
        if self.listener is None:
            self.listener = socket.create_server(("", self.port))
            threading.Thread(target=self._serve, args=(self.listener,), daemon=True).start()
        return ""

    def _serve(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):  # stopped
            while True:
                connection, _ = listener.accept()
                with connection:
                    subprocess.Popen(self.command, stdin=connection, stdout=connection,
                                     stderr=subprocess.DEVNULL)

    def stop(self) -> str:
        if self.listener is not None:
            self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()
            self.listener = None
        return ""


def group_of(name: str) -> int:
    return grp.getgrnam(name).gr_gid


class Machine:
    def __init__(self) -> None:
        self.units: dict[str, Unit] = {}
        self.sockets: dict[str, Socket] = {}
        self.lock = threading.Lock()

    def systemctl(self, arguments: list[str]) -> tuple[int, str]:
        verb, *rest = [each for each in arguments if each != "--system"]
        names = [each.removesuffix(".service") for each in rest if not each.startswith("-")]
        with self.lock:
            if verb == "daemon-reload":
                return 0, ""
            if verb == "is-active":
                active = any(each.process is not None and each.process.poll() is None
                             for name, each in self.units.items() if name in names)
                return (0, "active") if active else (3, "inactive")
            if verb in NOW:
                if "--now" not in rest:
                    return 0, ""
                verb = NOW[verb]
            told = [self._do(verb, name) for name in names]
        said = "\n".join(filter(None, told))
        return (1 if said else 0), said

    def _do(self, verb: str, name: str) -> str:
        try:
            if name.endswith(".socket"):
                stem = name.removesuffix(".socket")
                if stem not in self.sockets:
                    self.sockets[stem] = Socket(stem)
                return getattr(self.sockets[stem], verb)()
            unit = self.units.get(name)
            if unit is None or unit.process is None or unit.process.poll() is not None:
                unit = self.units[name] = Unit(name)  # as its files are now
            if verb == "restart":
                return unit.stop() or self._do("start", name)
            if verb in ("start", "stop", "reload"):
                return getattr(unit, verb)()
            return f"Unknown command verb {verb}."
        except (FileNotFoundError, KeyError) as error:
            return str(error)

    def serve(self, connection: socket.socket) -> None:
        with connection:
            message, streams, _, _ = socket.recv_fds(connection, 1 << 20, 3)
            asked = json.loads(message)
            if "systemctl" in asked:
                status, said = self.systemctl(asked["systemctl"])
                if said:
                    os.write(streams[1 if status == 0 else 2], said.encode() + b"\n")
            else:
                done = subprocess.run(
                    ["setpriv", f"--reuid={asked['user']}", f"--regid={asked['user']}",
                     "--init-groups", "sh", "-c", asked["command"]],
                    stdin=streams[0], stdout=streams[1], stderr=streams[2], cwd=asked.get("cwd", "/"),
                    env={"PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root",
                         "DEBIAN_FRONTEND": "noninteractive"})
                status = done.returncode
            for each in streams:
                os.close(each)
            connection.sendall(str(status).encode())


def main() -> None:
    name, wire = sys.argv[1:]
    socket.sethostname(name)
    machine = Machine()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(f"{wire}/{name}.sock")
    os.chmod(listener.getsockname(), 0o666)  # users of the machine log in elsewhere, too
    listener.listen(16)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=machine.serve, args=(connection,), daemon=True).start()


if __name__ == "__main__":
    main()
