"""The rows of the benchmark. Each yields its results, and has a mesh with default settings."""

from __future__ import annotations

import os
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Iterable, Iterator

import floor
from measure import MIB, Row, await_in_sync, cpu_seconds, percentile, pss_mib
from trees import has_names, make_random_file, make_tree, seconds_until, sizes

from mesh import Mesh  # trees made the path to it known
from node import PATIENCE, Node

CALM_S = 0.5
CALM_SHARE = 0.01
LONGEST_UNREST_S = 30.0
# Where cp of 2,000 small files to two places took 0.12 s, they may take 0.4 to be on all nodes, and
# 10,000 five times as long.
MOST_TO_CP = 0.4 / 0.12
GIVES_BACK_S = 4.0  # a daemon at rest does so with its next tick, of 3 s


@dataclass(frozen=True)
class Scale:
    """How much of each; the limits belong to the full scale."""

    repetitions: int = 3
    saves: int = 200
    tree_files: int = 1000
    burst_files: int = 2000
    many_files: int = 10000
    large_mib: int = 256
    rename_mib: int = 100
    idle_s: float = 20.0
    storm_s: float = 60.0
    huge_mib: int = 4096
    huge_files: int = 100000
    crowd_nodes: int = 30
    crowd_mib: int = 64


QUICK = Scale(1, 100, 300, 500, 2000, 64, 32, 5.0, 10.0, 512, 20000, 12, 16)
SMOKE = Scale(1, 20, 100, 200, 500, 8, 8, 1.0, 1.0, 32, 500, 5, 2)


@contextmanager
def running_mesh(
    complaints: list[str], folder: dict | None = None
) -> Iterator[tuple[Mesh, Node, list[Node]]]:
    """Three nodes in sync: the mesh, the node that is written to, and the others. `folder`: keys of
    [[folder]] that are not as by default."""
    with running(complaints, Mesh(3, folder)) as parts:
        yield parts


@contextmanager
def running(
    complaints: list[str], mesh: Mesh, before: Callable[[], None] = lambda: None
) -> Iterator[tuple[Mesh, Node, list[Node]]]:
    """The same with a mesh of the caller's, after `before()`."""
    try:
        before()
        mesh.start()
        mesh.wait_in_sync()
        yield mesh, mesh.nodes[0], mesh.nodes[1:]
    finally:
        complaints += mesh.close()


def calm(nodes: list[Node], window: float = CALM_S) -> None:
    """Waits until the daemons rest, so that nothing old is measured: for so many seconds."""
    began = time.perf_counter()
    while time.perf_counter() - began < LONGEST_UNREST_S:
        before = [cpu_seconds(one.process.pid) for one in nodes]
        time.sleep(window)
        used = [cpu_seconds(one.process.pid) - old for one, old in zip(nodes, before)]
        if max(used) < window * CALM_SHARE:
            return


def fill(mesh: Mesh, files: int, bound: float = 120.0) -> None:
    make_tree(mesh.nodes[0].folder / "tree", files, seed=1)
    wanted = sizes(mesh.nodes[0].folder)
    for one in mesh.nodes[1:]:
        mesh.wait_until(lambda: sizes(one.folder) == wanted, f"{one.name} has the tree", bound)
    mesh.wait_in_sync(bound)
    calm(mesh.nodes)


def cost(mesh: Mesh, work: Callable[[], float]) -> tuple[float, float]:
    """Seconds that `work()` returns, and the kB that all nodes together received until they were in
    sync again."""
    mesh.wait_in_sync(120)
    before = sum(one.bytes_received() for one in mesh.nodes)
    seconds = work()
    mesh.wait_in_sync(120)
    return seconds, (sum(one.bytes_received() for one in mesh.nodes) - before) / 1000


# --- many files ---------------------------------------------------------------------------


def copy_in(mesh: Mesh, source: Path, name: str) -> float:
    """`cp -r` into the first folder; seconds until every node has all of it."""
    author, *others = mesh.nodes
    wanted = sizes(source)
    began = time.perf_counter()
    subprocess.run(["cp", "-r", source, author.folder / name], check=True)
    copies = [one.folder / name for one in others]

    def arrived() -> bool:
        if not all(has_names(copy, len(wanted)) for copy in copies):
            return False
        return all(sizes(copy) == wanted for copy in copies)

    seconds = seconds_until(began, arrived, f"{len(wanted)} files")
    mesh.converge(120)  # the bytes as well, not counted in the time
    return seconds


def burst(scale: Scale, complaints: list[str]) -> Iterator[Row]:
    row = Row(f"burst: {scale.burst_files} small files by cp -r", "s")
    ratio = Row("burst: its time to that of cp", "", limit=MOST_TO_CP)
    with running_mesh(complaints) as (mesh, author, others):
        source = author.home / "source"
        make_tree(source, scale.burst_files, seed=3)
        copies = Row(f"floor: cp of {scale.burst_files} small files to two places", "s")
        for repetition in range(scale.repetitions):
            copies.values.append(floor.copy_to_two(author.home, source))
            row.values.append(copy_in(mesh, source, f"burst{repetition}"))
            ratio.values.append(row.values[-1] / copies.values[-1])
            calm(mesh.nodes)
    yield from (copies, row, ratio)


def restart(mesh: Mesh, changed: Iterable[Path] = ()) -> float:
    """Seconds from the start of all nodes until they are in sync; these files were appended to while
    they were down."""
    mesh.stop()
    for path in changed:
        with open(path, "ab") as out:
            out.write(b"# changed\n")
    began = time.perf_counter()
    for one in mesh.nodes:
        one.start()
    await_in_sync(mesh.nodes, 120 * PATIENCE)
    return time.perf_counter() - began


def idle(nodes: list[Node], seconds: float) -> tuple[float, float]:
    """Percent of one core, and MiB: of the daemon that takes most."""
    calm(nodes, GIVES_BACK_S)
    before = [cpu_seconds(one.process.pid) for one in nodes]
    began = time.perf_counter()
    time.sleep(seconds)
    passed = time.perf_counter() - began
    used = [cpu_seconds(one.process.pid) - old for one, old in zip(nodes, before)]
    return max(used) / passed * 100, max(pss_mib(one.process.pid) for one in nodes)


def many(scale: Scale, complaints: list[str]) -> Iterator[Row]:
    files = scale.many_files
    copies = Row(f"floor: cp of {files} small files to two places", "s")
    copied = Row(f"many: {files} small files by cp -r", "s")
    ratio = Row("many: its time to that of cp", "", limit=MOST_TO_CP)
    processor = Row(f"many: idle with {files} files, of one core", "%", limit=0.03)
    memory = Row(f"many: idle with {files} files, PSS of a daemon", "MiB", limit=25)
    again = Row(f"many: restart of all nodes with {files} files, 10 changed", "s", limit=0.3)
    fresh = Row("many: idle after that restart, PSS of a daemon", "MiB")
    for repetition in range(scale.repetitions):
        with running_mesh(complaints) as (mesh, author, others):
            source = author.home / "source"
            make_tree(source, files, seed=4 + repetition)
            copies.values.append(floor.copy_to_two(author.home, source))
            copied.values.append(copy_in(mesh, source, "many"))
            ratio.values.append(copied.values[-1] / copies.values[-1])
            percent, mib = idle(mesh.nodes, scale.idle_s)
            processor.values.append(percent)
            memory.values.append(mib)
            again.values.append(restart(mesh, changed=sorted(author.folder.rglob("*.py"))[:10]))
            calm(mesh.nodes)
            fresh.values.append(max(pss_mib(one.process.pid) for one in mesh.nodes))
    yield from (copies, copied, ratio, processor, memory, again, fresh)


def memory(scale: Scale, complaints: list[str]) -> Iterator[Row]:
    """What a daemon takes, and what each file adds to that: on the author, and where it came to."""
    few, many_ = scale.many_files, scale.many_files * 5
    whole = Row(f"memory: PSS of a daemon with {few} files", "MiB", limit=25)
    each = Row(f"memory: each file more, up to {many_}", "B", limit=400)
    again = Row(f"memory: after a restart with {many_} files, each file", "B", limit=400)
    for repetition in range(scale.repetitions):
        with running_mesh(complaints) as (mesh, author, others):
            empty = pss_at_rest(mesh)
            fill(mesh, few)
            first = pss_at_rest(mesh)
            make_tree(author.folder / "more", many_ - few, seed=5 + repetition)
            mesh.wait_in_sync(240)
            second = pss_at_rest(mesh)
            restart(mesh)  # which reads again what had just been written
            calm(mesh.nodes)
            restart(mesh)
            third = pss_at_rest(mesh)
            whole.values.append(max(first))
            each.values.append(most_added(first, second, many_ - few))
            again.values.append(most_added(empty, third, many_))
    yield from (whole, each, again)


def pss_at_rest(mesh: Mesh) -> list[float]:
    """MiB of each daemon, when what the work took has gone back to the system."""
    calm(mesh.nodes)
    time.sleep(GIVES_BACK_S)
    return [pss_mib(one.process.pid) for one in mesh.nodes]


def most_added(before: list[float], after: list[float], files: int) -> float:
    """Bytes a file, of the node where they are most."""
    return max(new - old for old, new in zip(before, after)) * MIB / files


# --- large files --------------------------------------------------------------------------


def bytes_at(path: bytes, offset: int) -> bytes:
    with open(path, "rb") as file:
        file.seek(offset)
        return file.read(1)


def same_size(one: Node, name: str, size: int) -> bool:
    try:
        return os.stat(one.path(name)).st_size == size
    except FileNotFoundError:
        return False


def large(scale: Scale, complaints: list[str]) -> Iterator[Row]:
    mib = scale.large_mib
    pushed = Row(f"floor: {mib} MiB by TLS to two receivers", "s")
    created = Row(f"large: a new file of {mib} MiB", "s")
    ratio = Row("large: its time to that of the TLS push", "", limit=1.5)
    flipped = Row("large: one byte of it flipped in place", "s", limit=0.8)
    flipped_cost = Row("large: one byte flipped, sent in all", "kB", limit=64)
    inserted = Row("large: 64 KiB inserted", "s", limit=1.2)
    inserted_cost = Row("large: 64 KiB inserted, sent in all", "kB", limit=220)
    copies = Row(f"floor: cp of a file of {mib} MiB to two places", "s")
    with running_mesh(complaints) as (mesh, author, others):
        source = author.home / "source"
        for repetition in range(scale.repetitions):
            name = f"large{repetition}.bin"
            make_random_file(source, mib)
            copies.values.append(floor.copy_to_two(author.home, source))
            pushed.values.append(floor.tls_push(author.home, source, lambda address: address))
            created.values.append(create(mesh, source, name))
            ratio.values.append(created.values[-1] / pushed.values[-1])
            seconds, kilobytes = cost(mesh, lambda: flip(mesh, name, mib * MIB // 2))
            flipped.values.append(seconds)
            flipped_cost.values.append(kilobytes)
            seconds, kilobytes = cost(mesh, lambda: insert(mesh, name, mib * MIB // 3))
            inserted.values.append(seconds)
            inserted_cost.values.append(kilobytes)
            mesh.converge(120)
            calm(mesh.nodes)
    yield from (copies, pushed, created, ratio, flipped, flipped_cost, inserted, inserted_cost)


def create(mesh: Mesh, source: Path, name: str) -> float:
    author, *others = mesh.nodes
    size = source.stat().st_size
    began = time.perf_counter()
    subprocess.run(["cp", source, author.folder / name], check=True)
    seconds = seconds_until(began, lambda: all(same_size(one, name, size) for one in others), name)
    mesh.converge(120)
    return seconds


def flip(mesh: Mesh, name: str, offset: int) -> float:
    author, *others = mesh.nodes
    new = bytes([bytes_at(author.path(name), offset)[0] ^ 0xFF])
    began = time.perf_counter()
    with open(author.path(name), "r+b") as out:
        out.seek(offset)
        out.write(new)
    return seconds_until(
        began, lambda: all(bytes_at(one.path(name), offset) == new for one in others), "the byte"
    )


def insert(mesh: Mesh, name: str, offset: int) -> float:
    """The new content is made beforehand and renamed into place."""
    author, *others = mesh.nodes
    content = author.read(name)
    staged = author.home / "staged"
    staged.write_bytes(content[:offset] + os.urandom(65536) + content[offset:])
    size = len(content) + 65536
    del content
    began = time.perf_counter()
    os.rename(staged, author.folder / name)
    return seconds_until(began, lambda: all(same_size(one, name, size) for one in others), name)


def rename(scale: Scale, complaints: list[str]) -> Iterator[Row]:
    mib = scale.rename_mib
    row = Row(f"rename: a file of {mib} MiB", "ms", limit=30)
    row_cost = Row(f"rename: a file of {mib} MiB, sent in all", "kB", limit=8)
    with running_mesh(complaints) as (mesh, author, others):
        make_random_file(author.home / "source", mib)
        names = "one.bin", "two.bin"
        create(mesh, author.home / "source", names[0])
        calm(mesh.nodes)
        for repetition in range(max(scale.repetitions, 2)):
            old, new = names[repetition % 2], names[(repetition + 1) % 2]

            def move() -> float:
                began = time.perf_counter()
                os.rename(author.path(old), author.path(new))
                return seconds_until(
                    began, lambda: all(one.has(new) and not one.has(old) for one in others), new
                )

            seconds, kilobytes = cost(mesh, move)
            row.values.append(seconds * 1000)
            row_cost.values.append(kilobytes)
        mesh.converge()
    yield row
    yield row_cost


ALL = {
    "burst": burst,
    "many": many,
    "memory": memory,
    "large": large,
    "rename": rename,
}
