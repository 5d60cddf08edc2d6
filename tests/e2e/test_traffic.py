"""How many bytes a change may cost: renames, copies, and small edits of large files."""

from __future__ import annotations

import os
import shutil
import unittest

from case import SharedMesh

MIB = 1 << 20


class Traffic(SharedMesh):
    def received(self) -> dict[str, int]:
        return {one.name: one.bytes_received() for one in self.mesh.nodes}

    def give(self, name: str, content: bytes) -> None:
        before = self.received()
        self.a.write(name, content)
        self.mesh.wait_content(name, content, bound=60)
        self.mesh.converge()
        for one in (self.b, self.c):
            got = one.bytes_received() - before[one.name]
            self.assertGreaterEqual(got, len(content), "the counters count random content")

    def assert_cost_less(self, before: dict[str, int], limit: int) -> None:
        for name, bytes_received in self.received().items():
            self.assertLess(bytes_received - before[name], limit, f"bytes that {name} received")

    def test_a_rename_sends_no_content(self) -> None:
        content = os.urandom(20 * MIB)
        self.give("before.bin", content)
        before = self.received()
        os.rename(self.a.path("before.bin"), self.a.path("after.bin"))
        self.mesh.wait_until(
            lambda: self.b.has("after.bin") and self.c.has("after.bin"), "the new name"
        )
        self.mesh.converge()
        self.assert_content("after.bin", content)
        self.assert_cost_less(before, 64 << 10)

    def test_a_rename_of_a_directory_sends_no_content(self) -> None:
        for index in range(100):
            self.a.write(f"old/{index}.bin", os.urandom(100_000))
        self.mesh.converge()
        before = self.received()
        os.rename(self.a.path("old"), self.a.path("new"))
        self.mesh.wait_until(
            lambda: self.b.has("new/99.bin") and self.c.has("new/99.bin"), "the new name"
        )
        self.mesh.converge()
        self.assert_cost_less(before, 128 << 10)

    def test_a_copy_sends_no_content(self) -> None:
        self.give("one.bin", os.urandom(10 * MIB))
        before = self.received()
        shutil.copyfile(self.a.path("one.bin"), self.a.path("two.bin"))
        self.mesh.wait_until(lambda: self.b.has("two.bin") and self.c.has("two.bin"), "the copy")
        self.mesh.converge()
        self.assert_cost_less(before, 64 << 10)

    def test_metadata_sends_no_content(self) -> None:
        self.give("meta.bin", os.urandom(10 * MIB))
        before = self.received()
        os.chmod(self.a.path("meta.bin"), 0o600)
        os.utime(self.a.path("meta.bin"), ns=(1, 1))
        self.mesh.converge()
        self.assert_cost_less(before, 64 << 10)

    def test_one_byte_of_64_mib(self) -> None:
        content = bytearray(os.urandom(64 * MIB))
        self.give("large.bin", bytes(content))
        before = self.received()
        content[40 * MIB] ^= 0xFF
        with open(self.a.path("large.bin"), "r+b") as out:
            out.seek(40 * MIB)
            out.write(content[40 * MIB : 40 * MIB + 1])
        self.mesh.wait_content("large.bin", bytes(content), bound=60)
        self.mesh.converge()
        self.assert_cost_less(before, MIB)

    def test_64_kib_inserted_into_16_mib(self) -> None:
        content = os.urandom(16 * MIB)
        self.give("insert.bin", content)
        before = self.received()
        content = content[: 5 * MIB] + os.urandom(64 << 10) + content[5 * MIB :]
        self.a.write("insert.bin", content)
        self.mesh.wait_content("insert.bin", content, bound=60)
        self.mesh.converge()
        self.assert_cost_less(before, MIB)

    def test_an_edit_on_another_node_is_a_delta_as_well(self) -> None:
        content = bytearray(os.urandom(8 * MIB))
        self.give("there.bin", bytes(content))
        before = self.received()
        content[100] ^= 0xFF
        self.b.write("there.bin", bytes(content))
        self.mesh.wait_content("there.bin", bytes(content))
        self.mesh.converge()
        self.assert_cost_less(before, MIB)


if __name__ == "__main__":
    unittest.main()
