#!/usr/bin/env python3
"""From the .deb to three nodes in sync, with nothing but what README.md and `dagsync init` print.

    three_nodes_test.py CPACK BUILD_DIRECTORY SOURCE_DIRECTORY

The commands are read out of README.md, "Installing it on three nodes", and run in three roots, each in a
network name space of its own (machine.py stands for systemd, ssh and sshd). Needs root; without, it
says so (tests/e2e/skips.py).
"""

from __future__ import annotations

import json

from machines import DAGS, NODES, ThreeMachines, commands_of, main, section_of_readme

SECTION = "Installing it on three nodes"


class ThreeNodes(ThreeMachines):
    def test_the_commands_of_the_readme_lead_to_three_nodes_in_sync(self) -> None:
        done_on: dict[str, tuple[str, ...]] = {}
        printed = ""
        for where, commands in commands_of(section_of_readme(SECTION)):
            if where.startswith("once, in a clone"):
                self.assertIn(self.package.name, where, "what is made there")
                self.assertIn("cpack", "".join(commands))
                nodes = ()
            else:
                nodes = NODES if where.startswith("on every node") else NODES[:1]
            done_on[where] = nodes
            for name in nodes:
                for command in commands:
                    said = self.on(name, command)
                    if "dagsync init" in command:
                        printed = self.follow(said)
        self.assertEqual(len(done_on), 4, done_on)
        self.assertIn("systemctl enable --now dagsync\n", printed)
        self.check_mesh(DAGS, "dagsync.toml", "tls")
        for name in NODES:
            self.check_daemon(name)
            self.on(name, "systemctl reload dagsync")
        self.add_a_second_mesh()

    def test_certificates_and_the_ca_are_changed_as_the_readme_has_it(self) -> None:
        for name in NODES:
            self.on(name, f"apt install ./{self.package.name}")
        self.follow(self.on(
            "node1", f"dagsync init --nodes {','.join(NODES)} --folder {DAGS}"))
        self.on("node1", "dagsync status --wait 60")
        steps = commands_of(section_of_readme("Operation"))
        self.assertEqual(len(steps), 7, "one renewal, and six steps to another CA")
        expected = dict.fromkeys(NODES, 0)  # how often each has taken over new files
        for where, commands in steps:
            before = {name: self.tls_digest(name) for name in NODES}
            for name in NODES if where.startswith("on every node") else NODES[:1]:
                for command in commands:
                    self.on(name, command)
            for name in NODES:
                if self.tls_digest(name) != before[name]:
                    expected[name] += 1
                self.wait(lambda: self.times_taken_over(name) >= expected[name],
                          f"{name} says that they are in force, after: {where}")
                self.on(name, "dagsync status --wait 60")
        self.assertEqual(expected, {"node1": 3, "node2": 4, "node3": 3})
        for name in NODES:
            shown = self.on(name, "dagsync certs show")
            self.assertEqual(shown.count("  CA  "), 1, shown)
            self.assertIn("key          matches", shown)
            self.assertNotIn("not signed by our CA", self.journal(name))
            self.assertNotIn("not in force", self.journal(name))
        new = self.on("node1", "cat /etc/dagsync/ca/ca.crt")
        self.assertEqual({self.on(name, "cat /etc/dagsync/tls/ca.crt") for name in NODES}, {new})
        self.check_mesh(DAGS, "dagsync.toml", "tls")

    def journal(self, name: str) -> str:
        return self.on(name, "cat /var/log/journal-of-dagsync")

    def times_taken_over(self, name: str) -> int:
        return self.journal(name).count("the new files of [tls] are in force")

    def tls_digest(self, name: str) -> str:
        return self.on(name, "cat /etc/dagsync/tls/* | sha256sum")

    def add_a_second_mesh(self) -> None:
        """As the README has it: another NAME.toml, and the unit that is a template."""
        folder = "/home/airflow/staging"
        for name in NODES:
            self.on(name, f"mkdir {folder}", user="airflow")
        nodes = ",".join(f"{name}={name}:7421" for name in NODES)
        printed = self.follow(self.on(
            "node1",
            f"dagsync init --config /etc/dagsync/staging.toml --nodes {nodes} --folder {folder}"))
        self.assertIn("systemctl enable --now dagsync@staging\n", printed)
        self.check_mesh(folder, "staging.toml", "tls-staging")
        self.check_mesh(DAGS, "dagsync.toml", "tls")

    def check_mesh(self, folder: str, config: str, tls: str) -> None:
        """A DAG saved on each is on all, and each says that they are in sync."""
        which = f"--config /etc/dagsync/{config}"
        for name in NODES:
            self.on(name, f"printf 'dag of {name}' >{folder}/{name}.py", user="airflow")
            for other in NODES:
                self.wait_content(other, f"{folder}/{name}.py", f"dag of {name}")
        for name in NODES:
            self.assertIn("in sync", self.on(name, f"dagsync status {which} --wait 60"))
            status = json.loads(self.on(name, f"dagsync status {which} --json"))
            self.assertEqual([each["connected"] for each in status["peers"]], [True, True], status)
            self.assertEqual(status["warnings"], [])
            shown = self.on(name, f"dagsync certs show {which}")
            for part in (name, f"/etc/dagsync/{tls}/node.crt", f"{tls}/ca.crt", "matches"):
                self.assertIn(part, shown)

    def check_daemon(self, name: str) -> None:
        """It runs as whom the folder belongs to, with the unit's one right, and files are theirs."""
        pid = self.on(name, "pidof -s dagsync").strip()
        found = dict(line.split(":\t") for line in
                     self.on(name, f"grep -E '^(Uid|CapEff|CapBnd|NoNewPrivs)' /proc/{pid}/status")
                     .splitlines())
        self.assertEqual(found["Uid"].split()[0], "1000")
        self.assertEqual(int(found["CapEff"], 16), 1 << 28, "CAP_LEASE alone")
        self.assertEqual(int(found["CapBnd"], 16), 1 << 28)
        owners = self.on(name, f"stat -c '%U %a' {DAGS}/node*.py /etc/dagsync/tls/node.key")
        self.assertEqual(owners.splitlines(), ["airflow 644"] * 3 + ["airflow 600"])
        self.assertEqual(self.on(name, "stat -c '%G %a' /run/dagsync/control.sock"), "dagsync 660\n")


if __name__ == "__main__":
    main()
