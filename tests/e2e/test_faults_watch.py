"""inotify that cannot keep up: lost events and missing watches cost time, never a change.

The event queue is made to overflow by stopping the daemon and making more events than it may hold:
fs.inotify.max_queued_events belongs to the whole machine, and no test may touch it.
"""

from __future__ import annotations

import os
import unittest
from pathlib import Path

from case import FreshMesh
from skips import HERE
from test_limits import FEW_WATCHES, can_limit_watches

QUEUE = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
MOST = 100_000  # more would take too long


class Overflow(FreshMesh):
    @unittest.skipUnless(QUEUE <= MOST, f"{HERE}max_queued_events is {QUEUE}, too many to fill")
    def test_what_was_in_lost_events_is_found(self) -> None:
        a, b, c = self.begin()
        for index in range(60):
            a.write(f"old/{index}.py", str(index))
        os.mkdir(a.path("noise"))
        self.mesh.converge()
        a.pause()
        for index in range(QUEUE + 100):  # two names in turn, so that no event equals the last
            os.close(os.open(a.path(f"noise/{index % 2}.txt"), os.O_CREAT | os.O_WRONLY))
        a.write("old/0.py", "edited behind the overflow")  # none of these leaves an event
        a.write("deep/er/new.py", "made behind the overflow")
        os.unlink(a.path("old/1.py"))
        os.rename(a.path("old/2.py"), a.path("old/two.py"))
        os.chmod(a.path("old/3.py"), 0o600)
        a.proceed()
        self.mesh.converge(bound=60)
        self.assertIn("events were lost", a.log_text())
        self.assert_content("old/0.py", b"edited behind the overflow")
        self.assert_content("deep/er/new.py", b"made behind the overflow")
        self.assert_content("old/1.py", None)
        self.assert_content("old/two.py", b"2")
        a.write("deep/er/new.py", "the new directory is watched")
        self.mesh.wait_content("deep/er/new.py", b"the new directory is watched")
        self.assertEqual(self.conflicts(), [])


@unittest.skipUnless(can_limit_watches(), "no user namespaces here")
class FewWatches(FreshMesh):
    def test_all_kinds_of_changes_below_what_is_only_polled(self) -> None:
        self.mesh["b"].launcher = FEW_WATCHES
        a, b, c = self.begin()
        for index in range(8):
            a.write(f"team{index}/sub/dag.py", b"from a")
            a.write(f"team{index}/gone.py", b"from a")
        self.mesh.converge()
        self.mesh.wait_until(
            lambda: "max_user_watches" in b.folder_status().get("state_reason", ""),
            "b names the limit",
        )
        for index in range(8):
            b.write(f"team{index}/sub/dag.py", f"edited on b {index}")
            b.write(f"team{index}/new/deep/er.py", b"made on b")
            os.unlink(b.path(f"team{index}/gone.py"))
        for index in range(8):
            self.mesh.wait_content(f"team{index}/sub/dag.py", f"edited on b {index}".encode())
            self.mesh.wait_content(f"team{index}/new/deep/er.py", b"made on b")
            self.mesh.wait_content(f"team{index}/gone.py", None)
        a.write("team7/sub/dag.py", b"and back from a")
        self.mesh.wait_content("team7/sub/dag.py", b"and back from a")
        self.mesh.converge()
        b.launcher = []
        b.restart()
        self.mesh.converge()
        self.assertNotIn("max_user_watches", b.folder_status().get("state_reason", ""))
        self.assertEqual(self.conflicts(), [])


if __name__ == "__main__":
    unittest.main()
