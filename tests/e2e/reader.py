"""Reads a file again and again until its standard input ends, then tells what it saw.

Prints `reading`; at the end the number of reads, of versions seen, and a line for each fault: the
file was missing, held parts of two versions, was cut off, or something strange stood beside it.
"""

from __future__ import annotations

import os
import select
import sys

MOST_FAULTS = 20
BESIDE_EVERY = 20  # the directory is listed once in so many reads


def fault_of(content: bytes) -> str | None:
    lines = content.split(b"\n")
    if lines[-1]:
        return f"cut off in the last line: {lines[-1]!r}"
    number = int(lines[0].split()[1])
    if lines[:-1] != [lines[0]] * (100 + number * 7 % 3000):
        return f"torn: {len(content)} bytes that begin with {lines[0]!r}"
    return None


def main() -> None:
    path = os.fsencode(sys.argv[1])
    directory, name = os.path.split(path)
    reads, seen, faults = 0, set(), []
    os.nice(10)  # the daemons need the processors as well
    print("reading", flush=True)
    while len(faults) < MOST_FAULTS and not select.select([0], [], [], 0)[0]:
        reads += 1
        try:
            with open(path, "rb") as file:
                content = file.read()
        except FileNotFoundError:
            faults.append(f"missing at read {reads}")
            continue
        fault = fault_of(content)
        if fault:
            faults.append(fault)
        seen.add(content[:20])
        if reads % BESIDE_EVERY == 0 and os.listdir(directory) != [name]:
            faults.append(f"beside it: {os.listdir(directory)!r}")
    print(reads, len(seen), *faults, sep="\n")


main()
