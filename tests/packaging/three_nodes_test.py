#!/usr/bin/env python3
"""From the .deb to three nodes in sync, with nothing but what README.md and `dagsync init` print.

    three_nodes_test.py CPACK BUILD_DIRECTORY SOURCE_DIRECTORY

The commands are read out of README.md, "Installing it on three nodes", and run in three roots, each in a
network name space of its own (machine.py stands for systemd, ssh and sshd). Needs root; without, it
says so and is done.
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
