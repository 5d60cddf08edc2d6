"""What stands in a folder, and how two folders differ. Names are bytes, no link is followed."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import Callable, Iterable

BLOCK = 1 << 20
KEPT_ON_FILES = 0o777  # dagsync keeps neither setuid nor setgid of a file
KEPT_ON_DIRECTORIES = 0o3777


@dataclass(frozen=True)
class Entry:
    kind: str  # "file", "directory", "symlink" or "special"
    mode: int = 0
    size: int = 0
    mtime_ns: int = 0
    target: bytes = b""


def look(path: bytes) -> Entry | None:
    """The entry at `path`; None where there is nothing."""
    try:
        info = os.lstat(path)
        if stat.S_ISLNK(info.st_mode):
            return Entry("symlink", target=os.readlink(path))
    except (FileNotFoundError, NotADirectoryError):
        return None
    if stat.S_ISDIR(info.st_mode):
        return Entry("directory", info.st_mode & KEPT_ON_DIRECTORIES)
    if stat.S_ISREG(info.st_mode):
        return Entry("file", info.st_mode & KEPT_ON_FILES, info.st_size, info.st_mtime_ns)
    return Entry("special", stat.S_IFMT(info.st_mode))


def snapshot(root: bytes) -> dict[bytes, Entry]:
    """Every path below `root`, relative to it. What vanishes meanwhile is left out."""
    found: dict[bytes, Entry] = {}
    pending = [b""]
    while pending:
        folder = pending.pop()
        try:
            names = os.listdir(os.path.join(root, folder))
        except (FileNotFoundError, NotADirectoryError):
            continue
        for name in names:
            path = os.path.join(folder, name)
            entry = look(os.path.join(root, path))
            if entry is None:
                continue
            found[path] = entry
            if entry.kind == "directory":
                pending.append(path)
    return found


def same_bytes(left: bytes, right: bytes) -> bool:
    try:
        with open(left, "rb") as one, open(right, "rb") as two:
            while True:
                block = one.read(BLOCK)
                if block != two.read(BLOCK):
                    return False
                if not block:
                    return True
    except FileNotFoundError:
        return False


def differences(
    left: bytes,
    right: bytes,
    leave_out: Callable[[bytes], bool] = lambda path: False,
    contents: bool = True,
    most: int = 12,
) -> list[str]:
    """One line for each path that is not the same below both roots, `most` lines at the most.

    `leave_out(path)` names what is not compared, together with all below it. The mode of the roots
    and the mtimes of directories and of links are not replicated and not compared.
    """
    one, two = snapshot(left), snapshot(right)
    lines: list[str] = []
    for path in sorted(one.keys() | two.keys()):
        if len(lines) >= most:
            break
        if any(leave_out(part) for part in _prefixes(path)):
            continue
        a, b = one.get(path), two.get(path)
        if a != b:
            lines.append(f"{path!r}: {_told(a)} against {_told(b)}")
        elif contents and a is not None and a.kind == "file":
            if not same_bytes(os.path.join(left, path), os.path.join(right, path)):
                lines.append(f"{path!r}: other bytes, same size, mode and mtime")
    return lines


def _prefixes(path: bytes) -> Iterable[bytes]:
    parts = path.split(b"/")
    return (b"/".join(parts[: count + 1]) for count in range(len(parts)))


def _told(entry: Entry | None) -> str:
    if entry is None:
        return "nothing"
    if entry.kind == "file":
        return f"file {entry.mode:o}, {entry.size} bytes, mtime {entry.mtime_ns} ns"
    if entry.kind == "symlink":
        return f"symlink to {entry.target!r}"
    return f"{entry.kind} {entry.mode:o}"


def names_of_dagsync(root: bytes) -> list[bytes]:
    """Paths below `root` that only dagsync itself could have made."""
    return [
        path
        for path in snapshot(root)
        if b"dagsync" in os.path.basename(path) and os.path.basename(path) != b".dagsyncignore"
    ]
