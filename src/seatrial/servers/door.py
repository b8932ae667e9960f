"""The keeper's door: a Unix socket for requests, one JSON line each way a connection, on the keeper's own loop."""

from __future__ import annotations

import contextlib
import json
import selectors
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

REQUEST_BYTES = 65536

Reply = Callable[[dict[str, Any]], None]
Handler = Callable[[dict[str, Any], Reply], None]


class Door:
    """Listens at :attr:`address`, a short path in a folder of its own that only this user can enter.

    Args:
        loop: its keys hold a callable of no arguments.
        handle: gets each request with the function that answers it, now or later. What it raises for a request that
            makes no sense (ValueError, TypeError, KeyError, AttributeError) becomes the answer.
    """

    def __init__(self, loop: selectors.BaseSelector, handle: Handler) -> None:
        self._loop, self._handle = loop, handle
        self._folder = Path(tempfile.mkdtemp(prefix="seatrial-"))
        self.address = str(self._folder / "keeper")
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.address)
        self._listener.listen(64)
        self._listener.setblocking(False)  # noqa: FBT003
        loop.register(self._listener, selectors.EVENT_READ, self._accept)

    def close(self) -> None:
        """Stop listening, and leave nothing behind."""
        self._loop.unregister(self._listener)
        self._listener.close()
        with contextlib.suppress(OSError):
            Path(self.address).unlink(missing_ok=True)
            self._folder.rmdir()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            connection, _ = self._listener.accept()
            connection.setblocking(False)  # noqa: FBT003
            buffer = bytearray()
            self._loop.register(connection, selectors.EVENT_READ, lambda: self._read(connection, buffer))

    def _read(self, connection: socket.socket, buffer: bytearray) -> None:
        try:
            content = connection.recv(4096)
        except OSError:
            content = b""
        buffer += content
        if content and b"\n" not in content and len(buffer) < REQUEST_BYTES:
            return
        self._loop.unregister(connection)
        if not buffer:
            connection.close()
            return

        def answer(reply: dict[str, Any]) -> None:
            with contextlib.closing(connection), contextlib.suppress(OSError):
                connection.sendall(json.dumps(reply).encode() + b"\n")

        try:
            self._handle(json.loads(buffer), answer)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            answer({"error": f"the keeper does not understand this request: {error}"})
