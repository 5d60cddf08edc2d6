"""Rows about the network between the nodes: far away from each other, and many of them."""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator

import floor
from measure import MIB, Row
from trees import make_random_file, make_tree, seconds_until, sizes

from mesh import Mesh  # trees made the path to it known
from node import end_with_the_test
from rows import Scale, calm, copy_in, fill, running, same_size
from saves import save_by_rename, saves

Address = tuple[str, int]
DELAY = os.environ.get("DAGSYNC_DELAY", "dagsync-delay")
DELAY_MS = 50  # one way
ADDED_MS = 10  # that we may add to the one way
FAR_FILES_S = 5.0  # 50 round trips
PUSH_SHARE = 0.8  # of the rate of a plain TLS stream
FLOOR_PORT = 17499


class FarLinks:
    """Stands in for the links of a mesh: each byte arrives DELAY_MS after it was sent. A program of
    its own carries them, which ends with us."""

    def __init__(self) -> None:
        self._routes: list[str] = []
        self._processes: list[subprocess.Popen] = []

    def add(self, source: str, target: str, listen: Address, forward: Address) -> None:
        self._routes.append("%s:%d=%s:%d" % (*listen, *forward))

    def open(self) -> None:
        """Carries what was added since."""
        routes, self._routes = self._routes, []
        process = subprocess.Popen(
            [DELAY, str(DELAY_MS), *routes],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            preexec_fn=end_with_the_test,
        )
        self._processes.append(process)
        if process.stdout.readline() != b"ready\n":
            raise RuntimeError(f"{DELAY} does not run")

    def close(self) -> None:
        for process in self._processes:
            process.stdin.close()
            process.stdout.close()
            process.wait(10)


def far(scale: Scale, complaints: list[str]) -> Iterator[Row]:
    links = FarLinks()
    random_ = random.Random(6)
    saved = Row(
        f"far, {DELAY_MS} ms one way: 4 KiB saved, median", "ms", limit=DELAY_MS + ADDED_MS
    )
    near = Row(f"floor: {scale.large_mib} MiB by TLS to two, {DELAY_MS} ms one way", "s")
    large = Row(f"far: a new file of {scale.large_mib} MiB", "s")
    ratio = Row("far: its rate to that of the TLS stream", "", least=PUSH_SHARE)
    small = Row(f"far: {scale.many_files} small files by cp -r", "s", limit=FAR_FILES_S)
    with running(complaints, Mesh(3, links=links), before=links.open) as (mesh, author, others):
        fill(mesh, scale.tree_files)
        source, tree = author.home / "source", author.home / "small"
        make_tree(tree, scale.many_files, seed=7)
        for repetition in range(scale.repetitions):
            saved.values.append(
                statistics.median(saves(scale, author, others, save_by_rename, random_))
            )
            make_random_file(source, scale.large_mib)
            near.values.append(far_push(author.home, source))
            calm(mesh.nodes)
            name = f"large{repetition}.bin"
            size = scale.large_mib * MIB
            began = time.perf_counter()
            os.rename(source, author.folder / name)
            large.values.append(
                seconds_until(began, lambda: all(same_size(one, name, size) for one in others), name)
            )
            ratio.values.append(near.values[-1] / large.values[-1])
            mesh.converge(120)
            calm(mesh.nodes)
            small.values.append(copy_in(mesh, tree, f"small{repetition}"))
            calm(mesh.nodes)
    yield from (saved, near, large, ratio, small)


def far_push(home: Path, source: Path) -> float:
    """Seconds for the floor's TLS push over links like those of the mesh."""
    links = FarLinks()

    def dial(address: Address) -> Address:
        listen = (address[0], FLOOR_PORT)
        links.add("", "", listen, address)
        links.open()
        return listen

    try:
        return floor.tls_push(home, source, dial)
    finally:
        links.close()


@dataclass(frozen=True)
class Crowd:
    nodes: int
    large_mib: int
    saves: int


def crowd(scale: Scale, complaints: list[str]) -> Iterator[Row]:
    """A mesh of many nodes, all on this machine."""
    size = Crowd(scale.crowd_nodes, scale.crowd_mib, max(scale.saves // 4, 5))
    random_ = random.Random(8)
    saved = Row(f"{size.nodes} nodes: 4 KiB saved, everywhere, median", "ms", limit=60)
    large = Row(f"{size.nodes} nodes: a file of {size.large_mib} MiB everywhere", "s")
    copies = Row(f"{size.nodes} nodes: copies of it that its author sends", "", limit=4)
    with running(complaints, Mesh(size.nodes)) as (mesh, author, others):
        fill(mesh, 50)
        few = Scale(**{**vars(scale), "saves": size.saves})
        saved.values.append(statistics.median(saves(few, author, others, save_by_rename, random_)))
        for repetition in range(scale.repetitions):
            calm(mesh.nodes)
            source = author.home / "source"
            make_random_file(source, size.large_mib)
            name, length = f"large{repetition}.bin", size.large_mib * MIB
            before = sent_by(author)
            began = time.perf_counter()
            os.rename(source, author.folder / name)
            large.values.append(
                seconds_until(
                    began, lambda: all(same_size(one, name, length) for one in others), name
                )
            )
            mesh.wait_in_sync(120)
            copies.values.append((sent_by(author) - before) / length)
    yield from (saved, large, copies)


def sent_by(node) -> int:
    return sum(peer["bytes_sent"] for peer in node.status()["peers"])


ALL = {"far": far, "crowd": crowd}
