"""The HTTP side of the nodes: its addresses, and a client that shows what was really sent."""

from __future__ import annotations

import http.client
import json
import ssl

from mesh import Mesh
from node import PATIENCE, Node

PORT = 17412


def serve(mesh, **keys: object) -> None:
    """Every node of the mesh, which does not run yet, serves at its own host."""
    for one in mesh.nodes:
        mesh.configure(one, node={"http": f"{one.host}:{PORT}", **keys})


def serve_mesh(case) -> None:
    """Of a class of tests: a mesh that serves and is in sync, until the last of them is over."""
    case.mesh = Mesh()
    case.addClassCleanup(case.finish, case.mesh)
    serve(case.mesh)
    case.mesh.start()
    case.mesh.wait_in_sync()


def url(one: Node, path: str = "/") -> str:
    return f"http://{one.host}:{PORT}{path}"


def connection(one: Node, tls: ssl.SSLContext | None = None) -> http.client.HTTPConnection:
    if tls:
        return http.client.HTTPSConnection(one.host, PORT, timeout=10 * PATIENCE, context=tls)
    return http.client.HTTPConnection(one.host, PORT, timeout=10 * PATIENCE)


def get(one: Node, path: str, tls: ssl.SSLContext | None = None) -> tuple[int, str]:
    link = connection(one, tls)
    try:
        link.request("GET", path)
        answer = link.getresponse()
        return answer.status, answer.read().decode()
    finally:
        link.close()


def get_json(one: Node, path: str) -> object:
    return json.loads(get(one, path)[1])


def metrics(one: Node) -> dict[str, float]:
    """Every sample by its name with its labels, as it was written."""
    lines = get(one, "/metrics")[1].splitlines()
    return {
        name: float(value)
        for name, value in (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    }
