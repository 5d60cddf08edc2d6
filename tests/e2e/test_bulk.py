"""Thousands of files at once, and readers who never see a file torn or missing."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
import unittest
from pathlib import Path

from case import FreshMesh
from node import PATIENCE, Node

STAY, COME = 6000, 5000
REPLACEMENTS = 2000
READER = Path(__file__).with_name("reader.py")


class Bulk(FreshMesh):
    def make_tree(self, root: Path, files: int) -> None:
        for index in range(files):
            directory = root / f"team{index % 50:02d}"
            directory.mkdir(parents=True, exist_ok=True)
            (directory / f"{index}.py").write_bytes(b"%d\n" % index * (50 + index % 200))

    def test_5000_files_come_beside_6000_that_stay_and_go_again(self) -> None:
        a, b, c = self.begin()
        self.make_tree(a.folder / "stay", STAY)
        self.mesh.wait_until(
            lambda: not self.mesh.differences(contents=False), "the files that stay", bound=60
        )
        self.mesh.converge()
        self.make_tree(a.home / "source", COME)
        subprocess.run(["cp", "-r", a.home / "source", a.folder / "come"], check=True)
        self.mesh.converge(bound=60)
        shutil.rmtree(a.folder / "come")
        self.mesh.converge(bound=60)
        for one in (a, b, c):
            self.assertFalse(one.has("come"))
            self.assertEqual(one.folder_status()["files"], STAY)
            self.assertEqual(one.folder_status()["state"], "idle")
        self.assertEqual(self.conflicts(), [])

    def test_every_node_copies_a_tree_at_the_same_time(self) -> None:
        nodes = self.begin()
        self.make_tree(self.mesh.root / "source", 600)
        copies = [
            subprocess.Popen(
                ["cp", "-r", self.mesh.root / "source", one.folder / f"from-{one.name}"]
            )
            for one in nodes
        ]
        for copy in copies:
            self.assertEqual(copy.wait(60), 0)
        self.mesh.converge(bound=60)
        self.assertEqual(nodes[0].folder_status()["files"], 1800)
        self.assertEqual(self.conflicts(), [])


class Readers(FreshMesh):
    def start_reader(self, one: Node) -> subprocess.Popen:
        reader = subprocess.Popen(
            [sys.executable, "-B", READER, one.path("dags/read.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(self.end, reader)
        self.assertEqual(reader.stdout.readline(), "reading\n")
        return reader

    @staticmethod
    def end(reader: subprocess.Popen) -> None:
        if reader.poll() is None:
            reader.kill()
        reader.wait()
        reader.stdin.close()
        reader.stdout.close()

    def test_a_reader_never_sees_a_torn_or_missing_file_while_it_is_replaced(self) -> None:
        a, b, c = self.begin()
        a.write("dags/read.py", version(0))
        self.mesh.converge()
        readers = {one.name: self.start_reader(one) for one in (a, b, c)}
        for number in range(1, REPLACEMENTS + 1):
            a.write("dags/read.py", version(number))
            # The pace of the writer, nothing waits for luck: now and then longer than settle_ms.
            time.sleep((0.012 if number % 10 == 0 else 0.003) * PATIENCE)
        self.mesh.wait_content("dags/read.py", version(REPLACEMENTS))
        for name, reader in readers.items():
            reader.stdin.close()
            self.assertEqual(reader.wait(10), 0)
            reads, versions, *faults = reader.stdout.read().splitlines()
            self.assertEqual(faults, [], f"the reader on {name}")
            self.assertGreater(
                int(versions), 50, f"the reader on {name} saw the file change ({reads} reads)"
            )
        self.mesh.converge()


def version(number: int) -> bytes:
    """A content whose every line names the version, of a size of its own."""
    return b"version %d\n" % number * (100 + number * 7 % 3000)


if __name__ == "__main__":
    unittest.main()
