"""A server that streams chats at an even cadence, each event stamped with the moment at which it was sent.

One thread, one heap of what is due: it has to send 15,000 events a second and to leave the other core to its client.
"""

from __future__ import annotations

import heapq
import json
import selectors
import socket
import sys
import time
from random import Random

CADENCE_S = 0.020
TOKENS = 50
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def _chunk(data: str) -> bytes:
    event = f"data: {data}\n\n".encode()
    return b"%x\r\n%b\r\n" % (len(event), event)


def _template(choices: list[object], **more: object) -> str:
    return json.dumps(
        {
            "choices": choices,
            "created": 1764028800,
            "id": "chatcmpl-VwZ1yW5a8gcoIu7ZNW6RvD0CPvBCJq3b",
            "model": "gemma-3-270m-Q4_K_M.gguf",
            "system_fingerprint": "b7140-8f2e1c9",
            "object": "chat.completion.chunk",
            **more,
        },
        separators=(",", ":"),
    )


STAMP = "000000000000000000"
_TOKEN = _chunk(_template([{"finish_reason": None, "index": 0, "delta": {"content": STAMP}}]))
_BEFORE, _AFTER = _TOKEN.split(STAMP.encode())
_END = b"".join(
    [
        _chunk(_template([{"finish_reason": "stop", "index": 0, "delta": {}}])),
        _chunk(_template([], usage={"completion_tokens": TOKENS, "prompt_tokens": 12, "total_tokens": TOKENS + 12})),
        _chunk("[DONE]"),
        b"0\r\n\r\n",
    ]
)


class _Stream:
    __slots__ = ("due", "left", "sock")

    def __init__(self, sock: socket.socket, due: float) -> None:
        self.sock, self.due, self.left = sock, due, TOKENS

    def __lt__(self, other: _Stream) -> bool:
        return self.due < other.due

    def send(self) -> bool:
        """Send what is due; whether there is more to come."""
        try:
            if self.left:
                self.left -= 1
                self.sock.sendall(b"%b%018d%b" % (_BEFORE, time.monotonic_ns(), _AFTER))
                self.due += CADENCE_S
                return True
            self.sock.sendall(_END)
        except OSError:
            pass
        self.sock.close()
        return False


def serve() -> None:
    """Serve until standard input ends."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    listener.setblocking(False)  # noqa: FBT003
    ready = selectors.DefaultSelector()
    ready.register(listener, selectors.EVENT_READ)
    ready.register(sys.stdin.buffer.raw, selectors.EVENT_READ)  # type: ignore[attr-defined]
    print(listener.getsockname()[1], flush=True)
    draw, streams = Random(8), list[_Stream]()
    while True:
        now = time.monotonic()
        while streams and streams[0].due <= now:
            stream = streams[0]
            if stream.send():
                heapq.heapreplace(streams, stream)
            else:
                heapq.heappop(streams)
        wait = max(streams[0].due - time.monotonic(), 0) if streams else None
        for key, _ in ready.select(wait):
            if key.fileobj is listener:
                sock, _ = listener.accept()
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                ready.register(sock, selectors.EVENT_READ)
            elif isinstance(key.fileobj, socket.socket):
                ready.unregister(key.fileobj)
                if b"\r\n\r\n" in key.fileobj.recv(65536):
                    key.fileobj.sendall(HEAD)
                    heapq.heappush(streams, _Stream(key.fileobj, time.monotonic() + draw.random() * CADENCE_S))
            else:
                return


if __name__ == "__main__":
    serve()
