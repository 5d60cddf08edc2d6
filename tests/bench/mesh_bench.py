#!/usr/bin/env python3
"""Three daemons with default settings on one machine: how fast, how many bytes, how much memory.

Prints a table (or JSON) of medians over the repetitions and their range, next to the limits that
dagsync sets itself and to what the machine can do at best. DAGSYNC_BIN names the binary. The folders
lie in memory, or with DAGSYNC_E2E_ON_DISK=1 in TMPDIR. The nodes, the writer and the observer share
the machine's processors.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "e2e"))

import load  # noqa: E402
import network  # noqa: E402
import rows  # noqa: E402
import saves  # noqa: E402
from measure import Row, surroundings  # noqa: E402
from node import BINARY  # noqa: E402

ALL = saves.ALL | rows.ALL | load.ALL | network.ALL


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--rows", default=",".join(ALL), help="comma separated: " + ", ".join(ALL)
    )
    parser.add_argument("--repetitions", type=int, help=f"default {rows.Scale.repetitions}")
    parser.add_argument("--quick", action="store_true", help="smaller sizes, one repetition")
    parser.add_argument("--smoke", action="store_true", help="smallest sizes: only that it works")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--check", action="store_true", help="exit 1 where a limit is not kept")
    chosen = parser.parse_args()
    chosen.rows = [name for name in chosen.rows.split(",") if name]
    unknown = set(chosen.rows) - set(ALL)
    if unknown:
        parser.error(f"no such row: {', '.join(sorted(unknown))}")
    return chosen


def scale_of(chosen: argparse.Namespace) -> rows.Scale:
    scale = rows.SMOKE if chosen.smoke else rows.QUICK if chosen.quick else rows.Scale()
    if chosen.repetitions:
        scale = rows.Scale(**{**vars(scale), "repetitions": chosen.repetitions})
    return scale


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}" if value < 10 else f"{value:.1f}"


def line(row: Row) -> str:
    """Name, median, range, limit and verdict in columns."""
    spread = (
        f"{number(min(row.values))} .. {number(max(row.values))}" if len(row.values) > 1 else ""
    )
    limit = f"<= {number(row.limit)}" if row.limit is not None else ""
    if row.least is not None:
        limit = f">= {number(row.least)}"
    columns = f"{row.name:<58} {number(row.median):>8} {row.unit:<4} {spread:>20} {limit:>9}"
    return f"{columns} {row.verdict}".rstrip()


def main() -> int:
    chosen = arguments()
    version = subprocess.run([BINARY, "--version"], capture_output=True, text=True, check=True)
    about = {"version": version.stdout.strip(), **surroundings()}
    if not chosen.json:
        print(", ".join(f"{key} {value}" for key, value in about.items()))
        print(f"{'':<58} {'median':>8} {'':<4} {'range':>20} {'limit':>9}", flush=True)
    results: list[Row] = []
    complaints: list[str] = []
    for name in chosen.rows:
        for row in ALL[name](scale_of(chosen), complaints):
            results.append(row)
            if not chosen.json:
                print(line(row), flush=True)
    if chosen.json:
        about["load_after"] = surroundings()["load"]
        print(json.dumps({**about, "rows": [row.as_json() for row in results]}, indent=1))
    for complaint in complaints:
        print(f"mesh_bench: {complaint}", file=sys.stderr)
    failed = chosen.check and any(row.verdict == "FAIL" for row in results)
    return 1 if failed or complaints else 0


if __name__ == "__main__":
    sys.exit(main())
