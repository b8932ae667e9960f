"""A server that says exactly the bytes a test wants, on a loopback socket."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Script = Callable[[socket.socket], None]
"""Speaks on an accepted connection; the connection is closed when it returns."""

PATIENCE_S = 10


def take_request(peer: socket.socket) -> bytes:
    """One request, head and body; empty where the client has left."""
    got = b""
    while b"\r\n\r\n" not in got:
        more = peer.recv(65536)
        if not more:
            return b""
        got += more
    head, _, body = got.partition(b"\r\n\r\n")
    length = next((int(h[15:]) for h in head.lower().split(b"\r\n") if h.startswith(b"content-length:")), 0)
    while len(body) < length:
        body += peer.recv(65536)
    return head + b"\r\n\r\n" + body


def say(*pieces: bytes) -> Script:
    """Take a request and answer with these bytes, a send each."""

    def script(peer: socket.socket) -> None:
        take_request(peer)
        for piece in pieces:
            peer.sendall(piece)

    return script


@contextmanager
def serving(script: Script) -> Iterator[str]:
    """The base URL of a server that runs the script on each connection, one after another."""
    listener = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def serve() -> None:
        while True:
            peer, _ = listener.accept()
            with peer:
                if stop.is_set():
                    return
                peer.settimeout(PATIENCE_S)
                with contextlib.suppress(OSError):
                    script(peer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    port = listener.getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        stop.set()
        socket.create_connection(("127.0.0.1", port)).close()
        thread.join(PATIENCE_S)
        listener.close()
    assert not thread.is_alive(), "the scripted server did not end"
