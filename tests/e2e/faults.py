"""What the tests of faults share: writers who remember all they wrote, and small file systems.

A *ledger* knows every content that was ever written. One that is neither live nor a kept version on
any node in the end is lost, unless its own writer took it away on the node where he wrote it: he
exchanges names instead of renaming over them, so he knows what he replaced.
"""

from __future__ import annotations

import ctypes
import errno
import os
import random
import subprocess
import threading
from pathlib import Path

from mesh import Mesh
from node import Node

# Longer runs: so many times the usual number of rounds. The seed of a failed run is in its message.
LONG = float(os.environ.get("DAGSYNC_E2E_LONG", "1"))
SEED = int(os.environ.get("DAGSYNC_E2E_SEED", "0")) or random.randrange(1, 1 << 31)
IS_ROOT = os.geteuid() == 0
NEEDS_ROOT = "mounts, namespaces and other users' files need root"

AT_FDCWD, RENAME_NOREPLACE, RENAME_EXCHANGE = -100, 1, 2
_libc = ctypes.CDLL(None, use_errno=True)


def rounds(usual: int) -> int:
    return max(1, int(usual * LONG))


def renameat2(source: bytes, target: bytes, flags: int) -> None:
    if _libc.renameat2(AT_FDCWD, source, AT_FDCWD, target, flags) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), target)


class Ledger:
    """Every content that was written; all writers of a mesh share one."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._count = 0
        self.written: dict[bytes, tuple[str, str]] = {}  # content: node and path
        self._taken: set[bytes] = set()

    def compose(self, node: str, name: str, size: int = 0) -> bytes:
        """A content that nobody wrote before, longer than `size`."""
        with self._guard:
            self._count += 1
            content = b"%s %s %d\n" % (node.encode(), name.encode(), self._count)
            content += b"." * size
            self.written[content] = (node, name)
            return content

    def never_written(self, content: bytes) -> None:
        with self._guard:
            del self.written[content]

    def replaced(self, node: str, content: bytes) -> None:
        """A writer on `node` took this away: that loses only what was written there."""
        with self._guard:
            assert not content or content in self.written, f"nobody wrote {content[:80]!r}"
            if content and self.written[content][0] == node:
                self._taken.add(content)

    def lost(self, mesh: Mesh) -> list[str]:
        """A line for each content that is neither live nor listed as a kept version."""
        missing = set(self.written) - self._taken
        for one in mesh.nodes:
            missing -= contents_below(one.folder)
        for name in sorted({self.written[content][1] for content in missing}):
            for one in mesh.nodes:
                missing -= kept_contents(one, name)
        return [f"{self.written[content]}: {content[:60]!r}" for content in sorted(missing)]


def contents_below(directory: Path) -> set[bytes]:
    return {path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def kept_contents(one: Node, name: str) -> set[bytes]:
    """The contents of all versions of `name` that the node lists."""
    kept = one.state_dir / "folders" / "dags" / "versions"
    return {(kept / entry["id"]).read_bytes() for entry in one.listed("versions", name)}


class Writer(threading.Thread):
    """Saves on one node until `finish()`; what it raises is raised by `finish()`, too."""

    def __init__(self, node: Node, ledger: Ledger, seed: int) -> None:
        super().__init__(daemon=True)
        self.node, self.ledger, self.chance = node, ledger, random.Random(seed)
        self.ending = threading.Event()
        self.failure: BaseException | None = None
        self._staged = os.fsencode(node.home / f"staged-{id(self):x}")

    def work(self) -> None:
        """What it does, until `ending` is set."""
        raise NotImplementedError

    def run(self) -> None:
        try:
            self.work()
        except BaseException as failure:  # raised again in the test's thread
            self.failure = failure

    def finish(self) -> None:
        self.ending.set()
        self.join()
        if self.failure is not None:
            raise self.failure

    # --- what editors do ----------------------------------------------------------------

    def save(self, name: str, size: int = 0) -> bytes:
        """A new content under the name, in one step; what stood there is noted."""
        content = self.ledger.compose(self.node.name, name, size)
        with open(self._staged, "wb") as out:
            out.write(content)
        target = self.node.path(name)
        while True:
            try:
                os.makedirs(os.path.dirname(target), exist_ok=True)
                renameat2(self._staged, target, RENAME_EXCHANGE)
                break
            except FileNotFoundError:
                try:
                    renameat2(self._staged, target, RENAME_NOREPLACE)
                    return content
                except OSError as error:  # it came, or its directory went, in this moment
                    if error.errno not in (errno.EEXIST, errno.ENOENT):
                        raise
        self._note_and_remove_staged()
        return content

    def write_in_place(self, name: str, size: int = 0) -> bytes | None:
        """As an editor that opens, cuts and writes; None where there is nothing to open."""
        try:
            file = open(self.node.path(name), "r+b", buffering=0)
        except FileNotFoundError:
            return None
        with file:
            content = self.ledger.compose(self.node.name, name, size)
            self.ledger.replaced(self.node.name, file.read())
            file.truncate(0)
            file.seek(0)
            file.write(content)
        return content

    def remove(self, name: str) -> None:
        """Deletes it; what stood there is noted."""
        try:
            renameat2(self.node.path(name), self._staged, RENAME_NOREPLACE)
        except FileNotFoundError:
            return
        self._note_and_remove_staged()

    def _note_and_remove_staged(self) -> None:
        with open(self._staged, "rb") as out:
            self.ledger.replaced(self.node.name, out.read())
        os.unlink(self._staged)


class Mounted:
    """A file system of our own below `at`, an empty directory; root only."""

    def __init__(self, at: Path, size: str) -> None:
        self.at = at
        at.mkdir(exist_ok=True)
        self._mount("-t", "tmpfs", "-o", f"size={size},mode=0755", "tmpfs")

    def _mount(self, *arguments: str) -> None:
        subprocess.run(["mount", *arguments, str(self.at)], check=True)

    def remount(self, options: str) -> None:
        self._mount("-o", f"remount,{options}")

    def unmount(self) -> None:
        if os.path.ismount(self.at):
            subprocess.run(["umount", str(self.at)], check=True)

    def fill(self) -> Path:
        """Leaves no room at all; deleting the returned file frees it again."""
        ballast = self.at / "ballast"
        with open(ballast, "wb", buffering=0) as out:
            for block in (1 << 20, 4096, 1):
                try:
                    while True:
                        out.write(b"\0" * block)
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
        return ballast
