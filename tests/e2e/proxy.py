"""Links between nodes that a test can cut, stall and restore, without root.

Each ordered pair of nodes has a listening address of its own, which forwards to where the second
node really listens. One thread accepts per pair, two carry each connection; all of them end when
`close()` returns.
"""

from __future__ import annotations

import socket
import threading
from itertools import permutations

Address = tuple[str, int]
BLOCK = 1 << 18


class Links:
    """The links of a whole mesh. All methods are called from the test's thread."""

    def __init__(self) -> None:
        self._routes: dict[tuple[str, str], _Route] = {}
        self._flows: dict[tuple[str, str], threading.Event] = {}

    def add(self, source: str, target: str, listen: Address, forward: Address) -> None:
        """`source` reaches `target`, who listens at `forward`, by dialling `listen`."""
        for pair in ((source, target), (target, source)):
            if pair not in self._flows:
                self._flows[pair] = threading.Event()
                self._flows[pair].set()
        ways = self._flows[source, target], self._flows[target, source]
        self._routes[source, target] = _Route(listen, forward, *ways)

    def cut(self, *nodes: str) -> None:
        """Ends the connections among `nodes`, and refuses new ones."""
        for pair in permutations(nodes, 2):
            self._routes[pair].shut()

    def isolate(self, node: str) -> None:
        for pair in self._routes:
            if node in pair:
                self._routes[pair].shut()

    def stall(self, source: str, target: str) -> None:
        """From now on what `source` says does not reach `target`; nobody is told (one way)."""
        self._flows[source, target].clear()

    def blackhole(self, one: str, two: str) -> None:
        """Stalls both ways."""
        self.stall(one, two)
        self.stall(two, one)

    def restore(self) -> None:
        """Everything flows again; what was stalled is delivered, as TCP would."""
        for flow in self._flows.values():
            flow.set()
        for route in self._routes.values():
            route.open()

    def carried(self, source: str, target: str) -> int:
        """Bytes so far from `source` to `target`, whoever dialled."""
        return self._routes[source, target].sent + self._routes[target, source].received

    def close(self) -> None:
        self.restore()
        for route in self._routes.values():
            route.shut()
        for route in self._routes.values():
            route.join()


class _Route:
    def __init__(
        self, listen: Address, forward: Address, out: threading.Event, back: threading.Event
    ) -> None:
        self._listen, self._forward, self._out, self._back = listen, forward, out, back
        self._guard = threading.Lock()
        self._listener: socket.socket | None = None
        self._sockets: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self.sent = self.received = 0
        self.open()

    def open(self) -> None:
        if self._listener is not None:
            return
        listener = socket.create_server(self._listen, backlog=16)
        self._listener = listener
        self._run(self._accept, listener)

    def shut(self) -> None:
        """Nothing is accepted any more, and what was connected is not."""
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.shutdown(socket.SHUT_RDWR)  # wakes accept(); close() alone would not
            listener.close()
        with self._guard:
            for one in self._sockets:
                _end(one)

    def join(self) -> None:
        for thread in self._threads:
            thread.join(5)
            assert not thread.is_alive(), "a link's thread did not end"

    def _run(self, work, *arguments) -> None:
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                dialler = listener.accept()[0]
            except OSError:
                return
            self._out.wait()
            try:
                target = socket.create_connection(self._forward, timeout=5)
            except OSError:
                dialler.close()
                continue
            target.settimeout(None)
            self._connect(listener, dialler, target)

    def _connect(
        self, listener: socket.socket, dialler: socket.socket, target: socket.socket
    ) -> None:
        for one in (dialler, target):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._guard:
            if self._listener is not listener:  # cut while this one was on its way
                dialler.close()
                target.close()
                return
            self._sockets.update((dialler, target))
            self._run(self._carry, dialler, target, True)
            self._run(self._carry, target, dialler, False)

    def _carry(self, source: socket.socket, sink: socket.socket, outward: bool) -> None:
        flow = self._out if outward else self._back
        try:
            while block := source.recv(BLOCK):
                flow.wait()
                if outward:
                    self.sent += len(block)
                else:
                    self.received += len(block)
                sink.sendall(block)
        except OSError:
            pass
        flow.wait()  # a stalled link does not tell of an end, either
        with self._guard:
            both_done = source not in self._sockets
            _end(source)
            _end(sink)
            if both_done:
                source.close()
                sink.close()
            self._sockets -= {source, sink}


def _end(one: socket.socket) -> None:
    try:
        one.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
