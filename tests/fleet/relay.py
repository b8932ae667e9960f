"""A listener between a worker and its master that keeps all that passes."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class Relay:
    """What passed, both ways, in order of each."""

    port: int
    there: bytearray = field(default_factory=bytearray)
    back: bytearray = field(default_factory=bytearray)


@contextlib.contextmanager
def relay(to: int) -> Iterator[Relay]:
    """Pass on to a port of this host whatever comes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        seen = Relay(listener.getsockname()[1])
        held: list[socket.socket] = []
        threading.Thread(target=_accept, args=(listener, to, seen, held), daemon=True).start()
        try:
            yield seen
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            for each in held:
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
                each.close()


def _accept(listener: socket.socket, to: int, seen: Relay, held: list[socket.socket]) -> None:
    with contextlib.suppress(OSError):
        while True:
            near, _ = listener.accept()
            try:
                far = socket.create_connection(("127.0.0.1", to))
            except OSError:  # the master is not there yet: the worker tries again
                near.close()
                continue
            held += [near, far]
            for one, other, kept in ((near, far, seen.there), (far, near, seen.back)):
                threading.Thread(target=_pass, args=(one, other, kept), daemon=True).start()


def _pass(one: socket.socket, other: socket.socket, kept: bytearray) -> None:
    with contextlib.suppress(OSError):
        while data := one.recv(65536):
            kept += data
            other.sendall(data)
        other.shutdown(socket.SHUT_WR)
