"""What a peer may not do here, it cannot, whatever it says."""

from __future__ import annotations

import os
import unittest

from hostile import HostileMesh


class WithoutSend(HostileMesh):
    """`may = ["receive"]`: a taken-over worker cannot push code to the schedulers."""

    peers = 10
    may = ["receive"]
    differing = {"h0": ["send", "receive"]}

    @classmethod
    def prepare(cls) -> None:
        super().prepare()
        cls.sender = next(cls.next_peer)

    def test_its_changes_are_never_applied(self) -> None:
        for attack in ("file", "link", "far-future"):
            with self.subTest(attack):
                self.attack(attack, "--path", "evil.py", linger=0.5)
                self.assert_refused("may not send")
                self.assertFalse(self.a.has("evil.py"))
        self.assertFalse(self.b.has("evil.py"))
        self.assert_unharmed()

    def test_nor_those_that_it_passes_on_or_sends_as_a_snapshot(self) -> None:
        names = [f"evil/0/{number}" for number in range(1, 11)]
        for name in names:
            self.a.write(name, b"not to be deleted")
        self.mesh.wait_content(names[-1], b"not to be deleted")
        self.mesh.fence(self.a)
        heard = self.attack("pages", "--path", "other", "--count", "10", linger=0.5)
        self.assert_refused("may not send")
        self.assertNotIn("fetch", heard["messages"], "no content is asked for")
        self.attack("authors", "--path", "evil", "--count", "10", linger=0.5)  # deletes
        self.assert_refused("may not send")
        self.assert_unharmed()
        for name in names:
            self.assert_content(name, b"not to be deleted", self.a, self.b)
        # From one who may send, the same is taken.
        heard = self.begin(
            "pages", "--path", "other", "--count", "10", name=self.sender, linger=0.5
        ).wait()
        self.assertGreater(heard["messages"].get("fetch", 0), 0)
        self.begin("authors", "--path", "evil", "--count", "10", name=self.sender, linger=0.5).wait()
        self.mesh.wait_until(lambda: not self.b.has("evil/0/10"), "its deletes are taken")

    def test_nor_is_its_snapshot_believed(self) -> None:
        """It says that a has all that b will ever write."""
        self.attack("poisoned-snapshot", linger=0.5)
        for turn in (b"first", b"second"):
            self.b.write("of_b.py", turn)
            self.mesh.wait_content("of_b.py", turn)
        self.assert_unharmed()

    def test_it_is_not_asked_for_contents_that_others_announced(self) -> None:
        worker = self.begin("never-acknowledge", linger=8)
        self.mesh.wait_until(lambda: self.a.peer_status(self.peer)["connected"], "it is connected")
        refusing = self.begin(
            "refuse-contents", "--path", "forged.py", "--text", "x" * 1000, name=self.sender
        )
        self.mesh.wait_until(lambda: self.lines("forged.py"), "a says that it got nothing")
        refusing.end()
        self.assertNotIn("fetch", worker.wait()["messages"])
        self.assertFalse(self.a.has("forged.py"))


class WithoutReceive(HostileMesh):
    """`may = ["send"]`: a runner gets nothing of what others wrote."""

    peers = 8
    may = ["send"]

    def test_it_gets_no_record_and_no_snapshot(self) -> None:
        self.a.write("secret.py", b"for b alone")
        self.mesh.wait_content("secret.py", b"for b alone")
        listening = self.begin("never-acknowledge", linger=5)
        self.mesh.wait_until(lambda: self.a.peer_status(self.peer)["connected"], "it is connected")
        self.mesh.fence(self.a)
        self.mesh.fence(self.b)
        heard = listening.wait()
        self.assertTrue(heard["greeted"])
        self.assertEqual(heard["paths"], [])
        self.assertNotIn("snapshot_end", heard["messages"])

    def test_it_gets_no_content(self) -> None:
        self.a.write("secret.py", b"not for runners")
        self.mesh.wait_content("secret.py", b"not for runners")
        heard = self.attack("fetch", "--path", "secret.py", "--text", "not for runners", linger=0)
        self.assertEqual(heard["chunk_bytes"], 0)
        self.assertIn("may not receive", heard["fetch_errors"][0])
        self.assert_refused("a question for a content: it may not receive here")

    def test_nor_what_verify_tells_of_the_folder(self) -> None:
        self.a.write("secret.py", b"not for runners")
        self.mesh.wait_content("secret.py", b"not for runners")
        heard = self.attack("ask-verify", "--count", "3", linger=0)
        self.assertEqual(heard["verify_rows"], 0)
        self.assertEqual(len(heard["verify_errors"]), 3, heard)
        self.assertIn("may not receive", heard["verify_errors"][0])
        self.assert_refused("a question what stands here: it may not receive here")

    def test_nor_a_list_unless_it_comes_for_one_push(self) -> None:
        heard = self.attack("lists-without-reading", "--count", "1")
        self.assertTrue(heard["closed"])
        self.assertEqual(heard["paths"], [])
        self.assert_refused("no one-shot push")

    def test_what_it_sends_is_taken(self) -> None:
        self.attack("file", "--path", "good.py", "--text", "good", linger=0.5)
        self.mesh.wait_content("good.py", b"good")
        self.assert_unharmed()


class ReceiveOnly(HostileMesh):
    """No local change leaves a receive-only folder, even when somebody asks for it."""

    peers = 4
    folder_a = {"mode": "receive-only"}

    def test_a_local_edit_is_not_announced_and_its_bytes_are_not_served(self) -> None:
        self.b.write("shared.py", b"of the mesh.")
        self.mesh.wait_content("shared.py", b"of the mesh.")
        listening = self.begin("never-acknowledge", linger=5)
        self.mesh.wait_until(lambda: self.a.peer_status(self.peer)["connected"], "it is connected")
        self.a.write("shared.py", b"made here...")
        self.a.write("own.py", b"made here")
        self.mesh.wait_until(lambda: self.a.folder_status()["drift"] == 2, "a names its drift")
        heard = listening.wait()
        self.assertNotIn("own.py", heard["paths"])
        heard = self.attack("fetch", "--path", "shared.py", "--text", "of the mesh.", linger=0)
        self.assertEqual(heard["chunk_bytes"], 0, "what was asked for stands there no more")
        self.assert_content("shared.py", b"of the mesh.", self.b)
        self.assert_content("own.py", None, self.b)


class SendOnly(HostileMesh):
    """No remote change enters a send-only folder."""

    peers = 4
    folder_a = {"mode": "send-only"}

    def test_nothing_comes_in_and_the_drift_is_shown(self) -> None:
        self.attack("file", "--path", "evil.py", linger=0.5)
        self.attack("link", "--path", "evil-link", linger=0.5)
        self.attack("pages", "--path", "evil", "--count", "3", linger=0.5)
        self.mesh.wait_until(lambda: self.a.folder_status()["drift"] == 5, "a names its drift")
        self.assertEqual(os.listdir(self.a.folder), [])
        self.a.write("out.py", b"goes out")
        self.mesh.wait_content("out.py", b"goes out")


if __name__ == "__main__":
    unittest.main()
