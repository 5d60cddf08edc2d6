#!/usr/bin/env python3
"""The manual pages and completions that the build makes: well formed, complete, and at work in shells.

    docs_test.py BINARY DOCS SAMPLE    DOCS is the directory with what was made; SAMPLE dagsync.toml
"""

from __future__ import annotations

import os
import pathlib
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "e2e"))

import skips  # noqa: E402

BINARY, DOCS, SAMPLE = (pathlib.Path(argument) for argument in sys.argv[1:4])
BOUND_S = 20.0
SHELLS = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
}
SETUP = {
    "bash": "bind 'set enable-bracketed-paste off'; bind 'set page-completions off'; "
            "bind 'set completion-query-items 0'; source {docs}/dagsync.bash; PS1='REA''DY> '\n",
    "zsh": "unsetopt zle_bracketed_paste; fpath=({functions} $fpath); autoload -U compinit; "
           "compinit -D -u; LISTMAX=1000; PS1='REA''DY> '\n",
}


def commands_in_help(*path: str) -> list[str]:
    """Every command with what is below it, as the program itself lists them."""
    text = subprocess.run([BINARY, *path, "--help"], capture_output=True, text=True).stdout
    found = []
    if "Subcommands:" in text:
        for name in re.findall(r"^  ([a-z][a-z0-9-]*) ", text.split("Subcommands:")[1].split("\n\n")[0], re.M):
            found += [" ".join([*path, name]), *commands_in_help(*path, name)]
    return found


class Pages(unittest.TestCase):
    def test_no_complaints(self) -> None:
        for page in ("dagsync.1", "dagsync.toml.5"):
            for check in (["mandoc", "-T", "lint"], ["man", "--warnings", "-l"]):
                if not shutil.which(check[0]):
                    continue
                done = subprocess.run([*check, DOCS / page], capture_output=True, text=True,
                                      env=os.environ | {"MANWIDTH": "80", "LC_ALL": "C.UTF-8"})
                said = done.stderr + (done.stdout if check[0] == "mandoc" else "")
                self.assertEqual((done.returncode, said), (0, ""), f"{check[0]} of {page}")

    def test_every_command_is_told_with_an_example(self) -> None:
        page = (DOCS / "dagsync.1").read_text().replace("\\-", "-")
        for command in commands_in_help():
            if any(other.startswith(command + " ") for other in commands_in_help()):
                continue
            self.assertIn(f".SS dagsync {command}\n", page)
            section = page.split(f".SS dagsync {command}\n")[1].split("\n.S")[0]
            self.assertIn(f"dagsync {command}", section.split("Example")[-1], command)

    def test_every_key_is_told(self) -> None:
        page = (DOCS / "dagsync.toml.5").read_text()
        for key in re.findall(r"^#?([a-z_]+) +=", SAMPLE.read_text(), re.M):
            self.assertIn(f"\n\\fB{key}\\fR (", page)


class Shells(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.home = pathlib.Path(directory.name)
        (self.home / "functions").mkdir()
        shutil.copy(DOCS / "dagsync.zsh", self.home / "functions/_dagsync")
        (self.home / "my.toml").write_text('[[folder]]\nname = "dags"\n[[folder]]\nname="plugins"\n')

    def read_until(self, terminal: int, word: str, quiet: float = 0) -> str:
        """What the shell writes until `word` is there, and then until nothing came for so long."""
        text, end = "", time.monotonic() + BOUND_S
        while time.monotonic() < end:
            ready = select.select([terminal], [], [], quiet if word in text else 0.2)[0]
            if ready:
                text += os.read(terminal, 65536).decode(errors="replace")
            elif word in text:
                return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
        self.fail(f"no {word!r} in {text!r}")

    def start(self, shell: str) -> int:
        """The terminal of a shell with the completions."""
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(self.home)
            os.environ |= {"TERM": "dumb", "HOME": str(self.home), "HISTFILE": "/dev/null",
                           "DAGSYNC_CONFIG": str(self.home / "my.toml"), "COLUMNS": "200"}
            os.execvp(SHELLS[shell][0], SHELLS[shell])

        def end() -> None:
            os.kill(pid, signal.SIGKILL)
            os.close(terminal)
            os.waitpid(pid, 0)

        self.addCleanup(end)
        setup = SETUP[shell].format(docs=DOCS, functions=self.home / "functions")
        os.write(terminal, setup.encode())
        self.read_until(terminal, "READY> ")
        return terminal

    def completed(self, terminal: int, line: str, expected: str) -> str:
        """What the shell shows after a Tab (twice) behind `line`; it must have `expected`."""
        os.write(terminal, f"{line}\t\t".encode())
        shown = self.read_until(terminal, expected, quiet=0.3)
        os.write(terminal, b"\x03")
        self.read_until(terminal, "READY> ")
        return shown

    def check_at_a_prompt(self, shell: str) -> None:
        if not shutil.which(shell):
            self.skipTest(f"no {shell} here")
        terminal = self.start(shell)
        for line, expected, more, never in (
            ("dagsync ver", "verify", ["versions"], ["status"]),
            ("dagsync certs re", "certs renew", [], []),
            ("dagsync push --min", "--min-acks", [], []),
            ("dagsync daemon --log-level ", "warning", ["debug", "error"], ["--check"]),
            ("dagsync resume ", "plugins", ["dags"], []),
            ("dagsync verify --folder pl", "--folder plugins", [], []),
            ("dagsync --config my", "my.toml", [], []),
            ("dagsync status --config push --wat", "--watch", [], []),
        ):
            shown = self.completed(terminal, line, expected)
            for word in more:
                self.assertIn(word, shown, f"{shell}: {line}")
            for word in never:
                self.assertNotIn(word, shown, f"{shell}: {line}")

    def test_bash(self) -> None:
        self.check_at_a_prompt("bash")

    def test_zsh(self) -> None:
        self.check_at_a_prompt("zsh")

    def test_fish(self) -> None:
        if not shutil.which("fish"):
            self.skipTest("no fish here")

        def offered(line: str) -> list[str]:
            script = f"source {DOCS}/dagsync.fish; complete -C '{line}'"
            done = subprocess.run(
                ["fish", "--no-config", "-c", script], capture_output=True, text=True, cwd=self.home,
                env=os.environ | {"HOME": str(self.home), "DAGSYNC_CONFIG": str(self.home / "my.toml")})
            self.assertEqual(done.stderr, "", line)
            return [entry.split("\t")[0] for entry in done.stdout.splitlines()]

        self.assertEqual(sorted(offered("dagsync ver")), ["verify", "versions"])
        self.assertEqual(offered("dagsync certs re"), ["renew"])
        self.assertEqual(offered("dagsync push --min"), ["--min-acks"])
        self.assertEqual(sorted(offered("dagsync daemon --log-level ")),
                         ["debug", "error", "info", "warning"])
        self.assertEqual(sorted(offered("dagsync resume ")), ["dags", "plugins"])
        self.assertEqual(offered("dagsync --config my"), ["my.toml"])

    def test_they_are_well_formed(self) -> None:
        for shell in ("bash", "zsh", "fish"):
            with self.subTest(shell):
                if shutil.which(shell) is None:
                    self.skipTest(f"no {shell} here")
                done = subprocess.run([shell, "-n", DOCS / f"dagsync.{shell}"], capture_output=True)
                self.assertEqual((done.returncode, done.stderr), (0, b""), shell)


if __name__ == "__main__":
    skips.main(argv=sys.argv[:1] + sys.argv[4:], verbosity=2)
