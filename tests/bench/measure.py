"""Numbers: what a run yields, percentiles, and a process's counters in /proc."""

from __future__ import annotations

import contextlib
import os
import socket
import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path

import control  # mesh_bench.py made the path to it known
from node import Node

MIB = 1 << 20
LATE_S = 5.0  # an answer to a question that has a bound of its own


@dataclass
class Row:
    """One line of the result: a value a repetition, and what their median may be at most (or at
    least)."""

    name: str
    unit: str
    values: list[float] = field(default_factory=list)
    limit: float | None = None
    least: float | None = None

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def verdict(self) -> str:
        if self.limit is None and self.least is None:
            return ""
        good = self.least is None or self.median >= self.least
        good = good and (self.limit is None or self.median <= self.limit)
        return "PASS" if good else "FAIL"

    def as_json(self) -> dict:
        return {
            "name": self.name,
            "unit": self.unit,
            "median": self.median,
            "lowest": min(self.values),
            "highest": max(self.values),
            "repetitions": len(self.values),
            "limit": self.limit,
            "least": self.least,
            "verdict": self.verdict,
        }


def percentile(values: list[float], percent: float) -> float:
    """The smallest value that `percent` of all values do not exceed (nearest rank)."""
    ordered = sorted(values)
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(int(rank), 1) - 1]


def await_in_sync(nodes: list[Node], bound: float) -> None:
    """What `status --wait` asks, of several daemons at once and as soon as they answer."""
    deadline = time.monotonic() + bound
    with contextlib.ExitStack() as connections:
        asked = [connections.enter_context(_asked(one, deadline)) for one in nodes]
        for one, question in zip(nodes, asked):
            try:
                said = control.answer(question, deadline + LATE_S - time.monotonic())
            except OSError as error:
                raise RuntimeError(f"{one.name}: no answer: {error}") from error
            if not said.get("status", {}).get("in_sync"):
                raise RuntimeError(f"{one.name} is not in sync within {bound} s: {said}")


def _asked(one: Node, deadline: float) -> socket.socket:
    while True:
        try:
            return control.ask(one.control_socket, "status", wait=deadline - time.monotonic())
        except OSError as error:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{one.name} does not answer: {error}") from error
            time.sleep(0.002)


def cpu_seconds(pid: int) -> float:
    """On-CPU time of all threads that live now; the scheduler's own count, in nanoseconds."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            total += int((task / "schedstat").read_text().split()[0])
        except FileNotFoundError:
            continue
    return total / 1e9


def pss_mib(pid: int) -> float:
    """Memory of a process, shared pages counted by their share."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"no Pss of process {pid}")


def surroundings() -> dict:
    """What a reader needs in order to compare two results."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "kernel": os.uname().release,
        "load": round(os.getloadavg()[0], 2),
    }
