"""What no replication can beat on this machine, measured in the same run."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import statistics
import subprocess
import threading
import time
from pathlib import Path
from typing import Callable, Iterator

from measure import Row, percentile

TRIALS = 200
BLOCK = 1 << 18
DONE = b"k"
SENDER_COMES_WITHIN_S = 30


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def writes(directory: Path) -> Iterator[Row]:
    """A 4 KiB file written and renamed into place, without and with fsync of the file."""
    content = os.urandom(4096)

    def save(durable: bool) -> None:
        with open(directory / "new", "wb") as out:
            out.write(content)
            if durable:
                out.flush()
                os.fsync(out.fileno())
        os.rename(directory / "new", directory / "old")

    for durable, name in (
        (False, "write and rename 4 KiB"),
        (True, "write, fsync and rename 4 KiB"),
    ):
        taken = [timed(lambda: save(durable)) * 1000 for _ in range(TRIALS)]
        yield Row(f"floor: {name}, median", "ms", [statistics.median(taken)])
        yield Row(f"floor: {name}, p99", "ms", [percentile(taken, 99)])


def round_trip() -> Iterator[Row]:
    """4 KiB there and back over loopback TCP, the other end in a process of its own."""
    listener = socket.create_server(("127.0.0.1", 0))
    child = os.fork()
    if child == 0:
        try:
            peer = listener.accept()[0]
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while block := peer.recv(65536):
                peer.sendall(block)
        finally:
            os._exit(0)
    with socket.create_connection(listener.getsockname()) as link:
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def trip() -> None:
            link.sendall(b"x" * 4096)
            left = 4096
            while left:
                left -= len(link.recv(left))

        taken = [timed(trip) * 1000 for _ in range(TRIALS)]
    os.waitpid(child, 0)
    listener.close()
    yield Row("floor: round trip of 4 KiB on loopback, median", "ms", [statistics.median(taken)])


def copies(directory: Path, source: Path, what: str, repetitions: int) -> Iterator[Row]:
    """`cp -r` of what a row copies, to two places one after the other."""
    values = []
    for _ in range(repetitions):
        targets = directory / "one", directory / "two"

        def copy() -> None:
            for target in targets:
                subprocess.run(["cp", "-r", source, target], check=True)

        values.append(timed(copy))
        for target in targets:
            shutil.rmtree(target) if target.is_dir() else target.unlink()
    yield Row(f"floor: cp of {what} to two places", "s", values)


def tls_push(home: Path, source: Path, dial: Callable[[tuple[str, int]], tuple[str, int]]) -> float:
    """Seconds until two receivers, each a process, have written `source`, sent to both at once over
    TLS 1.3 with the certificate of the node whose home this is. `dial` says by which address a
    listening one is reached."""
    receivers = []
    for index in range(2):
        listener = socket.create_server((f"127.0.0.{101 + index}", 0))
        child = os.fork()
        if child == 0:
            try:
                receive(home, listener, home / f"pushed{index}")
            finally:
                os._exit(0)
        receivers.append((child, dial(listener.getsockname())))
        listener.close()
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    links = [client.wrap_socket(socket.create_connection(address)) for _, address in receivers]
    senders = [threading.Thread(target=send, args=(link, source)) for link in links]
    began = time.perf_counter()
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    seconds = time.perf_counter() - began
    for link in links:
        link.close()
    for child, _ in receivers:
        os.waitpid(child, 0)
    for index in range(2):
        (home / f"pushed{index}").unlink()
    return seconds


def send(link: ssl.SSLSocket, source: Path) -> None:
    link.sendall(source.stat().st_size.to_bytes(8, "big"))
    with open(source, "rb") as file:
        while block := file.read(BLOCK):
            link.sendall(block)
    if link.recv(1) != DONE:
        raise RuntimeError("a receiver of the TLS push ended early")


def receive(home: Path, listener: socket.socket, target: Path) -> None:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(home / "node.crt", home / "node.key")
    listener.settimeout(SENDER_COMES_WITHIN_S)
    with server.wrap_socket(listener.accept()[0], server_side=True) as link:
        left = int.from_bytes(link.recv(8), "big")
        with open(target, "wb") as out:
            while left:
                block = link.recv(min(BLOCK, left))
                out.write(block)
                left -= len(block)
        link.sendall(DONE)
