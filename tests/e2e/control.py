"""Questions to a daemon through its control socket, as the command line asks them.

A process for each look would take 12 ms of a processor (under a sanitizer 90 ms) from the daemons:
what only looks, again and again, asks here; what a test is about goes through the command line.
"""

from __future__ import annotations

import json
import os
import socket
import time


def ask(path: str | os.PathLike, command: str, **what: object) -> socket.socket:
    """A connection on which the question was asked; OSError where no daemon listens."""
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(os.fspath(path))
        connection.sendall(json.dumps({"command": command, **what}).encode() + b"\n")
    except OSError:
        connection.close()
        raise
    return connection


def answer(connection: socket.socket, within: float) -> dict:
    """The last line of the answer; OSError where it does not come `within` so many seconds, or is
    no whole line."""
    deadline = time.monotonic() + within
    heard = b""
    with connection:
        while True:
            connection.settimeout(max(deadline - time.monotonic(), 0.001))
            got = connection.recv(1 << 16)
            if not got:
                raise ConnectionError("the daemon ended before it answered")
            *lines, heard = (heard + got).split(b"\n")
            for line in lines:
                said = json.loads(line)
                if said.get("done"):
                    return said
