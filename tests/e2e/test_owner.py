"""`[[folder]] owner = "keep"`: to whom things belong travels; what cannot be given is told."""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import subprocess
import unittest
from pathlib import Path

from case import FreshMesh, SharedMesh
from mesh import Mesh
from node import Node

NOBODY_S_NUMBER = 4_000_000  # of which no machine has a name
MANY_BYTES = 4 << 20
FEW_BYTES = 64 << 10


def owner_of(one: Node, name: str) -> tuple[int, int]:
    seen = os.lstat(one.path(name))
    return seen.st_uid, seen.st_gid


def ids_of(user: str, group: str) -> tuple[int, int]:
    return pwd.getpwnam(user).pw_uid, grp.getgrnam(group).gr_gid


def give(one: Node, name: str, owner: tuple[int, int]) -> None:
    os.chown(one.path(name), *owner, follow_symlinks=False)


def need_root() -> None:
    if os.geteuid() != 0:
        raise unittest.SkipTest("only root can give files away")


def wait_owner(mesh: Mesh, name: str, owner: tuple[int, int], *nodes: Node) -> None:
    for one in nodes or mesh.running():
        mesh.wait_until(
            lambda: one.has(name) and owner_of(one, name) == owner,
            f"{name} belongs to {owner} on {one.name}",
        )


class Keep(SharedMesh):
    options = {"folder": {"owner": "keep"}, "more": ["ci"]}

    @classmethod
    def setUpClass(cls) -> None:
        need_root()
        super().setUpClass()
        cls.nobody = ids_of("nobody", "nogroup")
        cls.daemon = ids_of("daemon", "daemon")

    def test_a_new_file_directory_and_symlink_belong_to_the_same_everywhere(self) -> None:
        os.mkdir(self.a.path("new"))
        self.a.write("new/file", b"bytes")
        os.symlink("file", self.a.path("new/link"))
        for name in ("new", "new/file", "new/link"):
            give(self.a, name, self.nobody)
        for name in ("new", "new/file", "new/link"):
            wait_owner(self.mesh, name, self.nobody)
        self.mesh.converge()
        self.assertEqual(os.stat(self.b.path("new/file")).st_mode & 0o7777, 0o644)

    def test_a_chown_travels_without_content_and_keeps_nothing(self) -> None:
        self.a.write("large", os.urandom(MANY_BYTES))
        self.mesh.converge()
        inode = os.stat(self.b.path("large")).st_ino
        received = self.b.bytes_received()
        for owner in (self.nobody, self.daemon):
            give(self.a, "large", owner)
            wait_owner(self.mesh, "large", owner)
        self.mesh.converge()
        self.assertLess(self.b.bytes_received() - received, FEW_BYTES)
        self.assertEqual(os.stat(self.b.path("large")).st_ino, inode)
        self.assertEqual(self.b.listed("versions", "large"), [])

    def test_a_chown_on_any_node_of_each_kind(self) -> None:
        os.mkdir(self.a.path("kinds"))
        self.a.write("kinds/file", b"bytes")
        os.symlink("file", self.a.path("kinds/link"))
        self.mesh.converge()
        for one, owner in ((self.b, self.nobody), (self.c, self.daemon)):
            for name in ("kinds", "kinds/file", "kinds/link"):
                give(one, name, owner)
                wait_owner(self.mesh, name, owner)
        self.mesh.converge()
        self.assertEqual(self.conflicts(), [])

    def test_a_number_without_a_name_travels_as_a_number(self) -> None:
        self.a.write("number", b"bytes")
        give(self.a, "number", (NOBODY_S_NUMBER, self.daemon[1]))
        wait_owner(self.mesh, "number", (NOBODY_S_NUMBER, self.daemon[1]))
        self.mesh.converge()

    def test_an_edit_and_a_rename_keep_the_owner(self) -> None:
        self.a.write("edited", b"one")
        give(self.a, "edited", self.nobody)
        wait_owner(self.mesh, "edited", self.nobody)
        with open(self.b.path("edited"), "wb") as out:  # in place: it stays whose it is
            out.write(b"two")
        self.mesh.wait_content("edited", b"two")
        os.rename(self.c.path("edited"), self.c.path("renamed"))
        self.mesh.wait_content("renamed", b"two")
        self.mesh.converge()
        wait_owner(self.mesh, "renamed", self.nobody)

    def test_a_deleted_file_is_restored_with_its_owner(self) -> None:
        self.a.write("deleted", b"bytes")
        give(self.a, "deleted", self.nobody)
        wait_owner(self.mesh, "deleted", self.nobody)
        self.mesh.converge()
        os.unlink(self.a.path("deleted"))
        self.mesh.wait_content("deleted", None)
        self.mesh.converge()
        self.assert_status(self.b.run("restore", "deleted"), 0)
        wait_owner(self.mesh, "deleted", self.nobody)
        self.mesh.converge()

    def test_a_push_without_a_daemon_leaves_files_whose_they_are(self) -> None:
        self.a.write("pushed", b"one")
        give(self.a, "pushed", self.nobody)
        wait_owner(self.mesh, "pushed", self.nobody)
        runner = self.mesh.new_node("ci")
        (runner.folder / "pushed").write_bytes(b"two")
        self.mesh.configure(runner)
        pushed = runner.run("push", "--to", self.b.address, "--from", str(runner.folder))
        self.assert_status(pushed, 0)
        self.mesh.wait_content("pushed", b"two")
        wait_owner(self.mesh, "pushed", self.nobody)
        self.mesh.converge()

    @classmethod
    def prepare(cls) -> None:
        for one in cls.mesh.nodes:
            cls.mesh.configure(one, more_peers=[{"name": "ci", "may": ["send"]}])


class KeepHereAndThere(FreshMesh):
    """a and c keep owners, b does not, and all that a and c hear of each other comes from b."""

    options = {"links": True}

    def setUp(self) -> None:
        need_root()
        super().setUp()
        for name in ("a", "c"):
            self.mesh.configure(self.mesh[name], folder={"owner": "keep"})

    def test_a_node_between_that_keeps_none_erases_none(self) -> None:
        a, b, c = self.begin()
        nobody = ids_of("nobody", "nogroup")
        self.mesh.links.cut("a", "c")
        a.write("file", b"one")
        give(a, "file", nobody)
        wait_owner(self.mesh, "file", nobody, c)
        self.assertEqual(owner_of(b, "file"), (0, 0))
        b.write("file", b"two")
        self.mesh.wait_content("file", b"two")
        for one in (a, c):
            self.assertEqual(owner_of(one, "file"), nobody)

        # What b makes has no owner that anybody has told: a and c leave it alone, until one of them
        # gives it away.
        b.write("made", b"bytes")
        self.mesh.wait_content("made", b"bytes")
        before = a.folder_status()["sequence"], c.folder_status()["sequence"]
        self.mesh.fence(b)
        self.assertEqual((a.folder_status()["sequence"], c.folder_status()["sequence"]), before)
        give(c, "made", nobody)
        wait_owner(self.mesh, "made", nobody, a)
        self.assertEqual(owner_of(b, "made"), (0, 0))


class SwitchedOn(FreshMesh):
    """`keep` comes to folders that have their files already."""

    options = {"n": 2}

    def setUp(self) -> None:
        need_root()
        super().setUp()

    def test_what_stood_there_is_told_when_it_is_given_anew(self) -> None:
        a, b = self.begin()
        nobody = ids_of("nobody", "nogroup")
        a.write("dags/file", b"bytes")
        os.symlink("file", a.path("dags/link"))
        names = ("dags", "dags/file", "dags/link")
        for name in names:
            give(a, name, nobody)
            # What was changed a moment before it was looked at is looked at again.
            os.utime(a.path(name), (1e9, 1e9), follow_symlinks=False)
        self.mesh.fence(a)
        self.mesh.converge()
        self.mesh.stop()
        for one in (a, b):
            self.mesh.configure(one, folder={"owner": "keep"})
        self.mesh.start()
        self.mesh.wait_in_sync()
        self.mesh.fence(a)
        for one in (a, b):
            self.assert_status(one.run("verify"), 0)
        for name in names:
            self.assertEqual((owner_of(a, name), owner_of(b, name)), (nobody, (0, 0)))
        for name in names[1:]:  # to the one who has them
            give(a, name, nobody)
            wait_owner(self.mesh, name, nobody)
        daemon = ids_of("daemon", "daemon")
        give(a, "dags", daemon)
        wait_owner(self.mesh, "dags", daemon)
        self.mesh.converge()


class Unknown(FreshMesh):
    """b has another list of users: the one whom the file belongs to is missing there."""

    options = {"n": 2, "folder": {"owner": "keep"}}

    def setUp(self) -> None:
        need_root()
        super().setUp()
        self.users = self.mesh.root / "passwd"
        everybody = Path("/etc/passwd").read_text().splitlines(keepends=True)
        self.users.write_text("".join(line for line in everybody if not line.startswith("games:")))
        script = f"mount --bind {self.users} /etc/passwd && exec \"$@\""
        launcher = ["unshare", "--mount", "sh", "-c", script, "sh"]
        tried = subprocess.run([*launcher, "true"], capture_output=True, text=True)
        if tried.returncode != 0:
            self.skipTest(f"no mount of its own: {tried.stderr}")
        self.mesh["b"].launcher = launcher

    def test_it_is_published_and_told_and_mended_when_the_user_is_there(self) -> None:
        a, b = self.begin()
        games = ids_of("games", "games")
        a.write("dags/of-games.py", b"bytes")
        give(a, "dags/of-games.py", games)
        self.mesh.wait_content("dags/of-games.py", b"bytes")
        self.mesh.wait_until(
            lambda: "do not belong to games:games"
            in b.folder_status()["state_reason"],
            "b tells of the user that it does not know",
        )
        self.mesh.converge()
        self.assertIn("create that user", b.folder_status()["state_reason"])
        self.assertEqual(owner_of(b, "dags/of-games.py"), (0, 0))
        os.chmod(b.path("dags/of-games.py"), 0o600)  # a change of b does not erase it
        self.mesh.converge()
        self.assertEqual(owner_of(a, "dags/of-games.py"), games)
        verified = b.run("verify")
        self.assert_status(verified, 1)
        self.assertIn("it belongs to the daemon's user here, and not to games:games", verified.stdout)

        # In place: what is mounted is this file.
        self.users.write_bytes(Path("/etc/passwd").read_bytes())
        self.mesh.wait_until(
            lambda: b.run("verify", "--repair").returncode == 0, "the repair gives it", 30
        )
        self.assertEqual(owner_of(b, "dags/of-games.py"), games)
        self.assertEqual(b.folder_status()["state_reason"], "")
        self.assertEqual(b.listed("versions", "dags/of-games.py"), [])
        self.mesh.converge()
        self.assert_status(a.run("verify"), 0)


class NotAllowed(FreshMesh):
    """b runs as root, but without CAP_CHOWN."""

    options = {"n": 2}

    def setUp(self) -> None:
        need_root()
        if shutil.which("setpriv") is None:
            self.skipTest("no setpriv (util-linux)")
        super().setUp()
        self.b = self.mesh["b"]
        self.b.launcher = ["setpriv", "--bounding-set", "-chown"]

    def degraded(self) -> str:
        return self.b.folder_status()["state_reason"]

    def published_all_the_same(self, of_whom: str) -> None:
        a, b = self.begin()
        a.write("file", b"bytes")
        give(a, "file", ids_of("nobody", "nogroup"))
        self.mesh.wait_content("file", b"bytes")
        self.mesh.converge()
        self.mesh.wait_until(lambda: of_whom in self.degraded(), "b tells of it")
        self.assertIn("CAP_CHOWN", self.degraded())
        self.assertIn("any-owner.conf", self.degraded())
        self.assertEqual(owner_of(b, "file"), (0, 0))
        self.assertIn("needs CAP_CHOWN, which this process lacks", b.log_text())

    def test_what_it_may_not_give_stays_and_takes_it_from_nobody_elsewhere(self) -> None:
        """The file is a third user's on b; what b does to it is no chown."""
        for one in self.mesh.nodes:
            self.mesh.configure(one, folder={"owner": "keep"})
        a, b = self.begin()
        nobody, games = ids_of("nobody", "nogroup"), ids_of("games", "games")
        a.write("file", b"bytes")
        self.mesh.wait_content("file", b"bytes")
        give(b, "file", games)
        wait_owner(self.mesh, "file", games)
        give(a, "file", nobody)
        self.mesh.wait_until(lambda: "do not belong to nobody" in self.degraded(), "b tells of it")
        os.chmod(b.path("file"), 0o600)
        self.mesh.wait_until(
            lambda: os.lstat(a.path("file")).st_mode & 0o777 == 0o600, "the chmod is on a")
        self.mesh.converge()
        self.assertEqual((owner_of(a, "file"), owner_of(b, "file")), (nobody, games))
        self.assertIn("do not belong to nobody", self.degraded())

    def checked(self, owner: str) -> subprocess.CompletedProcess:
        self.mesh.configure(self.b, folder={"owner": owner})
        command = [*self.b.launcher, os.environ.get("DAGSYNC_BIN", "dagsync"), "daemon", "--check"]
        return subprocess.run(
            [*command, "--config", str(self.b.config)], capture_output=True, text=True
        )

    def test_keep(self) -> None:
        for one in self.mesh.nodes:
            self.mesh.configure(one, folder={"owner": "keep"})
        self.published_all_the_same("nobody:nogroup")

    def test_a_fixed_owner(self) -> None:
        self.mesh.configure(self.b, folder={"owner": "daemon:daemon"})
        self.published_all_the_same("daemon:daemon")

    def test_the_check_says_so_at_once(self) -> None:
        for owner, is_possible in (
            ("keep", False),
            ("daemon:daemon", False),
            ("root", True),
            ("", True),
        ):
            done = self.checked(owner)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual("needs CAP_CHOWN" in done.stderr, not is_possible, done.stderr)
        self.b.launcher = []
        self.assertNotIn("CAP_CHOWN", self.checked("keep").stderr)


if __name__ == "__main__":
    unittest.main()
