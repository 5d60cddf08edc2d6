"""The daemon's own life: SIGHUP, SIGTERM, settings, and what it leaves behind."""

from __future__ import annotations

import os
import pwd
import re
import signal
import socket
import stat
import subprocess
import threading
import time
import unittest

from case import FreshMesh
from node import END_WITHIN_S, PATIENCE, Node

BUSY_FILES = 50

class Reload(FreshMesh):
    def test_ignore_patterns_are_taken_over(self) -> None:
        a, b, c = self.begin()
        probes = iter(range(1000))

        def tables_travel() -> bool:
            name = f"probe-{next(probes)}.csv"
            a.write(name, b"x")
            self.mesh.fence(a)
            self.mesh.wait_in_sync()
            return b.has(name) and c.has(name)

        self.assertTrue(tables_travel())
        for patterns, wanted in ((["*.csv"], False), ([], True)):
            for one in (a, b, c):
                self.mesh.configure(one, folder={"ignore": patterns})
                one.reload()
            self.mesh.wait_until(
                lambda: tables_travel() == wanted, f"ignore = {patterns} is in force"
            )

    def test_a_peer_is_added_and_removed_again(self) -> None:
        a, b, c = self.mesh.nodes
        for one in (a, b):
            self.mesh.configure(one, peers=[a, b])
        self.mesh.start("a", "b")
        self.mesh.wait_in_sync()
        a.write("before.py", b"x")
        self.mesh.converge()
        for one in (a, b):
            self.mesh.configure(one)
            one.reload()
        c.start()
        self.mesh.converge()
        self.assert_content("before.py", b"x")
        for one in (a, b):
            self.mesh.configure(one, peers=[a, b])
            one.reload()
            self.mesh.wait_until(lambda: not one.peer_status("c"), f"{one.name} forgets c")
        self.mesh.wait_until(lambda: not c.peer_status("a")["connected"], "c is let go")
        a.write("after.py", b"x")
        self.mesh.wait_content("after.py", b"x", nodes=[a, b])
        self.mesh.wait_in_sync(nodes=[a, b])
        self.assert_content("after.py", None, c)

    def test_a_bad_configuration_changes_nothing(self) -> None:
        a, b, c = self.begin()
        good = a.config.read_text()
        a.config.write_text(good + "[nonsense]\n[folly]\n")
        a.reload()
        self.mesh.wait_until(
            lambda: all(
                re.search(f"error nothing was changed: .*{key}", a.log_text())
                for key in ("nonsense", "folly")
            ),
            "the log names each key on a line of its own",
        )
        self.assertNotIn("info reloaded", a.log_text())
        a.config.write_text(good)
        a.reload()
        self.mesh.wait_until(lambda: "info reloaded" in a.log_text(), "a good one is told, too")
        self.mesh.fence(a)
        self.mesh.wait_in_sync()

    def test_a_transfer_under_way_is_not_dropped(self) -> None:
        a, b, c = self.begin()
        content = os.urandom(32 << 20)
        a.write("large.bin", content)
        for _ in range(5):
            a.reload()
            b.reload()
        self.mesh.wait_content("large.bin", content)
        self.mesh.converge()


class ReloadOfFolders(FreshMesh):
    options = {"n": 2}

    def configure(self, *folders: str) -> None:
        for one in self.mesh.nodes:
            extra = ""
            for name in folders:
                path = one.home / name
                path.mkdir(exist_ok=True)
                extra += f'[[folder]]\nname = "{name}"\npath = "{path}"\n'
            self.mesh.configure(one, extra=extra)

    def folders_are(self, *names: str) -> None:
        for one in self.mesh.nodes:
            self.mesh.wait_until(
                lambda: {folder["name"] for folder in one.status()["folders"]} == set(names),
                f"{one.name} has {names}",
            )

    def links_made(self) -> list[int]:
        return [one.log_text().count(" connected (") for one in self.mesh.nodes]

    def test_folders_come_and_go_while_a_large_file_travels(self) -> None:
        self.configure()
        a, b = self.begin()
        links = self.links_made()
        large = os.urandom(96 << 20)
        a.write("large.bin", large)
        self.mesh.wait_until(lambda: b.bytes_received() > 1 << 20, "it travels")
        self.configure("plugins")
        for one in (a, b):
            one.reload()
        self.folders_are("dags", "plugins")
        (a.home / "plugins" / "x.py").write_bytes(b"a plugin")
        there = b.home / "plugins" / "x.py"
        self.mesh.wait_until(there.exists, "the plugin is on b")
        self.mesh.wait_content("large.bin", large)
        self.mesh.converge()
        self.assertEqual(self.links_made(), links)

        self.configure()
        for one in (a, b):
            one.reload()
        self.folders_are("dags")
        self.mesh.fence(a)
        self.mesh.wait_in_sync()
        (a.home / "plugins" / "later.py").write_bytes(b"later")
        (a.home / "plugins" / "x.py").unlink()
        self.mesh.fence(a)
        self.assertEqual(there.read_bytes(), b"a plugin")
        self.assertEqual(self.links_made(), links)

        # It comes back as what it was: what happened meanwhile is taken in as at a start.
        self.configure("plugins")
        for one in (a, b):
            one.reload()
        self.folders_are("dags", "plugins")
        self.mesh.wait_until(lambda: not there.exists(), "the delete is on b")
        self.mesh.wait_until((b.home / "plugins" / "later.py").exists, "the other is on b")
        self.mesh.converge()

    def test_a_folder_that_a_peer_has_not_is_named_until_it_has(self) -> None:
        self.configure()
        a, b = self.begin()
        before = b.config.read_text()
        self.configure("plugins")
        b.config.write_text(before)
        a.reload()
        missing = "b has no folder plugins: add it to its dagsync.toml, or take it out of ours"
        self.mesh.wait_until(lambda: a.status()["warnings"] == [missing], "a says what b lacks")
        self.assertEqual(b.status()["warnings"], [])
        self.configure("plugins")
        b.reload()
        self.mesh.wait_until(lambda: a.status()["warnings"] == [], "b has it")

    def test_what_cannot_be_taken_over_is_said(self) -> None:
        self.configure()
        a, b = self.begin()
        a.config.write_text(
            a.config.read_text()
            + f'[[folder]]\nname = "other"\npath = "{a.home}/tls"\nowner = "no-such-user"\n'
        )
        a.reload()
        self.mesh.wait_until(lambda: "nothing was changed: " in a.log_text(), "the log says so")
        self.mesh.configure(
            a, folder={"path": str(a.home / "elsewhere")}, node={"state_dir": str(a.home / "other")}
        )
        a.reload()
        for key in ("[node] state_dir", "[[folder]] path of dags"):
            self.mesh.wait_until(
                lambda: f"{key} has changed: restart the daemon" in a.log_text(), f"{key} is named"
            )
        self.mesh.configure(a)
        self.mesh.fence(a)
        self.mesh.wait_in_sync()


class Ends(FreshMesh):
    def test_sigterm_and_sigint_in_the_middle_of_work_end_it_in_time(self) -> None:
        a, b, c = self.begin()
        ended = threading.Event()

        def keep_writing() -> None:
            count = 0
            while not ended.is_set():
                count += 1
                a.write(f"busy/{count % BUSY_FILES}.bin", os.urandom(200_000))

        writer = threading.Thread(target=keep_writing)
        writer.start()
        # Where publishing is slow each of them has changed again before it could be published.
        self.mesh.wait_until(
            lambda: any(c.has(f"busy/{number}.bin") for number in range(BUSY_FILES)),
            "work is under way",
        )
        try:
            for one, number in ((a, signal.SIGTERM), (b, signal.SIGINT), (c, signal.SIGTERM)):
                process, one.process = one.process, None
                began = time.monotonic()
                process.send_signal(number)
                self.assertEqual(process.wait(30), 0, f"{one.name} ends with 0")
                self.assertLess(time.monotonic() - began, END_WITHIN_S * PATIENCE, one.name)
        finally:
            ended.set()
            writer.join()
        self.mesh.start()
        self.mesh.converge()
        self.assertEqual(self.conflicts(), [])

    def test_what_stays_behind_is_for_its_owner(self) -> None:
        a, b, c = self.begin()
        self.assertEqual(stat.S_IMODE(a.state_dir.stat().st_mode), 0o700)
        self.assertEqual(stat.S_IMODE(a.control_socket.stat().st_mode), 0o660)
        self.mesh.stop()
        self.assertEqual(os.listdir(a.folder), [])

    def test_a_stale_control_socket_is_replaced(self) -> None:
        a, b, c = self.begin()
        a.kill()
        self.assertTrue(a.control_socket.exists())
        a.start()
        self.mesh.wait_in_sync()


class Settings(FreshMesh):
    options = {"folder": {"settle_ms": 300, "settle_max_ms": 1000, "max_file_size": "1MiB"}}

    def test_a_file_larger_than_allowed_is_refused_and_named(self) -> None:
        a, b, c = self.begin()
        a.write("large.bin", b"x" * (1 << 20) + b"x")
        a.write("fits.bin", b"x" * (1 << 20))
        self.mesh.wait_content("fits.bin", b"x" * (1 << 20))
        self.mesh.wait_until(
            lambda: "large.bin" in {error["path"] for error in a.folder_status()["errors"]},
            "status names the large file",
        )
        self.mesh.wait_in_sync()
        self.assert_content("large.bin", None, b, c)

    def test_a_folder_that_never_falls_quiet_is_published_all_the_same(self) -> None:
        a, b, c = self.begin()
        ended = threading.Event()

        def keep_writing() -> None:
            count = 0
            while not ended.wait(0.05):
                count += 1
                a.write(f"noise/{count % 20}.py", str(count))

        writer = threading.Thread(target=keep_writing)
        writer.start()
        try:
            a.write("quiet.py", b"x")
            self.mesh.wait_content("quiet.py", b"x", bound=5)
            self.mesh.wait_until(lambda: c.has("noise/5.py"), "the noise travels", bound=5)
        finally:
            ended.set()
            writer.join()
        self.mesh.converge()


class TwoFolders(FreshMesh):
    def test_each_folder_goes_its_own_way(self) -> None:
        for one in self.mesh.nodes:
            (one.home / "plugins").mkdir()
            self.mesh.configure(
                one, extra=f'[[folder]]\nname = "plugins"\npath = "{one.home}/plugins"\n'
            )
        a, b, c = self.begin()
        a.write("same.py", b"a dag")
        (b.home / "plugins" / "same.py").write_bytes(b"a plugin")
        self.mesh.wait_content("same.py", b"a dag")
        self.mesh.wait_until(
            lambda: (c.home / "plugins" / "same.py").exists(), "the plugin is on c"
        )
        self.mesh.converge()
        self.assertEqual((a.home / "plugins" / "same.py").read_bytes(), b"a plugin")
        self.assertEqual({folder["name"] for folder in a.status()["folders"]}, {"dags", "plugins"})


class Check(FreshMesh):
    def check(self, one: Node) -> subprocess.CompletedProcess:
        return one.run("daemon", "--check")

    def test_a_good_configuration_is_good_whether_the_daemon_runs_or_not(self) -> None:
        a, b, c = self.mesh.nodes
        self.assert_status(self.check(a), 0)
        self.begin()
        self.assert_status(self.check(a), 0)
        self.mesh.fence(a)  # it was not disturbed
        self.mesh.wait_in_sync()

    def test_where_there_is_no_configuration_the_way_to_one_is_named(self) -> None:
        a, b, c = self.mesh.nodes
        a.config.unlink()
        for command in (["daemon", "--check"], ["status"], ["certs", "show"]):
            done = a.run(*command)
            self.assert_status(done, 2)
            self.assertIn(str(a.config), done.stderr)
            self.assertIn("make it with `dagsync init`, or name it", done.stderr)

    @unittest.skipIf(os.geteuid() != 0, "only root can look on behalf of another user")
    def test_root_leaves_nothing_in_the_state_of_another_user(self) -> None:
        a, *_ = self.mesh.nodes
        a.state_dir.mkdir(mode=0o700)
        os.chown(a.state_dir, pwd.getpwnam("nobody").pw_uid, -1)
        self.assert_status(self.check(a), 0)
        self.assertEqual(list(a.state_dir.iterdir()), [])
        self.mesh.configure(a, node={"listen": ["192.0.2.1:17411"]})
        self.assert_status(self.check(a), 2)

    def test_a_port_that_is_taken_is_named_with_its_mend(self) -> None:
        a, b, c = self.mesh.nodes
        with socket.socket() as other:
            other.bind((a.host, 0))
            other.listen()
            port = other.getsockname()[1]
            self.mesh.configure(a, node={"listen": [f"{a.host}:{port}"]})
            done = self.check(a)
            self.assert_status(done, 2)
            self.assertIn(f"{a.host}:{port}", done.stderr)
            self.assertIn("ss -ltnp", done.stderr)
            # The same while a daemon of this configuration, but for the port, runs.
            self.mesh.configure(a)
            self.mesh.start("a")
            self.mesh.configure(a, node={"listen": [a.address, f"{a.host}:{port}"]})
            done = self.check(a)
            self.assert_status(done, 2)
            self.assertIn(f"{a.host}:{port}", done.stderr)
            self.mesh.configure(a)
            self.assert_status(self.check(a), 0)

    def everything_wrong(self, one: Node, taken: str) -> str:
        """What the check says of a configuration in which nothing that it names can be used."""
        for name in ("ca.crt", "node.key"):
            (one.home / name).unlink()
        (one.home / "no-directory").write_text("")
        hook = '[[hook]]\non = "applied"\nrun = ["/nowhere/{}"]\n'
        folder = f'[[folder]]\nname = "more"\npath = "{one.home}/more"\nowner = "no-such-user"\n'
        self.mesh.configure(
            one,
            node={"listen": ["192.0.2.1:17411", taken], "http": taken},
            folder={"path": str(one.home / "missing")},
            extra=f'[log]\nfile = "{one.home}/no-directory/log"\n'
            + folder + hook.format("first") + hook.format("second"),
        )
        done = self.check(one)
        self.assert_status(done, 2)
        return done.stderr

    def test_all_that_is_wrong_is_told_at_once(self) -> None:
        a, b, c = self.mesh.nodes
        with socket.socket() as other:
            other.bind((a.host, 0))
            other.listen()
            taken = f"{a.host}:{other.getsockname()[1]}"
            for one in (a, b):  # as the daemon's own user, and as root for another one
                with self.subTest(one.name):
                    if one is b and os.geteuid() != 0:
                        self.skipTest("only root can look on behalf of another user")
                    if one is b:
                        one.state_dir.mkdir(mode=0o700)
                        os.chown(one.state_dir, pwd.getpwnam("nobody").pw_uid, -1)
                    else:
                        one.state_dir.write_text("")
                        one.control_socket.write_text("")
                    said = self.everything_wrong(one, taken)
                    wanted = [
                        *("192.0.2.1:17411", f"listen on {taken}", "[node] listen", "[node] http"),
                        *("[tls] ca", "[tls] key", "missing: it is not there", "no-such-user"),
                        *("/nowhere/first", "/nowhere/second"),
                    ]
                    if one is a:
                        wanted += ["[node] state_dir", "is no socket", "[log] file"]
                    for words in wanted:
                        self.assertIn(words, said)
                    self.assertEqual({line.split(" ")[0] for line in said.splitlines()}, {"dagsync:"})

    def test_another_daemon_on_the_same_state_is_a_fault(self) -> None:
        a, b, c = self.mesh.nodes
        self.mesh.start("a")
        self.mesh.configure(b, node={"state_dir": str(a.state_dir)})
        done = self.check(b)
        self.assert_status(done, 2)
        self.assertIn("another daemon", done.stderr)

    def test_folders_inside_each_other_through_a_symlink_are_refused(self) -> None:
        a, b, c = self.mesh.nodes
        (a.folder / "sub").mkdir()
        way = a.home / "way"
        way.symlink_to(a.folder)
        self.mesh.configure(
            a, extra=f'[[folder]]\nname = "other"\npath = "{way / "sub"}"\n'
        )
        done = self.check(a)
        self.assert_status(done, 2)
        self.assertIn("lies inside folder", done.stderr)
        self.assertIn(str(way / "sub"), done.stderr)
        (a.folder / "sub").rmdir()


if __name__ == "__main__":
    unittest.main()
