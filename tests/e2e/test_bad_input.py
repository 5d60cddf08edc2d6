"""Bad input seen from outside: a clear error or a named warning, never a crash or a silent skip."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
import unittest
from pathlib import Path

from case import FreshMesh
from mesh import make_certificates
from node import BINARY, PATIENCE, Node

USAGE = 2
END_WITHIN_S = 10


class BadInput(FreshMesh):
    """One node is enough to be refused; its peers never run."""

    def setUp(self) -> None:
        super().setUp()
        self.a = self.mesh["a"]

    def daemon(self, *options: str, config: Path | None = None) -> subprocess.CompletedProcess:
        """The daemon run until it ends; one that goes on running is ended, with returncode None."""
        command = [BINARY, "daemon", "--config", str(config or self.a.config), *options]
        with subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        ) as process:
            try:
                out, err = process.communicate(timeout=END_WITHIN_S * PATIENCE)
                return subprocess.CompletedProcess(command, process.returncode, out, err)
            except subprocess.TimeoutExpired:
                process.kill()
                self.fail(f"goes on running:\n{process.communicate()[1]}")

    def assert_refused(
        self, *needles: str, status: tuple[int, ...] = (USAGE,), options: tuple = ()
    ) -> str:
        done = self.daemon(*options)
        self.assert_status(done, *status)
        told = [line for line in done.stderr.splitlines() if line.startswith("dagsync: ")]
        self.assertTrue(told, f"no line `dagsync: what: mend` in:\n{done.stderr}")
        for needle in needles:
            self.assertIn(needle, "\n".join(told))
        return done.stderr

    def assert_refused_or_warned(self, needle: str) -> None:
        """Either the daemon ends with an error, or it runs and status names what is wrong."""
        self.a.start()
        process, deadline = self.a.process, time.monotonic() + END_WITHIN_S * PATIENCE
        while process.poll() is None and not self.a.status():
            self.assertLess(time.monotonic(), deadline, "neither an end nor an answer")
            time.sleep(0.01)
        if process.poll() is None:
            self.mesh.wait_until(
                lambda: needle in str(self.a.folder_status()), f"status names {needle!r}"
            )
            return
        self.a.process = None
        self.assertIn(process.returncode, (1, 2))
        self.assertIn("dagsync: ", self.a.log_text())
        self.assertIn(needle, self.a.log_text())

    def edit(self, old: str, new: str) -> int:
        """Replaces `old` in the configuration; returns the number of its line."""
        text = self.a.config.read_text()
        self.assertIn(old, text)
        self.a.config.write_text(text.replace(old, new, 1))
        return text[: text.index(old)].count("\n") + 1

    # --- the configuration -----------------------------------------------------------

    def test_a_good_configuration_passes_the_check(self) -> None:
        self.assert_status(self.daemon("--check"), 0)

    def test_wrong_keys_and_values_name_file_line_and_key(self) -> None:
        good = self.a.config.read_text()
        cases = (
            ("[node]\n", "[node]\nnmae = 1\n", 1, "nmae"),
            ("[tls]\n", "[tls]\ncipher = 1\n", 1, "cipher"),
            ("[[folder]]\n", "[[folder]]\nsettle = 5\n", 1, "settle"),
            ("[[peer]]\n", "[[peer]]\nadress = []\n", 1, "adress"),
            ("[tls]\n", "[nodes]\nname = 1\n[tls]\n", 0, "nodes"),
            ("[[folder]]\n", '[[folder]]\nsettle_ms = "5"\n', 1, "settle_ms"),
            ("[[folder]]\n", "[[folder]]\nsettle_ms = -1\n", 1, "settle_ms"),
            ("[[folder]]\n", '[[folder]]\nmode = "both"\n', 1, "mode"),
            ("[[folder]]\n", "[[folder]]\nmax_delete_percent = 101\n", 1, "max_delete_percent"),
            ("[[folder]]\n", '[[folder]]\nrescan_interval = "soon"\n', 1, "rescan_interval"),
            ("[[folder]]\n", '[[folder]]\nmax_file_size = "4 things"\n', 1, "max_file_size"),
            ("[[peer]]\n", '[[peer]]\nmay = ["everything"]\n', 1, "may"),
        )
        for old, new, offset, key in cases:
            with self.subTest(new):
                self.a.config.write_text(good)
                line = self.edit(old, new) + offset
                self.assert_refused(f"{self.a.config}:{line}", key)
                self.assert_refused(f"{self.a.config}:{line}", key, options=("--check",))

    def test_values_that_are_not_allowed(self) -> None:
        good = self.a.config.read_text()
        for old, new, key in (
            (f'"{self.a.address}"', '"127.0.0.1:0"', "listen"),
            (f'"{self.a.address}"', '"nonsense"', "listen"),
            (f'path = "{self.a.folder}"', 'path = "relative/path"', "path"),
            ('name = "a"', 'name = ""', "name"),
            ('name = "b"', 'name = "a"', "peer"),  # it has our own name
            ('name = "c"', 'name = "b"', "peer"),  # it is there twice
        ):
            with self.subTest(new):
                self.a.config.write_text(good)
                self.edit(old, new)
                self.assert_refused(key)

    def test_what_is_required_is_missed(self) -> None:
        good = self.a.config.read_text()
        for start, end, key in (
            ("[node]", "[tls]", "node"),
            ("[tls]", "[[folder]]", "tls"),
            ("[[folder]]", "[[peer]]", "folder"),
        ):
            with self.subTest(key):
                self.a.config.write_text(good[: good.index(start)] + good[good.index(end) :])
                self.assert_refused(key)

    def test_a_file_that_is_no_toml_or_not_there(self) -> None:
        self.a.config.write_text("[node\nname =")
        self.assert_refused(f"{self.a.config}:1")
        self.a.config.unlink()
        self.assert_refused(str(self.a.config))

    def test_unknown_subcommands_and_options(self) -> None:
        for arguments in (["nonsense"], ["status", "--nonsense"], ["push", "--timeout", "soon"]):
            done = subprocess.run([BINARY, *arguments], capture_output=True, text=True)
            self.assertEqual(done.returncode, USAGE, f"{arguments}: {done.stdout}{done.stderr}")

    # --- certificates ----------------------------------------------------------------

    def test_a_certificate_that_is_expired(self) -> None:
        expire(self.mesh.tls, self.a.home / "node.key", self.a.home / "node.crt", "a")
        self.assert_refused_or_warned("expired")

    def test_a_certificate_that_does_not_match_its_key(self) -> None:
        shutil.copy(self.mesh.tls / "b.key", self.a.home / "node.key")
        self.assert_refused("node.key", status=(1, 2))

    def test_a_certificate_that_does_not_bear_the_name(self) -> None:
        self.mesh.give_certificate(self.a.home, "b")
        self.assert_refused("node.crt", status=(1, 2))

    def test_a_certificate_of_another_authority(self) -> None:
        foreign = self.mesh.root / "foreign"
        make_certificates(foreign, ["a"])
        shutil.copy(foreign / "a.crt", self.a.home / "node.crt")
        shutil.copy(foreign / "a.key", self.a.home / "node.key")
        self.assert_refused("node.crt", status=(1, 2))

    def test_files_that_are_not_there_or_no_certificates(self) -> None:
        for file in ("ca.crt", "node.crt", "node.key"):
            for broken in (True, False):
                with self.subTest(file, broken=broken):
                    self.mesh.give_certificate(self.a.home, "a")
                    (self.a.home / file).unlink()
                    if broken:
                        (self.a.home / file).write_text("nothing of the kind\n")
                    self.assert_refused(file, status=(1, 2))

    def test_certs_init_never_overwrites(self) -> None:
        before = (self.mesh.tls / "ca.key").read_bytes()
        done = subprocess.run(
            [BINARY, "certs", "init", str(self.mesh.tls), "--nodes", "a,b"],
            capture_output=True,
            text=True,
        )
        self.assertNotEqual(done.returncode, 0)
        self.assertTrue(done.stderr.startswith("dagsync: "), done.stderr)
        self.assertEqual((self.mesh.tls / "ca.key").read_bytes(), before)
        for name in ("ca", "a", "b", "c"):
            self.assertEqual((self.mesh.tls / f"{name}.key").stat().st_mode & 0o777, 0o600)

    # --- the surroundings ------------------------------------------------------------

    def test_a_port_that_is_taken(self) -> None:
        taken = socket.create_server((self.a.host, self.a.port))
        self.addCleanup(taken.close)
        self.assert_refused(self.a.address, status=(1, 2))

    def test_a_folder_that_is_not_there(self) -> None:
        self.a.folder.rmdir()
        self.assert_refused_or_warned(str(self.a.folder))
        self.assertFalse(self.a.folder.exists(), "nobody makes a folder that may only be unmounted")

    def test_a_folder_that_is_a_file(self) -> None:
        self.a.folder.rmdir()
        self.a.folder.write_text("a file")
        self.assert_refused_or_warned(str(self.a.folder))

    def test_a_root_that_is_a_symlink(self) -> None:
        os.rename(self.a.folder, self.a.home / "real")
        os.symlink("real", self.a.folder)
        self.assert_refused_or_warned("symlink")

    def test_two_folders_inside_each_other(self) -> None:
        inside = self.a.folder / "inside"
        inside.mkdir()
        with open(self.a.config, "a") as config:
            config.write(f'[[folder]]\nname = "more"\npath = "{inside}"\n')
        self.assert_refused(str(self.a.config), "folder", '"dags"')

    def test_a_state_directory_inside_the_folder(self) -> None:
        self.edit(f'state_dir = "{self.a.state_dir}"', f'state_dir = "{self.a.folder / "state"}"')
        self.assert_refused("state_dir", status=(1, 2))

    def test_the_state_directory_of_another_node(self) -> None:
        self.a.start()
        self.mesh.wait_until(self.a.status, "a runs")
        self.a.stop()
        b = self.mesh["b"]
        shutil.copytree(self.a.state_dir, b.state_dir)
        self.a = b
        self.assert_refused(str(b.state_dir), status=(1, 2))

    def test_the_same_state_directory_twice_at_a_time(self) -> None:
        self.a.start()
        self.mesh.wait_until(self.a.status, "a runs")
        text = self.a.config.read_text().replace(self.a.address, f"{self.mesh['b'].host}:17499", 1)
        second = self.a.home / "second.toml"
        second.write_text(text.replace("control.sock", "second.sock"))
        done = self.daemon(config=second)
        self.assert_status(done, 1, 2)
        self.assertIn(str(self.a.state_dir), done.stderr)
        self.assertTrue(self.a.status(), "the first one goes on")


class CorruptIndex(FreshMesh):
    def spoil(self, one: Node) -> list[Path]:
        """Overwrites every database below the state directory with something else."""
        spoilt = [
            path
            for path in one.state_dir.rglob("*")
            if path.is_file() and path.read_bytes()[:15] == b"SQLite format 3"
        ]
        for path in spoilt:
            path.write_bytes(b"this is no database" * 1000)
        return spoilt

    def test_it_is_set_aside_rebuilt_and_told(self) -> None:
        a, b, c = self.begin()
        for index in range(30):
            a.write(f"sub/{index}.py", str(index))
        os.unlink(a.path("sub/3.py"))
        self.mesh.converge()
        c.stop()
        spoilt = self.spoil(c)
        self.assertTrue(spoilt, "the index is an SQLite database")
        os.unlink(a.path("sub/4.py"))
        a.write("sub/5.py", "changed meanwhile")
        c.start()
        self.mesh.converge()
        self.assertEqual(len(os.listdir(c.path("sub"))), 28)
        self.assert_content("sub/5.py", b"changed meanwhile")
        aside = [
            path
            for path in c.state_dir.rglob("*")
            if path.is_file()
            and path not in spoilt
            and path.read_bytes()[:19] == b"this is no database"
        ]
        self.assertTrue(aside, "the corrupt index is still there, under another name")
        self.assertIn(aside[0].name, c.log_text())
        self.assertIn("corrupt", str(c.status()).lower())


def expire(tls: Path, key: Path, certificate: Path, name: str) -> None:
    """Replaces `certificate` by one of our authority that ended years ago."""
    work = certificate.parent / "expired"
    work.mkdir()
    (work / "index.txt").touch()
    (work / "serial").write_text("1000\n")
    (work / "ca.cnf").write_text(
        f"[ca]\ndefault_ca=own\n[own]\ndatabase={work}/index.txt\nserial={work}/serial\n"
        f"new_certs_dir={work}\ndefault_md=sha256\npolicy=any\nx509_extensions=names\n"
        f"[any]\ncommonName=supplied\n"
        f"[names]\nsubjectAltName=DNS:{name}\nextendedKeyUsage=serverAuth,clientAuth\n"
    )
    request = work / "request.pem"
    subprocess.run(
        ["openssl", "req", "-new", "-key", key, "-subj", f"/CN={name}", "-out", request],
        check=True,
        capture_output=True,
    )
    subprocess.run(
        [
            "openssl",
            "ca",
            "-batch",
            "-config",
            work / "ca.cnf",
            "-cert",
            tls / "ca.crt",
            "-keyfile",
            tls / "ca.key",
            "-startdate",
            "20200101000000Z",
            "-enddate",
            "20210101000000Z",
            "-in",
            request,
            "-out",
            certificate,
            "-notext",
        ],
        check=True,
        capture_output=True,
    )


if __name__ == "__main__":
    unittest.main()
