"""Small servers of a trial's own, where what they answer is all that they are."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Small(http.server.BaseHTTPRequestHandler):
    """Whoever derives from it says in ``get`` and ``post`` what is answered, by :meth:`answer`."""

    def get(self) -> None:
        raise NotImplementedError

    def post(self) -> None:
        raise NotImplementedError

    def do_GET(self) -> None:
        self.get()

    def do_POST(self) -> None:
        self.post()

    def answer(self, status: int, body: bytes | dict[str, Any]) -> None:
        """A whole answer, labelled as JSON."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def asked_for(self) -> bytes:
        """The body of the request."""
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


def listed(*names: str) -> dict[str, Any]:
    """A list of models."""
    made = {"object": "model", "created": 1_760_000_000, "owned_by": "us"}
    return {"object": "list", "data": [{"id": name, **made} for name in names]}


@contextmanager
def serving(handler: type[Small]) -> Iterator[str]:
    """The URL of a server on a loopback port, which ends with the block."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
