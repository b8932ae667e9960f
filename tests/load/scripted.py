"""A server that plays a script of bytes to whoever connects: for what no right server sends."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from seatrial.wire.sockdiag import SockDiag

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
CLOSED = HEAD + b"Connection: close\r\n\r\n"
LAST = b"0\r\n\r\n"

RESET = "reset"
WAIT = "wait"
"""Say nothing more until the client has gone."""

Step = bytes | str


def delta(text: str) -> bytes:
    return event(b'{"id":"c","choices":[{"index":0,"delta":{"content":"%s"},"finish_reason":null}]}' % text.encode())


def event(data: bytes) -> bytes:
    return b"data: " + data + b"\n\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


FINISH = event(b'{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}')
USAGE = event(b'{"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":3,"total_tokens":8}}')
DONE = event(b"[DONE]")


@dataclass
class Scripted:
    url: str
    requests: list[bytes] = field(default_factory=list)


@contextlib.contextmanager
def scripted(*steps: Step) -> Iterator[Scripted]:
    """Play the steps to each connection, one at a time, each once the one before was read, so that they stay apart."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Scripted(f"http://127.0.0.1:{listener.getsockname()[1]}/v1")
        gone = threading.Event()
        thread = threading.Thread(target=_serve, args=(listener, steps, server, gone))
        thread.start()
        try:
            yield server
        finally:
            gone.set()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def _serve(listener: socket.socket, steps: Sequence[Step], server: Scripted, gone: threading.Event) -> None:
    while not gone.is_set():
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection, contextlib.suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            server.requests.append(_request(connection))
            for step in steps:
                _play(connection, step, gone)


def _request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            raise ConnectionAbortedError("gone before its request was whole")
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    wanted = int(lengths[0].partition(b":")[2]) if lengths else 0
    while len(body) < wanted:
        more = connection.recv(65536) or b"\0" * (wanted - len(body))
        data, body = data + more, body + more
    return data


def _play(connection: socket.socket, step: Step, gone: threading.Event) -> None:
    if isinstance(step, bytes):
        connection.sendall(step)
        gone.wait(0.01)
        until = time.monotonic() + 5
        while not _is_read(connection) and time.monotonic() < until:
            gone.wait(0.002)
    elif step == RESET:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
    elif step == WAIT:
        connection.settimeout(10)
        connection.recv(1)


def _is_read(connection: socket.socket) -> bool:
    """Whether the client has taken all that came to its socket, as the kernel tells; true of one that is gone."""
    port = connection.getpeername()[1]
    with contextlib.closing(SockDiag()) as diag:
        return not any(end.unread for end in diag.touching(port) if end.here == port)
