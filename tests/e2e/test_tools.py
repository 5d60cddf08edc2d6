"""Real tools at work in a folder: git, unzip, tar, sed, cp, rsync, Python."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import unittest
import zipfile
from pathlib import Path

from case import FreshMesh, SharedMesh

GIT = ("git", "-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "core.fsync=none")


def no_git(path: bytes) -> bool:
    return path == b".git"


class Checkouts(FreshMesh):
    @unittest.skipUnless(shutil.which("git"), "git is not installed")
    def test_a_git_checkout_switches_between_two_branches(self) -> None:
        a, b, c = self.begin()

        def git(*arguments: str) -> None:
            subprocess.run([*GIT, "-C", str(a.folder), *arguments], check=True, capture_output=True)

        git("init", "-q", "-b", "main")
        for index in range(120):
            a.write(f"team{index % 6}/dag{index}.py", f"main {index}\n" * 40)
        git("add", "-A")
        git("commit", "-q", "-m", "main")
        git("checkout", "-q", "-b", "feature")
        shutil.rmtree(a.folder / "team5")  # 20 files go
        (a.folder / "team0" / "dag0.py").unlink()
        (a.folder / "team0" / "dag0.py").mkdir()  # a package takes a module's place
        a.write("team0/dag0.py/__init__.py", "package")
        for index in range(0, 100, 3):
            a.write(f"team{index % 5 + 10}/new{index}.py", "feature")
            a.write("team1/dag1.py", "edited on feature")
        git("add", "-A")
        git("commit", "-q", "-m", "feature")
        for branch in ("main", "feature", "main", "feature"):
            git("checkout", "-q", branch)
        self.mesh.converge(leave_out=no_git)
        self.assert_content("team0/dag0.py/__init__.py", b"package")
        git("checkout", "-q", "main")
        self.mesh.converge(leave_out=no_git)
        self.assert_content("team1/dag1.py", b"main 1\n" * 40)
        self.assertFalse(b.has(".git") or c.has(".git"), ".git/ stays where it is")
        self.assertFalse(b.has("team10"), "directories that the branch does not have are gone")
        self.assertEqual(self.conflicts(), [])


class Tools(SharedMesh):
    @unittest.skipUnless(shutil.which("unzip"), "unzip is not installed")
    def test_unzip_and_unzip_over_it(self) -> None:
        archive = self.a.home / "archive.zip"
        for text in ("first", "second"):
            with zipfile.ZipFile(archive, "w") as out:
                for index in range(200):
                    out.writestr(f"zipped/{index % 10}/{index}.py", f"{text} {index}\n" * 50)
            subprocess.run(["unzip", "-qo", archive, "-d", self.a.folder], check=True)
            self.mesh.wait_content("zipped/9/199.py", f"{text} 199\n".encode() * 50)
            self.mesh.converge()

    def test_tar_restores_times_modes_and_links(self) -> None:
        source = self.a.home / "packed"
        (source / "sub").mkdir(parents=True)
        for index in range(50):
            (source / "sub" / f"{index}.py").write_text(str(index))
            os.utime(source / "sub" / f"{index}.py", ns=(index, 10**18 + index))
        os.symlink("sub/1.py", source / "link")
        (source / "sub").chmod(0o750)
        archive = self.a.home / "packed.tar"
        subprocess.run(["tar", "-cf", archive, "-C", source.parent, "packed"], check=True)
        subprocess.run(["tar", "-xpf", archive, "-C", self.a.folder], check=True)
        self.mesh.wait_content("packed/sub/49.py", b"49")
        self.mesh.converge()

    def test_cp_keeps_and_copies_a_tree_of_python_modules(self) -> None:
        source = Path(json.__file__).parent.parent
        for package in ("json", "email", "importlib"):
            subprocess.run(["cp", "-rp", source / package, self.a.folder], check=True)
        self.mesh.wait_until(
            lambda: self.b.has("email/utils.py") and self.c.has("email/utils.py"), "email/utils.py"
        )
        self.mesh.converge(leave_out=lambda path: path.endswith(b"__pycache__"))
        found = [path for path in self.b.folder.rglob("__pycache__")]
        self.assertEqual(found, [], "what Python makes for itself stays on its node")
        shutil.rmtree(self.c.folder / "json")  # on a it holds a __pycache__, which goes with it
        self.mesh.wait_until(lambda: not self.a.has("json"), "json is gone from a")
        for cache in self.a.folder.rglob("__pycache__"):
            shutil.rmtree(cache)
        self.mesh.converge()

    def test_sed_in_place_on_many_files(self) -> None:
        for index in range(100):
            self.a.write(f"sed/{index}.py", "schedule = '@daily'\n")
        self.mesh.converge()
        files = [self.b.path(f"sed/{index}.py") for index in range(100)]
        subprocess.run(["sed", "-i", "s/daily/hourly/", *files], check=True)
        for index in (0, 99):
            self.mesh.wait_content(f"sed/{index}.py", b"schedule = '@hourly'\n")
        self.mesh.converge()
        self.assert_content("sed/50.py", b"schedule = '@hourly'\n")

    @unittest.skipUnless(shutil.which("rsync"), "rsync is not installed")
    def test_rsync_writes_and_deletes(self) -> None:
        source = self.a.home / "deploy"
        source.mkdir()
        for index in range(30):
            (source / f"{index}.py").write_text(str(index))
        deploy = ["rsync", "-a", "--delete", f"{source}/", str(self.a.folder / "deployed")]
        subprocess.run(deploy, check=True)
        self.mesh.wait_content("deployed/29.py", b"29")
        (source / "29.py").unlink()
        (source / "0.py").write_text("changed")
        subprocess.run(deploy, check=True)
        self.mesh.wait_content("deployed/29.py", None)
        self.mesh.wait_content("deployed/0.py", b"changed")
        self.mesh.converge()


if __name__ == "__main__":
    unittest.main()
