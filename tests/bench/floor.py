"""What no replication can beat on this machine, measured in the same run."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import socket
import ssl
import statistics
import subprocess
import threading
import time
import traceback
from contextlib import contextmanager
from pathlib import Path
from typing import Callable, Iterator

from measure import Row, percentile

from node import end_with_the_test  # mesh_bench made the path to it known

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

    def echo() -> None:
        peer = listener.accept()[0]
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while block := peer.recv(65536):
            peer.sendall(block)

    child = forked(echo)
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


def copy_to_two(directory: Path, source: Path) -> float:
    """Seconds of `cp -r` of a tree or a file to two places, one after the other."""
    targets = directory / "one", directory / "two"

    def copy() -> None:
        for target in targets:
            subprocess.run(["cp", "-r", source, target], check=True)

    seconds = timed(copy)
    for target in targets:
        shutil.rmtree(target) if target.is_dir() else target.unlink()
    os.sync()  # on a disk these deletes are not for the next one to wait for
    return seconds


def tls_push(home: Path, source: Path, dial: Callable[[tuple[str, int]], tuple[str, int]]) -> float:
    """Seconds until two receivers, each a process, have written `source`, sent to both at once over
    TLS 1.3 with the certificate of the node whose home this is. `dial` says by which address a
    listening one is reached."""
    receivers = []
    for index in range(2):
        listener = socket.create_server((f"127.0.0.{101 + index}", 0))
        child = forked(lambda: receive(home, listener, home / f"pushed{index}"))
        receivers.append((child, dial(listener.getsockname())))
        listener.close()
    links = [trusting().wrap_socket(socket.create_connection(address)) for _, address in receivers]
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


@contextmanager
def mirror(home: Path) -> Iterator[list[bytes]]:
    """Copies one file to two more folders whenever it is closed after writing or moved there, over
    TLS 1.3, written beside its name and renamed: without an index, and nothing is safe. Gives the
    paths of the file, the first being the one that is mirrored."""
    folders = [home / f"mirror{index}" for index in range(3)]
    paths = [os.fsencode(folder / "file") for folder in folders]
    for folder in folders:
        folder.mkdir()
        (folder / "file").touch()
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in paths[1:]]
    children = [
        forked(lambda: keep_receiving(home, listener, path))
        for listener, path in zip(listeners, paths[1:])
    ]
    watch = watched(folders[0])
    children.append(forked(lambda: keep_sending(watch, paths[0], listeners)))
    os.close(watch)
    try:
        yield paths
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        for listener in listeners:
            listener.close()
        for folder in folders:
            shutil.rmtree(folder)


def watched(folder: Path) -> int:
    """An inotify descriptor: closed after writing, and moved to (inotify(7))."""
    libc = ctypes.CDLL(None, use_errno=True)
    watch = libc.inotify_init1(os.O_CLOEXEC)
    if libc.inotify_add_watch(watch, os.fsencode(folder), 0x8 | 0x80) < 0:
        raise OSError(ctypes.get_errno(), "inotify_add_watch")
    return watch


def keep_sending(watch: int, path: bytes, listeners: list[socket.socket]) -> None:
    links = []
    for listener in listeners:
        link = socket.create_connection(listener.getsockname())
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        links.append(trusting().wrap_socket(link))
    while os.read(watch, 65536):
        with open(path, "rb") as file:
            content = file.read()
        for link in links:
            link.sendall(len(content).to_bytes(8, "big") + content)


def keep_receiving(home: Path, listener: socket.socket, path: bytes) -> None:
    with certified(home).wrap_socket(listener.accept()[0], server_side=True) as link:
        stream = link.makefile("rb")
        while head := stream.read(8):
            content = stream.read(int.from_bytes(head, "big"))
            with open(path + b".part", "wb") as out:
                out.write(content)
            os.rename(path + b".part", path)


def forked(work: Callable[[], None]) -> int:
    """The id of a process that does this, and nothing after it."""
    child = os.fork()
    if child == 0:
        try:
            end_with_the_test()
            work()
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(0)
    return child


def trusting() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def certified(home: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(home / "node.crt", home / "node.key")
    return context


def send(link: ssl.SSLSocket, source: Path) -> None:
    link.sendall(source.stat().st_size.to_bytes(8, "big"))
    with open(source, "rb") as file:
        while block := file.read(BLOCK):
            link.sendall(block)
    if link.recv(1) != DONE:
        raise RuntimeError("a receiver of the TLS push ended early")


def receive(home: Path, listener: socket.socket, target: Path) -> None:
    listener.settimeout(SENDER_COMES_WITHIN_S)
    with certified(home).wrap_socket(listener.accept()[0], server_side=True) as link:
        left = int.from_bytes(link.recv(8), "big")
        with open(target, "wb") as out:
            while left:
                block = link.recv(min(BLOCK, left))
                out.write(block)
                left -= len(block)
        link.sendall(DONE)
