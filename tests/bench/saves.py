"""One 4 KiB file saved, again and again: in a mesh, and in a bare mirror as the floor."""

from __future__ import annotations

import os
import random
import statistics
import time
from typing import Callable, Iterator

import floor
from measure import Row, percentile
from rows import Scale, fill, running_mesh
from trees import source_text

from node import Node  # trees made the path to it known

POLL_PAUSE_S = 0.0001
LONGEST_S = 30.0
NAME = "tree/team000/dag00000.py"
# Where a bare mirror took 1.1 to 1.5 ms, a save with settle_ms = 0 may take 2.5.
MOST_TO_MIRROR = 2.5 / 1.3


def save_by_rename(path: bytes, staged: bytes, content: bytes) -> None:
    with open(staged, "wb") as out:
        out.write(content)
    os.rename(staged, path)


def save_in_place(path: bytes, staged: bytes, content: bytes) -> None:
    with open(path, "wb") as out:
        out.write(content)


def seen(path: bytes, content: bytes, old: tuple) -> bool:
    """Whether `path` has `content`; reads it only where stat shows something else than `old`."""
    try:
        info = os.stat(path)
        if (info.st_ino, info.st_mtime_ns, info.st_size) == old:
            return False
        with open(path, "rb") as file:
            return file.read() == content
    except FileNotFoundError:
        return False


def marks(path: bytes) -> tuple:
    info = os.stat(path)
    return info.st_ino, info.st_mtime_ns, info.st_size


def one_save(paths: list[bytes], staged: bytes, save: Callable, content: bytes) -> float:
    """Saves at the first of these paths: milliseconds from before that until the others show it."""
    waiting = {path: marks(path) for path in paths[1:]}
    began = time.perf_counter()
    save(paths[0], staged, content)
    while waiting:
        for path, old in list(waiting.items()):
            if seen(path, content, old):
                del waiting[path]
        if time.perf_counter() - began > LONGEST_S:
            raise TimeoutError(f"a save did not arrive: {list(waiting)}")
        if waiting:
            time.sleep(POLL_PAUSE_S)
    return (time.perf_counter() - began) * 1000


def times_of(
    count: int, paths: list[bytes], staged: bytes, save: Callable, random_: random.Random
) -> list[float]:
    """Milliseconds of each."""
    taken = []
    for _ in range(count):
        taken.append(one_save(paths, staged, save, source_text(random_, 4096)))
        time.sleep(random_.uniform(0.02, 0.06))  # people do not save in step
    return taken


def saves(
    scale: Scale, author: Node, others: list[Node], save: Callable, random_: random.Random
) -> list[float]:
    paths = [one.path(NAME) for one in (author, *others)]
    return times_of(scale.saves, paths, os.fsencode(author.home / "staged"), save, random_)


def latency(scale: Scale, complaints: list[str]) -> Iterator[Row]:
    random_ = random.Random(2)
    with running_mesh(complaints) as (mesh, author, others):
        yield from floor.writes(author.home)
        yield from floor.round_trip()
        fill(mesh, scale.tree_files)
        for style, save in (("renamed into place", save_by_rename), ("in place", save_in_place)):
            median = Row(f"latency: 4 KiB saved, {style}, median", "ms", limit=7)
            worst = Row(f"latency: 4 KiB saved, {style}, p99", "ms", limit=25)
            for _ in range(scale.repetitions):
                taken = saves(scale, author, others, save, random_)
                median.values.append(statistics.median(taken))
                worst.values.append(percentile(taken, 99))
            yield median
            yield worst
    yield from eager(scale, complaints, random_)


def eager(scale: Scale, complaints: list[str], random_: random.Random) -> Iterator[Row]:
    """Without a quiet time, in turn with the mirror, which shares the machine's moods."""
    bare = Row("floor: 4 KiB saved, a bare mirror over TLS, median", "ms")
    saved = Row("latency: 4 KiB saved, settle_ms = 0, median", "ms")
    ratio = Row("latency: its time to that of the mirror", "", limit=MOST_TO_MIRROR)
    with running_mesh(complaints, {"settle_ms": 0}) as (mesh, author, others):
        fill(mesh, scale.tree_files)
        with floor.mirror(author.home) as paths:
            staged = os.fsencode(author.home / "staged")
            for _ in range(scale.repetitions):
                taken = times_of(scale.saves, paths, staged, save_by_rename, random_)
                bare.values.append(statistics.median(taken))
                taken = saves(scale, author, others, save_by_rename, random_)
                saved.values.append(statistics.median(taken))
                ratio.values.append(saved.values[-1] / bare.values[-1])
    yield from (bare, saved, ratio)


ALL = {"latency": latency}
