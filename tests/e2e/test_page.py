"""The web page, in a real browser: what it shows, how soon, and whether everybody can read it."""

import os
import time
import unittest

import web
from browser import Browser
from case import SharedMesh
from node import PATIENCE

SOON_S = 2.0
# The least contrast of any visible text with what is painted behind it, and the text.
CONTRAST = """
const luminance = (color) => {
  const [r, g, b] = color.slice(0, 3).map((v) => {
    v /= 255;
    return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const numbers = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
const opaque = (text) => { const c = numbers(text); return c.length === 3 || c[3] === 1 ? c : null; };
const ground = (element) => {
  for (let each = element; each; each = each.parentElement) {
    const color = opaque(getComputedStyle(each).backgroundColor);
    if (color && numbers(getComputedStyle(each).backgroundColor).length) return color;
  }
  return [255, 255, 255];
};
let worst = [99, ""];
let looked = 0;
for (const element of document.body.querySelectorAll("*")) {
  const own = [...element.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
  const box = element.getBoundingClientRect();
  if (!own || element.tagName === "TITLE" || box.width < 2 || box.right < 0) continue;
  ++looked;
  const drawn = element.namespaceURI.endsWith("svg");
  const front = numbers(getComputedStyle(element)[drawn ? "fill" : "color"]);
  const back = drawn ? numbers(getComputedStyle(document.querySelector("#mesh rect")).fill) : ground(element);
  const [a, b] = [luminance(front), luminance(back)].sort((x, y) => y - x);
  const ratio = (a + 0.05) / (b + 0.05);
  if (ratio < worst[0]) worst = [ratio, `${element.tagName}.${element.getAttribute("class")}: ${element.textContent}`];
}
return [...worst, looked];
"""
NODES = """return Object.fromEntries([...document.querySelectorAll("#mesh g")]
  .map((g) => [g.dataset.node, g.dataset.state]))"""
# What covers what in the drawing of a mesh of so many nodes: pairs of boxes, and words that a box covers.
COVERED = """
const count = arguments[0];
const names = [...Array(count).keys()].map((number) => `node${number}`);
const peer = (name) => ({ name, connected: true, rtt_ms: 0.5, connected_to: names });
const share = (name) => ({ name, counted: true, in_sync: true, accepts: true, behind_files: 0 });
const others = names.slice(1);
const status = { node: names[0], peers: others.map(peer),
  folders: [{ name: "dags", state: "idle", peers: others.map(share) }] };
return import("/mesh.js").then(({ drawMesh }) => {
  drawMesh(status);
  const boxes = [...document.querySelectorAll("#mesh g rect")].map((each) => each.getBoundingClientRect());
  const words = [...document.querySelectorAll("#mesh > text")].map((each) => each.getBoundingClientRect());
  const cover = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
  const pairs = boxes.flatMap((box, at) => boxes.slice(at + 1).filter((other) => cover(box, other)));
  const hidden = words.filter((each) => boxes.some((box) => cover(each, box)));
  const drawing = document.querySelector("#mesh").getBoundingClientRect();
  const outside = boxes.filter((box) => box.left < drawing.left || box.right > drawing.right
    || box.top < drawing.top || box.bottom > drawing.bottom);
  return [boxes.length, words.length, pairs.length, hidden.length, outside.length];
});
"""
EVIL = "<img src=x onerror=alert(1)>\u202e'; rm $(x).py"


class Page(SharedMesh):
    @classmethod
    def setUpClass(cls) -> None:
        web.serve_mesh(cls)
        cls.browser = Browser()
        cls.addClassCleanup(cls.browser.close)

    def setUp(self) -> None:
        super().setUp()
        self.a, self.b, self.c = self.mesh.nodes
        self.browser.resize(1200)
        self.browser.prefer("light")
        self.browser.open(web.url(self.a))
        self.shows("#overall", "Everything in sync")

    def shows(self, selector: str, words: str, bound: float = 10) -> float:
        return self.mesh.wait_until(
            lambda: words in self.browser.text(selector), f"{selector} shows {words!r}", bound
        )

    def assert_calm(self) -> None:
        self.assertEqual([], self.browser.console())

    def test_1_a_mesh_in_sync(self) -> None:
        self.assertEqual("a", self.browser.text("#node"))
        self.assertEqual({"a": "good", "b": "good", "c": "good"}, self.browser.run(NODES))
        self.assertIn("b: in sync", self.browser.run("return document.getElementById('mesh-words').textContent"))
        self.assertEqual(3, self.browser.run("return document.querySelectorAll('#mesh line').length"))
        self.shows("#folders", "dags")
        self.shows("#conflicts", "None.")
        self.assertEqual("", self.browser.text("#attention"))
        self.assert_calm()

    def test_2_a_change_shows_at_once(self) -> None:
        began = time.monotonic()
        self.b.write("dags/new.py", b"print(1)\n")
        self.shows("#changes", "dags/new.py", SOON_S)
        self.assertLess(time.monotonic() - began, SOON_S * PATIENCE)
        row = self.browser.text("#changes li")
        self.assertIn("applied", row)
        self.assertIn("from b", row)
        self.mesh.converge()
        self.assert_calm()

    def test_2_pausing_is_no_alarm(self) -> None:
        self.assertEqual(self.a.run("pause", "dags").returncode, 0)
        self.addCleanup(self.mesh.wait_in_sync)
        self.addCleanup(self.a.run, "resume", "dags")
        self.shows("#overall", "Paused")
        self.shows("#folders .state", "Paused")
        self.shows("#problems .mild", "paused by the operator since")
        self.shows("#changes", "paused")
        self.assertEqual("busy", self.browser.run(NODES)["a"])
        self.assertNotIn("halted", self.browser.text("body").lower())
        self.assert_calm()

    def test_2_a_hook_that_fails_needs_attention(self) -> None:
        keys = {"http": f"{self.a.host}:{web.PORT}"}
        hook = '[[hook]]\non = "applied"\nrun = ["/bin/sh", "-c", "echo no way >&2; exit 7"]\n'

        def configure(extra: str) -> None:
            self.mesh.configure(self.a, node=keys, extra=extra)
            self.a.reload()

        self.addCleanup(configure, "")
        configure(hook)
        self.mesh.wait_until(lambda: self.a.status()["hooks"], "the hook is there")
        self.b.write("hooked.py", b"x")
        self.shows("#problems .mild", "Hook on applied of dags")
        self.shows("#problems .mild p", "/bin/sh: exit status 7: no way")
        self.mesh.converge()
        self.assert_calm()

    def test_3_names_of_files_are_text(self) -> None:
        self.b.write(EVIL, b"x")
        self.shows("#changes", "onerror=alert(1)>\\u{202e}'; rm $(x).py")
        self.assertEqual(0, self.browser.run("return document.querySelectorAll('main img').length"))
        self.mesh.converge()
        self.assert_calm()

    def test_4_a_conflict_with_what_was_kept(self) -> None:
        self.a.write("both $(x).py", b"first")
        self.mesh.converge()
        for one in (self.b, self.c):
            one.pause()
        self.a.write("both $(x).py", b"from a", mtime_ns=time.time_ns() - 10**9)
        self.mesh.wait_until(lambda: self.a.folder_status()["sequence"] >= 2, "a has seen its edit")
        self.b.write("both $(x).py", b"from b")
        for one in (self.b, self.c):
            one.proceed()
        self.mesh.converge()
        loser = next(one for one in self.mesh.nodes if one.listed("conflicts"))
        self.browser.open(web.url(loser))
        self.shows("#conflicts", "dagsync restore --folder dags --version")
        self.assertIn("-- 'both $(x).py'", self.browser.text("#conflicts code.command"))
        self.assert_calm()

    def test_5_everybody_can_read_it(self) -> None:
        for scheme in ("light", "dark"):
            self.browser.prefer(scheme)
            for width in (1200, 360):
                self.browser.resize(width)
                with self.subTest(scheme=scheme, width=width):
                    ratio, where, looked = self.browser.run(CONTRAST)
                    self.assertGreater(looked, 25)
                    self.assertGreaterEqual(ratio, 4.5, where)
                    extent = "return document.documentElement.scrollWidth"
                    self.assertLessEqual(self.browser.run(extent), width)
                    self.picture(f"{scheme}-{width}")
        self.assert_calm()

    def test_5_no_node_hides_another_one(self) -> None:
        for width in (1200, 360):
            self.browser.resize(width)
            for count in (2, 3, 5, 9, 30):
                with self.subTest(width=width, count=count):
                    boxes, words, *covered = self.browser.run(COVERED, count)
                    self.assertEqual(boxes, count)
                    self.assertEqual(covered, [0, 0, 0], "pairs of boxes, words, boxes outside")
                    if count == 3 and width == 1200:
                        self.assertEqual(words, 2)
        self.assert_calm()

    def test_6_the_keyboard_is_enough(self) -> None:
        visited = []
        for _ in range(8):
            self.browser.press("\ue004")  # Tab
            visited.append(
                self.browser.run(
                    "const e = document.activeElement;"
                    "return [e.id || e.className || e.textContent, getComputedStyle(e).outlineStyle]"
                )
            )
        self.assertEqual("skip", visited[0][0])
        names = [name for name, _ in visited]
        self.assertIn("pause", names)
        self.assertIn("changes", names)
        self.assertEqual({"solid"}, {outline for _, outline in visited[: names.index("changes") + 1]})
        self.browser.run("document.getElementById('pause').focus()")
        self.browser.press("\ue007")  # Enter
        self.shows("#pause", "Go on")

    def test_7_a_node_that_dies(self) -> None:
        self.c.kill()
        began = time.monotonic()
        self.shows("#overall", "1 node not connected", SOON_S)
        self.assertLess(time.monotonic() - began, SOON_S * PATIENCE)
        self.assertEqual({"a": "good", "b": "good", "c": "bad"}, self.browser.run(NODES))
        self.shows("#problems", "Node c")
        self.a.write("behind.py", b"x" * 5000)
        self.shows("#folders", "lacks")
        self.picture("killed")
        for scheme in ("light", "dark"):
            self.browser.prefer(scheme)
            ratio, where, _ = self.browser.run(CONTRAST)
            self.assertGreaterEqual(ratio, 4.5, where)
        self.assert_calm()
        self.c.start()
        self.shows("#overall", "Everything in sync")
        self.mesh.converge()

    def test_8_its_own_node_dies(self) -> None:
        self.a.kill()
        self.shows("#overall", "No answer", SOON_S + 1)
        self.shows("#lost", "What you see is from before")
        self.browser.console()  # that nothing answers is an error of the network
        self.a.start()
        self.shows("#overall", "Everything in sync", 20)
        self.assertEqual("", self.browser.text("#lost"))
        self.mesh.converge()

    def picture(self, name: str) -> None:
        """For people, where they ask for it."""
        directory = os.environ.get("DAGSYNC_E2E_PICTURES")
        if directory:
            self.browser.screenshot(f"{directory}/{name}.png")


if __name__ == "__main__":
    unittest.main()
