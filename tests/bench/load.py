"""Rows about what must not become slow: a storm of saves, a large transfer, a peer that hangs, a
folder of many files."""

from __future__ import annotations

import os
import random
import statistics
import threading
import time
from pathlib import Path
from typing import Iterator

from measure import MIB, Row, percentile, pss_mib
from trees import make_random_file, make_tree, sizes

from mesh import Mesh  # trees made the path to it known
from node import Node
from rows import Scale, calm, fill, restart, running_mesh
from saves import save_by_rename, saves

STORM_FILES = 1000  # of each node; saved one after the other, and then again
STORM_RATE = 1000  # saves a second, of each node
STORM_BYTES = 4096
NO_LATER_MS = 20  # than without the large transfer
SCAN_RATE = 300_000  # files a second, at a restart
KEPT_BYTES = 256  # of memory, for each version that is kept


class Storm(threading.Thread):
    """Saves files of one node at a steady rate; what it could not keep up with is left out."""

    def __init__(self, node: Node, seconds: float, seed: int) -> None:
        super().__init__()
        self._node, self._seconds = node, seconds
        self._bytes = random.Random(seed).randbytes(STORM_BYTES)
        self.saved = 0

    def run(self) -> None:
        folder = os.path.join(os.fsencode(self._node.folder), self._node.name.encode())
        os.makedirs(folder, exist_ok=True)
        staged = os.fsencode(self._node.home / "storm")
        began = time.perf_counter()
        while (passed := time.perf_counter() - began) < self._seconds:
            if self.saved > passed * STORM_RATE:
                time.sleep(0.002)
                continue
            name = b"dag%04d.py" % (self.saved % STORM_FILES)
            content = b"%d" % self.saved + self._bytes[:-10]
            save_by_rename(os.path.join(folder, name), staged, content)
            self.saved += 1


def storm(scale: Scale, complaints: list[str]) -> Iterator[Row]:
    rate = Row("storm: files saved on each of three nodes", "/s")
    after = Row(f"storm: in sync after {scale.storm_s:.0f} s of it", "s", limit=2)
    growth = Row("storm: PSS of a daemon, at the end more than at a third", "MiB")
    beyond = Row(f"storm: of that, beyond {KEPT_BYTES} B for a version kept", "MiB", limit=8)
    most = Row("storm: PSS of a daemon at the end", "MiB", limit=100)
    with running_mesh(complaints) as (mesh, *_):
        fill(mesh, scale.tree_files)
        for repetition in range(scale.repetitions):
            writers = [Storm(node, scale.storm_s, seed) for seed, node in enumerate(mesh.nodes)]
            for writer in writers:
                writer.start()
            time.sleep(scale.storm_s / 3)
            early, kept_early = most_memory(mesh), most_kept(mesh)
            for writer in writers:
                writer.join()
            late, kept_late = most_memory(mesh), most_kept(mesh)
            after.values.append(in_sync_after(mesh))
            rate.values.append(min(writer.saved for writer in writers) / scale.storm_s)
            growth.values.append(late - early)
            kept = (kept_late - kept_early) * KEPT_BYTES / MIB
            beyond.values.append(late - early - kept)
            most.values.append(late)
            mesh.converge(120)
            calm(mesh.nodes)
    yield from (rate, after, growth, beyond, most)


def most_memory(mesh: Mesh) -> float:
    return max(pss_mib(one.process.pid) for one in mesh.nodes)


def most_kept(mesh: Mesh) -> int:
    """Versions, of the node that keeps most."""
    return max(
        sum(len(os.listdir(kept)) for kept in (one.home / "state").rglob("versions"))
        for one in mesh.nodes
    )


def in_sync_after(mesh: Mesh) -> float:
    began = time.perf_counter()
    mesh.wait_in_sync(120)
    return time.perf_counter() - began


def beside(scale: Scale, complaints: list[str]) -> Iterator[Row]:
    """Saves while a large file travels, and while one of the peers is stopped."""
    random_ = random.Random(9)
    alone = Row("beside nothing: 4 KiB saved, p99", "ms")
    travelling = Row(f"beside {scale.huge_mib} MiB that travel: 4 KiB saved, p99", "ms")
    later = Row("beside it: later than beside nothing", "ms", limit=NO_LATER_MS)
    stopped = Row("beside a stopped peer: 4 KiB saved, to the other, median", "ms", limit=7)
    with running_mesh(complaints) as (mesh, author, others):
        fill(mesh, scale.tree_files)
        for repetition in range(scale.repetitions):
            alone.values.append(
                percentile(saves(scale, author, others, save_by_rename, random_), 99)
            )
            travelling.values.append(while_travelling(scale, mesh, random_))
            later.values.append(travelling.values[-1] - alone.values[-1])
            mesh.wait_in_sync(600)
            calm(mesh.nodes)
            others[1].pause()
            stopped.values.append(
                statistics.median(saves(scale, author, others[:1], save_by_rename, random_))
            )
            others[1].proceed()
            mesh.wait_in_sync(120)
            (author.folder / "large.bin").unlink()
            mesh.wait_in_sync(120)
    yield from (alone, travelling, later, stopped)


def while_travelling(scale: Scale, mesh: Mesh, random_: random.Random) -> float:
    """p99 in ms of the saves from when the large file begins to be sent until it is everywhere."""
    author, *others = mesh.nodes
    source = author.home / "source"
    make_random_file(source, scale.huge_mib)
    before = others[0].bytes_received()
    os.rename(source, author.folder / "large.bin")
    mesh.wait_until(
        lambda: others[0].bytes_received() > before + (1 << 20), "the file travels", 120
    )
    one_by_one = Scale(**{**vars(scale), "saves": 1})
    taken: list[float] = []
    while not all(one.has("large.bin") for one in others):
        taken += saves(one_by_one, author, others, save_by_rename, random_)
    return percentile(taken, 99)


def huge(scale: Scale, complaints: list[str]) -> Iterator[Row]:
    files = scale.huge_files
    random_ = random.Random(10)
    first = Row(f"huge: {files} files, first copy", "s")
    saved = Row(f"huge: 4 KiB saved among {files} files, median", "ms", limit=12)
    again = Row(f"huge: restart of all nodes with {files} files", "s", limit=0.3 + files / SCAN_RATE)
    after_copy = Row("huge: the first one, which reads again what had just been written", "s")
    with running_mesh(complaints) as (mesh, author, others):
        make_tree(author.folder / "tree", files, seed=11, most_bytes=1024)
        began = time.perf_counter()
        wanted = len(sizes(author.folder))
        for one in others:
            mesh.wait_until(lambda: count(one.folder) == wanted, f"{one.name} has all", 600)
        mesh.wait_in_sync(600)
        first.values.append(time.perf_counter() - began)
        calm(mesh.nodes)
        for _ in range(scale.repetitions):
            taken = saves(scale, author, others, save_by_rename, random_)
            saved.values.append(statistics.median(taken))
            if not after_copy.values:
                after_copy.values.append(restart(mesh))
                calm(mesh.nodes)
            again.values.append(restart(mesh))
            calm(mesh.nodes)
    yield from (first, saved, after_copy, again)


def count(folder: Path) -> int:
    return sum(len(files) for _, _, files in os.walk(folder))


ALL = {"storm": storm, "beside": beside, "huge": huge}
