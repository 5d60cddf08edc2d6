"""`dagsync push` through the local daemon: it returns when the nodes have it."""

from __future__ import annotations

import json
import os
import time
import unittest

from case import FreshMesh, SharedMesh

NODE_KEYS = {"name", "acknowledged", "seconds", "error"}


class Push(SharedMesh):
    def test_when_it_returns_every_node_has_the_files(self) -> None:
        for round_ in range(20):
            content = f"round {round_}".encode()
            self.a.write("pushed.py", content)
            self.a.write(f"sub{round_ % 3}/pushed.py", content)
            self.assert_status(self.a.run("push"), 0)
            self.assert_content("pushed.py", content)
            self.assert_content(f"sub{round_ % 3}/pushed.py", content)

    def test_one_path_absolute_or_relative(self) -> None:
        for arguments in (["one.py"], [self.b.path("one.py")], ["one.py", "--folder", "dags"]):
            content = os.urandom(100)
            self.b.write("one.py", content)
            self.assert_status(self.b.run("push", *arguments), 0)
            self.assert_content("one.py", content)

    def test_a_directory_with_all_below_it(self) -> None:
        for index in range(100):
            self.a.write(f"tree/{index % 5}/{index}.py", f"{index}")
        self.assert_status(self.a.run("push", "tree"), 0)
        for index in range(100):
            self.assert_content(f"tree/{index % 5}/{index}.py", f"{index}".encode())

    def test_a_large_file(self) -> None:
        content = os.urandom(12 << 20)
        self.a.write("large.bin", content)
        self.assert_status(self.a.run("push", "large.bin"), 0)
        self.assert_content("large.bin", content)

    def test_a_path_that_is_gone_pushes_its_delete(self) -> None:
        self.a.write("gone.py", b"x")
        self.assert_status(self.a.run("push", "gone.py"), 0)
        os.unlink(self.a.path("gone.py"))
        self.assert_status(self.a.run("push", "gone.py"), 0)
        self.assert_content("gone.py", None)

    def test_a_path_that_never_was_is_named(self) -> None:
        self.a.write("right.py", b"x")
        done = self.a.run("push", "wrong.py", "right.py")
        self.assert_status(done, 1)
        self.assertIn("not pushed: wrong.py: there is no such file", done.stderr)
        self.assertNotIn("not pushed: right.py", done.stderr)
        self.assert_content("right.py", b"x")

    def test_a_line_for_each_node(self) -> None:
        self.a.write("line.py", b"x")
        done = self.a.run("push")
        self.assert_status(done, 0)
        for name in ("b", "c"):
            self.assertTrue(
                any(name in line.split() for line in done.stdout.splitlines()), done.stdout
            )

    def test_json_tells_of_each_node(self) -> None:
        self.a.write("json.py", b"x")
        done = self.a.run("push", "json.py", "--json")
        self.assert_status(done, 0)
        told = json.loads(done.stdout)
        self.assertEqual(told["folder"], "dags")
        self.assertGreater(told["sequence"], 0)
        self.assertEqual(
            {node["name"]: node["acknowledged"] for node in told["nodes"]}, {"b": True, "c": True}
        )
        for node in told["nodes"]:
            self.assertLessEqual(NODE_KEYS, set(node))

    def test_nothing_to_push_is_done_at_once(self) -> None:
        self.mesh.converge()
        self.assert_status(self.a.run("push"), 0)

    def test_a_path_outside_the_folder_and_an_unknown_folder_are_refused(self) -> None:
        for arguments in (["/etc/hostname"], ["../outside"], ["--folder", "nothing"]):
            done = self.a.run("push", *arguments)
            self.assert_status(done, 1, 2)
            self.assertTrue(done.stderr.startswith("dagsync: "), done.stderr)


class WhatDoesNotTravel(FreshMesh):
    """It is named, whether the whole folder is pushed, a directory or the path itself."""

    options = {"folder": {"max_file_size": "1KiB"}}

    def setUp(self) -> None:
        super().setUp()
        a, self.b, self.c = self.begin()
        self.a = a
        a.write("fine.py", b"x")
        a.write("sub/large.bin", b"x" * 2000)
        os.mkfifo(a.path("pipe"))
        self.held = open(a.path("held.log"), "wb")  # noqa: SIM115
        self.held.write(b"begun")
        self.held.flush()
        self.addCleanup(self.held.close)

    def test_the_whole_folder(self) -> None:
        done = self.a.run("push", "--json")
        self.assert_status(done, 1)
        told = json.loads(done.stdout)
        self.assertEqual(
            [each["path"] for each in told["not_pushed"]], ["held.log", "pipe", "sub/large.bin"]
        )
        self.assertTrue(all(node["acknowledged"] for node in told["nodes"]))
        self.assert_content("fine.py", b"x")  # all else is there
        self.assertRegex(done.stderr, r"not pushed: held\.log: .*open for writing")
        self.assertRegex(done.stderr, r"not pushed: pipe: .*FIFO")
        self.assertRegex(done.stderr, r"not pushed: sub/large\.bin: .*max_file_size")

    def test_a_directory_and_a_path(self) -> None:
        for name in ("sub", "sub/large.bin"):
            done = self.a.run("push", name)
            self.assert_status(done, 1)
            self.assertIn("not pushed: sub/large.bin: ", done.stderr)
            self.assertNotIn("pipe", done.stderr)
        self.assert_status(self.a.run("push", "fine.py"), 0)

    def test_nothing_is_named_any_more_when_it_is_over(self) -> None:
        self.held.close()
        os.unlink(self.a.path("pipe"))
        os.unlink(self.a.path("sub/large.bin"))
        self.assert_status(self.a.run("push"), 0)
        self.assert_content("held.log", b"begun")


class PushWithANodeAway(FreshMesh):
    def test_it_times_out_and_says_who_is_missing(self) -> None:
        a, b, c = self.begin()
        c.stop()
        a.write("new.py", b"x")
        began = time.monotonic()
        done = a.run("push", "--timeout", "1", "--json")
        self.assert_status(done, 1)
        self.assertLess(time.monotonic() - began, 5)
        nodes = {node["name"]: node for node in json.loads(done.stdout)["nodes"]}
        self.assertEqual((nodes["b"]["acknowledged"], nodes["c"]["acknowledged"]), (True, False))
        self.assertTrue(nodes["c"]["error"])
        self.assert_content("new.py", b"x", a, b)

    def test_as_many_acknowledgements_as_asked_for_are_enough(self) -> None:
        a, b, c = self.begin()
        c.stop()
        a.write("new.py", b"x")
        self.assert_status(a.run("push", "--min-acks", "1", "--timeout", "20"), 0)
        self.assert_content("new.py", b"x", a, b)
        self.assert_status(a.run("push", "--min-acks", "2", "--timeout", "1"), 1)
        self.assert_status(a.run("push", "--min-acks", "all", "--timeout", "1"), 1)

    def test_it_ends_when_the_missing_node_comes(self) -> None:
        a, b, c = self.begin()
        c.stop()
        a.write("new.py", b"x")
        c.start()
        self.assert_status(a.run("push", "--timeout", "30"), 0)
        self.assert_content("new.py", b"x")

    def test_no_daemon_is_exit_status_3(self) -> None:
        done = self.mesh["a"].run("push", "--timeout", "1")
        self.assert_status(done, 3)
        self.assertTrue(done.stderr.startswith("dagsync: "), done.stderr)


if __name__ == "__main__":
    unittest.main()
