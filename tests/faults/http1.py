"""As much HTTP/1.1 as a fixture needs: a request in, an answer or a stream of events out. Standard library only."""

from __future__ import annotations

import json
import socket
from typing import Any

LONGEST = 1 << 20


class Gone(Exception):
    """The other side closed the connection."""


class Peer:
    """One connection: reads a head and a body, writes answers. Every answer closes the connection."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._buffer = b""

    def request(self) -> tuple[str, str, bytes, bytes]:
        """Method, path, the head as it came, and the body."""
        head = self.until(b"\r\n\r\n")
        method, path, *_ = head.split(b"\r\n")[0].decode("latin-1").split(" ")
        return method, path, head, self.exactly(int(header(head, "content-length") or 0))

    def until(self, mark: bytes) -> bytes:
        """Everything up to a mark, and the mark."""
        while mark not in self._buffer:
            self._more()
        end = self._buffer.index(mark) + len(mark)
        found, self._buffer = self._buffer[:end], self._buffer[end:]
        return found

    def exactly(self, length: int) -> bytes:
        """So many bytes."""
        while len(self._buffer) < length:
            self._more()
        found, self._buffer = self._buffer[:length], self._buffer[length:]
        return found

    def _more(self) -> None:
        data = self.sock.recv(65536)
        if not data or len(self._buffer) > LONGEST:
            raise Gone
        self._buffer += data

    def answer(self, status: int, content: Any, media: str = "application/json") -> None:
        """A whole answer; what is no bytes is sent as JSON."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        head = (
            f"HTTP/1.1 {status} x\r\ncontent-type: {media}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.sock.sendall(head.encode() + body)

    def begin_stream(self) -> None:
        """The head of a stream of server-sent events."""
        self.sock.sendall(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n"
            b"connection: close\r\n\r\n"
        )

    def event(self, block: bytes) -> None:
        """One event, or a comment, as a chunk of the body."""
        self.sock.sendall(f"{len(block):x}\r\n".encode() + block + b"\r\n")

    def end_stream(self) -> None:
        """The body ends as its framing says."""
        self.sock.sendall(b"0\r\n\r\n")

    def blocks(self) -> Any:
        """The events of a chunked answer being read, each with its blank line, as they come."""
        pending = b""
        while length := int(self.until(b"\r\n").split(b";")[0], 16):
            pending += self.exactly(length)
            self.exactly(2)
            while b"\n\n" in pending:
                block, pending = pending.split(b"\n\n", 1)
                yield block + b"\n\n"


def header(head: bytes, name: str) -> str:
    """The value of a header of a request's or an answer's head; empty where there is none."""
    for line in head.split(b"\r\n")[1:]:
        key, _, value = line.partition(b":")
        if key.decode("latin-1").strip().lower() == name:
            return value.decode("latin-1").strip()
    return ""


def listen(port: int, *, shared: bool = False) -> socket.socket:
    """A LISTEN socket on loopback; ``shared``: others may have one at the same port."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.bind(("127.0.0.1", port))
    sock.listen(64)
    return sock
