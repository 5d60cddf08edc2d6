"""Headless Chromium through its driver: the WebDriver protocol is JSON over HTTP, no more is needed."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request

from node import PATIENCE, end_with_the_test

STARTS_WITHIN_S = 30.0


class Browser:
    """One window; closed with `close()`, with everything it started."""

    def __init__(self, width: int = 1200, height: int = 900) -> None:
        self._home = tempfile.mkdtemp(prefix="dagsync-browser-")
        self._driver = subprocess.Popen(
            ["chromedriver", "--port=0", "--allowed-ips=127.0.0.1"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            preexec_fn=end_with_the_test,
        )
        self._session = ""
        try:
            started = next(
                found
                for line in self._driver.stdout
                if (found := re.search(r"started successfully on port (\d+)", line))
            )
            self._base = f"http://127.0.0.1:{started.group(1)}"
            arguments = [
                *("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
                *("--no-first-run", "--disable-background-networking", "--disable-sync"),
                *(f"--user-data-dir={self._home}", f"--window-size={width},{height}"),
            ]
            wanted = {
                "goog:chromeOptions": {"args": arguments},
                "goog:loggingPrefs": {"browser": "ALL"},
                "acceptInsecureCerts": True,
            }
            answer = self._ask("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
            self._session = f"/session/{answer['sessionId']}"
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        if self._session:
            self._ask("DELETE", self._session)
        self._driver.terminate()
        self._driver.wait()
        self._driver.stdout.close()
        shutil.rmtree(self._home, ignore_errors=True)

    def open(self, url: str) -> None:
        self._ask("POST", f"{self._session}/url", {"url": url})

    def run(self, script: str, *arguments: object) -> object:
        """What the script, the body of a function, returns."""
        body = {"script": script, "args": list(arguments)}
        return self._ask("POST", f"{self._session}/execute/sync", body)

    def text(self, selector: str) -> str:
        """What a person reads in the first such element; "" where there is none or it is hidden."""
        find = "const found = document.querySelector(arguments[0]);"
        return self.run(find + "return found?.checkVisibility() ? found.innerText : ''", selector)

    def press(self, key: str) -> None:
        keys = [{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]
        actions = [{"type": "key", "id": "keyboard", "actions": keys}]
        self._ask("POST", f"{self._session}/actions", {"actions": actions})

    def devtools(self, command: str, **parameters: object) -> object:
        body = {"cmd": command, "params": parameters}
        return self._ask("POST", f"{self._session}/goog/cdp/execute", body)

    def resize(self, width: int, height: int = 900) -> None:
        """The page's own width: a window of Chromium is never as narrow as a telephone."""
        self.devtools("Emulation.setDeviceMetricsOverride", width=width, height=height,
                      deviceScaleFactor=1, mobile=False)  # fmt: skip

    def prefer(self, scheme: str) -> None:
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.devtools("Emulation.setEmulatedMedia", features=[feature])

    def console(self) -> list[str]:
        """What the console has said since the last look."""
        entries = self._ask("POST", f"{self._session}/se/log", {"type": "browser"})
        return [f"{entry['level']}: {entry['message']}" for entry in entries]

    def screenshot(self, path: str) -> None:
        size = self.run("return [innerWidth, document.documentElement.scrollHeight]")
        self.resize(size[0], min(size[1], 4000))
        shot = self._ask("GET", f"{self._session}/screenshot")
        with open(path, "wb") as out:
            out.write(base64.b64decode(shot))

    def _ask(self, method: str, path: str, body: object = None) -> object:
        data = None if body is None else json.dumps(body).encode()
        head = {"Content-Type": "application/json"}
        request = urllib.request.Request(self._base + path, data, head, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=STARTS_WITHIN_S * PATIENCE) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{path}: {error.read().decode(errors='replace')}") from None
