"""A peer that has been taken over says too much: a node bounds what it takes, and serves the others."""

from __future__ import annotations

import unittest

from hostile import HostileMesh, read_bytes


TOO_MANY = "changes, of which it announces too many at once: they come page by page"


class Flood(HostileMesh):
    """Too much of what each alone would be allowed; a stays within its memory, and b is served.

    Each with a mesh of its own: what was announced and never comes is wanted for ever."""

    peers = 3


class Announcements(Flood):
    def test_a_million_announcements(self) -> None:
        self.flood("tombstones", "--path", "never", "--count", "1000000")
        self.assert_refused(TOO_MANY)


class Files(Flood):
    def test_a_million_files_whose_contents_never_come(self) -> None:
        self.flood("files", "--path", "files", "--count", "1000000")
        self.assert_refused(TOO_MANY)


class Pages(Flood):
    def test_pages_that_nobody_has_room_for(self) -> None:
        self.flood("pages", "--path", "pages", "--count", "100000")
        self.assert_refused("pages")


class Versions(Flood):
    def test_versions_as_long_as_they_may_be(self) -> None:
        self.flood("fat-versions", "--path", "fat", "--count", "6000")
        self.assert_refused(TOO_MANY)


class Authors(Flood):
    def test_authors_without_end(self) -> None:
        self.flood("authors", "--path", "authors", "--count", "100000")
        self.assert_refused(TOO_MANY)


class Sequences(Flood):
    def test_sequences_full_of_holes(self) -> None:
        self.flood("holes", "--path", "holes.py", "--count", "500000")
        self.assert_refused(TOO_MANY)


class KnowledgeOfHoles(Flood):
    def test_knowledge_full_of_holes(self) -> None:
        self.flood("absurd-tells", "--count", "200")
        self.assert_refused("too full of holes")
        self.flood("absurd-snapshots", "--count", "50")
        self.assert_refused("too full of holes")


class Batch(Flood):
    def test_a_batch_that_never_ends(self) -> None:
        """So many files any peer may announce: none is refused, and no end is waited for."""
        self.flood("endless-batch", "--path", "batch", "--count", "4000")
        self.assertTrue(self.a.has("batch/0/1"))
        self.assertEqual(self.lines(), [])


class Chunks(Flood):
    def test_chunks_that_nobody_asked_for(self) -> None:
        self.flood("chunks-of-nothing", "--count", "2000")
        self.assert_refused("contents that nobody asked for")


class Readings(Flood):
    def test_a_folder_that_is_to_be_read_again_and_again(self) -> None:
        size = 64 << 20
        with open(self.a.path("large.bin"), "wb") as large:
            large.truncate(size)
        self.mesh.wait_in_sync(bound=60)
        before = read_bytes(self.a)
        heard = self.flood("ask-verify", "--count", "100")
        self.assertGreaterEqual(heard["verify_rows"], 20, "some questions are nobody's business")
        self.assertIn("try again in", heard["verify_errors"][0])
        self.assert_refused("it asks too often")
        self.assertLess(read_bytes(self.a) - before, 30 * size)


class Questions(Flood):
    def test_questions_of_one_that_does_not_read_the_answers(self) -> None:
        self.flood("pings-without-reading", "--count", "10000")
        self.assert_refused("does not read")


if __name__ == "__main__":
    unittest.main()
