"""A node that the system gives too little works with less, and says so."""

from __future__ import annotations

import subprocess
import unittest

from case import FreshMesh

DIRECTORIES = 8
# In a user namespace of its own the daemon may watch four directories.
FEW_WATCHES = [
    *("unshare", "--user", "--map-root-user", "sh", "-c"),
    'echo 4 > /proc/sys/user/max_inotify_watches && exec "$0" "$@"',
]


def can_limit_watches() -> bool:
    return subprocess.run([*FEW_WATCHES, "true"], capture_output=True).returncode == 0


class Watches(FreshMesh):
    @unittest.skipUnless(can_limit_watches(), "no user namespaces here")
    def test_watches_run_out_and_the_rest_is_polled(self) -> None:
        self.mesh["b"].launcher = FEW_WATCHES
        a, b, c = self.begin()
        for index in range(DIRECTORIES):
            a.write(f"team{index}/dag.py", b"from a")
        self.mesh.converge()
        self.mesh.wait_until(
            lambda: "max_user_watches" in b.folder_status().get("state_reason", ""),
            "b names the limit",
        )
        for index in range(DIRECTORIES):
            b.write(f"team{index}/own.py", b"from b")
        self.assertEqual(b.run("status", "--wait", "20").returncode, 0)
        for index in range(DIRECTORIES):
            self.assert_content(f"team{index}/own.py", b"from b", a, c)


if __name__ == "__main__":
    unittest.main()
