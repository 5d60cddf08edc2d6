#!/usr/bin/env python3
"""From csync2, from rsync by cron and from a share to dagsync and back, as README.md has it.

    moving_test.py CPACK BUILD_DIRECTORY SOURCE_DIRECTORY

The commands are read out of README.md, "Moving over", and run in three roots (machines.py). A share is
stood in for by a directory that is bound to the place of the mount on each machine.
"""

from __future__ import annotations

import json
import shutil

from machines import DAGS, NODES, ThreeMachines, commands_of, main, section_of_readme

GUIDE = "Moving over"
SHARE = "/run/wire/share"  # the same on all machines
INIT = f"dagsync init --nodes {','.join(NODES)} --folder {DAGS}"
LARGE = 4 << 20
CSYNC2 = """nossl * *;
group DAGS {
  host node1; host node2; host node3;
  key /etc/csync2.key_dags;
  include %dags%;
  exclude *.log;
  auto younger;
}
prefix dags { on *: """ + DAGS + """; }
"""
CRON = f"*/5 * * * * airflow rsync -a --delete {DAGS}/ node2:{DAGS}/"


def steps(*path: str) -> list[tuple[str, list[str]]]:
    return commands_of(section_of_readme(GUIDE, *path))


class Moving(ThreeMachines):
    def setUp(self) -> None:
        super().setUp()
        for name in NODES:
            self.on(name, f"apt install ./{self.package.name}")

    def nodes_of(self, where: str) -> tuple[str, ...]:
        return NODES if where.startswith("on every node") else NODES[:1]

    def follow_steps(self, parts: list[tuple[str, list[str]]]) -> None:
        for where, commands in parts:
            for name in self.nodes_of(where):
                for command in commands:
                    said = self.on(name, command)
                    if "dagsync init" in command:
                        self.printed = said

    def start_mesh(self) -> None:
        """What `init` printed, and the look at it all that the guide begins with."""
        self.follow(self.printed)
        looks = [part for part in steps() if "dagsync status" in "".join(part[1])]
        self.assertEqual(len(looks), 1)
        self.looked = {name: [self.on(name, command) for command in looks[0][1]] for name in NODES}

    def stop_mesh(self) -> None:
        for name in NODES:
            self.on(name, "dagsync status --wait 60")
        self.follow_steps([part for part in steps() if "disable --now" in "".join(part[1])])

    def write(self, name: str, file: str, content: str, when: str, folder: str = DAGS) -> None:
        command = f"printf '{content}' >{folder}/{file} && touch -d '{when}' {folder}/{file}"
        self.on(name, command, user="airflow")

    def content(self, name: str, file: str) -> str:
        return self.run_on(name, f"cat {DAGS}/{file}")[1]

    def listing(self, name: str) -> str:
        return self.on(name, f"cd {DAGS} && find . -printf '%P %y %u %m\\n' | sort")

    def equal_everywhere(self) -> None:
        """The folders, to the names of hidden files."""
        digests = {self.listing(name) + self.on(
            name, f"cd {DAGS} && find . -type f -print0 | sort -z | xargs -0r sha256sum")
            for name in NODES}
        self.assertEqual(len(digests), 1, digests)

    def bytes_received(self, name: str) -> int:
        status = json.loads(self.on(name, "dagsync status --json"))
        return sum(peer["bytes_received"] for peer in status["peers"])

    # --- what the folders hold -----------------------------------------------------------

    def fill(self, *nodes: str) -> None:
        """The same files in each, of other times; a large one would be seen on the wire."""
        for hours, name in enumerate(nodes, 1):
            self.write(name, "a.py", "the same", f"{hours} hours ago")
            self.on(name, f"yes large | head -c {LARGE} >{DAGS}/large.csv", user="airflow")

    def check_first_merge(self) -> None:
        """b.py differs, the younger one on node3; nothing else went over."""
        self.equal_everywhere()
        self.assertEqual({self.content(name, "b.py") for name in NODES}, {"younger"})
        for name in NODES:
            lost = json.loads(self.on(name, "dagsync conflicts --json"))
            expected = [] if name == "node3" else ["b.py"]
            self.assertEqual([each["path"] for each in lost], expected, name)
            self.assertLess(self.bytes_received(name), LARGE // 4)
        self.assertIn("b.py", self.looked["node1"][1])

    # --- the tests -----------------------------------------------------------------------

    def test_from_csync2_and_back(self) -> None:
        if shutil.which("csync2") is None:
            self.skipTest("no csync2 (packaging/install-deps --tests)")
        self.start_csync2()
        self.fill(*NODES)
        self.write("node1", "older.py", "x", "1 day ago")
        self.on("node1", "csync2 -xv")
        self.assertEqual(self.content("node3", "older.py"), "x", "csync2 works at all")

        knock = "bash -c '</dev/tcp/node2/30865'"
        self.on("node1", knock)

        way_there = steps("From csync2")
        back = next(i for i, (where, _) in enumerate(way_there) if "stopped on all" in where)
        init = next(i for i, (where, _) in enumerate(way_there) if where.startswith("on node1"))
        self.follow_steps(way_there[:init])
        self.assertNotEqual(self.run_on("node1", knock)[0], 0, "it is stopped")
        for hours, name in ((3, "node1"), (2, "node2"), (1, "node3")):
            word = "younger" if name == "node3" else "older"
            self.write(name, "b.py", word, f"{hours} hours ago")
        self.write("node2", "not-for-others.log", "x", "now")
        self.follow_steps(way_there[init:back])
        self.assertIn("*.log", self.on("node1", "cat /etc/dagsync/dagsync.toml"))
        self.assertEqual(self.on("node1", "ls -A /var/lib/dagsync"), "", "root has checked it only")
        self.start_mesh()
        self.on("node2", f"rm {DAGS}/not-for-others.log")
        self.check_first_merge()

        self.write("node2", "by-dagsync.py", "y", "now")
        self.wait_content("node3", f"{DAGS}/by-dagsync.py", "y")
        self.stop_mesh()
        self.equal_everywhere()
        self.follow_steps(way_there[back:])
        for name in NODES:
            self.assertEqual(self.run_on(name, "csync2 -M")[1], "", "nothing is dirty")
        self.write("node3", "a.py", "by csync2", "now")
        self.on("node3", "csync2 -xv")
        self.assertEqual({self.content(name, "a.py") for name in NODES}, {"by csync2"})
        self.equal_everywhere()

    def start_csync2(self) -> None:
        for name in NODES:
            self.on(name, "mkdir -p /var/lib/csync2 /etc/cron.d")
            (self.root / name / "root/etc/csync2.cfg").write_text(CSYNC2)
            (self.root / name / "root/etc/csync2.key_dags").write_text("k" * 64 + "\n")
            self.on(name, "echo '*/5 * * * * root csync2 -x' >/etc/cron.d/csync2")
            self.on(name, "systemctl enable --now csync2.socket")

    def test_from_rsync_by_cron_and_back(self) -> None:
        self.fill("node1")
        self.write("node1", "b.py", "right", "3 hours ago")
        self.write("node2", "b.py", "of a careless copy", "1 hour ago")
        self.write("node3", "deleted-long-ago.py", "x", "1 month ago")
        self.on("node1", f"mkdir -p /etc/cron.d; echo '{CRON}' >/etc/cron.d/dags-rsync")
        there, back = steps("From rsync by cron")
        for where, commands in (there, back):
            self.assertTrue(where.startswith("on every node where cron"), where)
        self.follow_steps([("on node1", there[1])])
        make_equal = next(part for part in steps() if "rsync" in "".join(part[1]))
        self.follow_steps([make_equal])
        self.printed = self.on("node1", INIT)
        self.start_mesh()
        self.equal_everywhere()
        for name in NODES:
            self.assertEqual(self.content(name, "b.py"), "right")
            self.assertEqual(json.loads(self.on(name, "dagsync conflicts --json")), [])
            self.assertLess(self.bytes_received(name), LARGE // 4)
        self.assertNotIn("deleted-long-ago", self.listing("node1"))

        self.write("node3", "by-dagsync.py", "y", "now")
        self.wait_content("node1", f"{DAGS}/by-dagsync.py", "y")
        self.stop_mesh()
        self.equal_everywhere()
        self.follow_steps([("on node1", back[1])])
        line = self.on("node1", "cat /etc/cron.d/dags-rsync").split(" ", 6)[-1]
        changes = self.on("node1", line.replace("rsync -a", "rsync -ain"), user="airflow")
        self.assertEqual(changes, "", "what rsync would do")

    def test_from_a_share_and_back(self) -> None:
        self.on("node1", f"mkdir {SHARE} && chown airflow:airflow {SHARE}")
        for name in NODES:
            self.on(name, f"echo '{SHARE} {DAGS} none bind 0 0' >/etc/fstab && mount {DAGS}")
        self.fill("node1")
        self.assertEqual(self.content("node3", "a.py"), "the same")
        parts = steps("From a Samba share, NFS or EFS")
        self.assertEqual(len(parts), 5)
        self.follow_steps(parts[:1])
        self.write("node2", "meanwhile.py", "x", "now")
        self.follow_steps(parts[1:3])
        self.printed = self.on("node1", INIT)
        self.start_mesh()
        self.equal_everywhere()
        self.assertIn("meanwhile.py", self.listing("node1"))
        for name in NODES:
            self.assertLess(self.bytes_received(name), LARGE // 4)

        self.write("node3", "by-dagsync.py", "y", "now")
        self.wait_content("node1", f"{DAGS}/by-dagsync.py", "y")
        self.assertNotIn("by-dagsync.py", self.on("node1", f"ls {SHARE}"))
        self.mount_it_over_the_folder("node2")
        self.stop_mesh()
        self.equal_everywhere()
        self.follow_steps(parts[3:])
        self.equal_everywhere()
        self.assertIn("by-dagsync.py", self.on("node1", f"ls -A {SHARE}"))

    def mount_it_over_the_folder(self, name: str) -> None:
        self.on(name, f"mount --bind {SHARE} {DAGS}")
        self.wait(lambda: "halted" in self.run_on(name, "dagsync status")[1], "it halts")
        self.on(name, f"umount {DAGS}")
        self.on(name, "dagsync resume dags")
        self.on(name, "dagsync status --wait 60")
        self.assertIn("by-dagsync.py", self.listing(name))


if __name__ == "__main__":
    main()
