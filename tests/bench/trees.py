"""Trees and files to replicate, and the wait until they stand everywhere."""

from __future__ import annotations

import os
import random
import sys
import time
from pathlib import Path
from typing import Callable

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "e2e"))

from node import PATIENCE  # noqa: E402

MIB = 1 << 20
FILES_PER_DIRECTORY = 40
PAUSE_SHARE = 9  # the observer rests nine times as long as a look takes
LONGEST_WAIT_S = 180.0

_WORDS = (
    "from airflow import DAG",
    "from datetime import datetime, timedelta",
    "default_args = {{'owner': 'team{0}', 'retries': {1}}}",
    "with DAG(dag_id='load_{0}_{1}', schedule='@hourly', default_args=default_args) as dag:",
    "    step_{0} = PythonOperator(task_id='step_{1}', python_callable=run_{0})",
    "def run_{0}(ds, **context):  # {1}",
    "    return hook.run('insert into t_{0} select * from s_{1} where ds = %s', ds)",
)


def source_text(random_: random.Random, size: int) -> bytes:
    """Python text of exactly `size` bytes, no two alike."""
    lines, length = [], 0
    while length < size:
        line = random_.choice(_WORDS).format(random_.randrange(10**6), random_.randrange(10**9))
        lines.append(line)
        length += len(line) + 1
    return "\n".join(lines).encode()[: size - 1] + b"\n"


def make_tree(root: Path, files: int, seed: int, most_bytes: int = 16384) -> int:
    """Small files of 0.5 to 16 KiB (`most_bytes`); returns their bytes."""
    random_ = random.Random(seed)
    total = 0
    for index in range(files):
        directory = root / f"team{index // FILES_PER_DIRECTORY:03d}"
        directory.mkdir(parents=True, exist_ok=True)
        content = source_text(random_, random_.randint(512, most_bytes))
        (directory / f"dag{index:05d}.py").write_bytes(content)
        total += len(content)
    return total


def make_random_file(path: Path, mib: int) -> None:
    with open(path, "wb") as out:
        for _ in range(mib):
            out.write(os.urandom(MIB))


def sizes(root: Path) -> dict[str, int]:
    """Size of every file below `root`, by its relative path."""
    found: dict[str, int] = {}
    pending = [""]
    while pending:
        prefix = pending.pop()
        try:
            entries = list(os.scandir(root / prefix))
        except FileNotFoundError:
            continue
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                pending.append(prefix + entry.name + "/")
            else:
                found[prefix + entry.name] = entry.stat(follow_symlinks=False).st_size
    return found


def has_names(root: Path, wanted: int) -> bool:
    """Whether so many names of files stand below `root`, in a tenth of the time of `sizes(root)`:
    what replicates shares the processors with who looks."""
    return sum(len(files) for _, _, files in os.walk(root)) >= wanted


def seconds_until(began: float, arrived: Callable[[], bool], what: str) -> float:
    """From `began` to the beginning of the look that found `arrived()` true.

    The observer shares the processors with what it observes, so it rests between its looks.
    """
    while True:
        looked = time.perf_counter()
        if arrived():
            return looked - began
        now = time.perf_counter()
        if now - began > LONGEST_WAIT_S * PATIENCE:
            raise TimeoutError(f"not within {LONGEST_WAIT_S} s: {what}")
        time.sleep(min(max((now - looked) * PAUSE_SHARE, 0.001), 0.25))
