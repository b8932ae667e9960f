"""A gateway in front of a right server. It knows server-sent events, and spoils a stream at event n when told to.

A script of its own, as :mod:`tests.faults.fixture`, and steered alike: ``{"do": "spoil", "how": ..., "event": n,
"streams": k}`` spoils the next k streams; the reply comes when the first one is spoiled.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import threading
import time
from pathlib import Path
from typing import Any

from fixture import end_with_stdin  # beside this script
from http1 import Gone, Peer, header, listen
from pace import pace

PING_S = 0.3
SHUT = ("hold", "refuse")
GOOD = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{"status":"ok"}'
REASONS = {
    "500": "Internal Server Error",
    "502": "Bad Gateway",
    "503": "no available workers",
    "504": "Gateway Time-out",
}


class Gateway:
    """Relays each connection to the backend.

    Args:
        dead: what a client gets while the backend takes no connection: a status, ``silent``, or ``cut``.
        own: it answers /health itself, whatever is behind it.
    """

    def __init__(self, port: int, backend: int, dead: str = "cut", *, own: bool = False) -> None:
        self.listener, self.backend = listen(port), backend
        self.dead, self.own = dead, own
        self.lock = threading.Lock()
        self.order: dict[str, Any] = {}
        self.door: socket.socket | None = None
        self.shut = ""  # what befalls every stream from now on, those under way too

    def serve(self) -> None:
        """Accept for ever."""
        print(json.dumps({"port": self.listener.getsockname()[1], "pid": os.getpid()}), flush=True)
        while True:
            sock, _ = self.listener.accept()
            threading.Thread(target=self._connection, args=(sock,), daemon=True).start()

    def _connection(self, sock: socket.socket) -> None:
        with sock:
            try:
                self._asked(Peer(sock))
            except (OSError, Gone, ValueError):
                return

    def _asked(self, client: Peer) -> None:
        """Hand one request on; where nobody takes it, or every client is turned away, say what is said then."""
        _, path, head, body = client.request()
        if self.own and path.startswith("/health"):
            client.sock.sendall(GOOD)
            return
        how, event = self._orders() if path.endswith("/chat/completions") else ("", 0)
        if how == "refuse":
            self._struck()
            return
        if how in REASONS:
            self._struck()
            _turn_away(client, how)
            return
        try:
            behind = socket.create_connection(("127.0.0.1", self.backend))
        except OSError:
            _turn_away(client, self.dead)
            return
        with behind:
            self._relay(client, Peer(behind), head + body, how, event)

    def _relay(self, client: Peer, server: Peer, request: bytes, how: str, event: int) -> None:
        server.sock.sendall(request)
        answer = server.until(b"\r\n\r\n")
        if header(answer, "content-type").startswith("text/event-stream"):
            client.begin_stream()
            if self._pass_on(client, server, how, event):
                client.end_stream()
        elif length := header(answer, "content-length"):
            client.sock.sendall(answer + server.exactly(int(length)))
        else:
            client.sock.sendall(answer)

    def _orders(self) -> tuple[str, int]:
        """What is to be done to the stream that begins."""
        with self.lock:
            if not self.order.get("streams"):
                return "", 0
            self.order["streams"] -= 1
            return str(self.order["how"]), int(self.order["event"])

    def _pass_on(self, client: Peer, server: Peer, how: str, event: int) -> bool:
        """The events, up to where they are to be spoiled. Whether the body is to end as its framing says."""
        count = 0
        if how == "hold":
            return self._spoil(client, how)
        for block in server.blocks():
            if self.shut:  # streams under way suffer as new ones do
                return self._spoil(client, self.shut)
            token, last = _tells(block)
            count += token
            kept_back = {"empty": not last and b"[DONE]" not in block, "unfinished": last}
            if kept_back.get(how):
                self._struck()
            else:
                client.event(block)
                if how and how not in kept_back and count >= event:
                    return self._spoil(client, how)
        return True

    def _spoil(self, client: Peer, how: str) -> bool:
        self._struck()
        if how == "error":
            client.event(
                b'data: {"error": {"message": "out of memory on device", "type": "server_error", "code": 500}}\n\n'
            )
        elif how in ("stall", "hold"):
            threading.Event().wait()
        elif how == "ping":
            while True:
                client.event(b": ping\n\n")
                pace(PING_S)
        return how not in ("drop", "refuse")  # "cut": the body ends well, half-way; "drop": so does the connection

    def _struck(self) -> None:
        """Tell the injector, the first time."""
        with self.lock:
            door, self.door = self.door, None
        if door is not None:
            door.sendall(b'{"at": %d}\n' % time.monotonic_ns())

    def take_orders(self, path: str) -> None:
        """Listen for orders in a thread."""
        with socket.socket(socket.AF_UNIX) as listener:
            Path(path).unlink(missing_ok=True)
            listener.bind(path)
            listener.listen(8)
            while True:
                door, _ = listener.accept()
                order = json.loads(door.makefile("rb").readline())
                with self.lock:
                    self.door, self.order = door, order
                    self.shut = order["how"] if order["how"] in SHUT else ""
                if self.shut:
                    self._struck()


def _turn_away(client: Peer, how: str) -> None:
    """What a client gets of whom nobody takes the request."""
    if how == "silent":
        threading.Event().wait()
    elif how in REASONS:
        body = REASONS[how].encode()
        head = f"HTTP/1.1 {how} {REASONS[how]}\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n\r\n"
        client.sock.sendall(head.encode() + body)


def _tells(block: bytes) -> tuple[bool, bool]:
    """Whether an event bears a token, and whether it bears a finish_reason."""
    try:
        choice = json.loads(block.removeprefix(b"data:"))["choices"][0]
    except (ValueError, LookupError):
        return False, False
    return bool(choice.get("delta", {}).get("content")), bool(choice.get("finish_reason"))


def main() -> None:
    """The process."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--backend", type=int, required=True)
    parser.add_argument("--dead", default="cut", choices=["cut", "silent", *REASONS])
    parser.add_argument("--own", action="store_true")
    parser.add_argument("--orders", required=True)
    options = parser.parse_args()
    end_with_stdin()
    gateway = Gateway(options.port, options.backend, options.dead, own=options.own)
    threading.Thread(target=gateway.take_orders, args=(options.orders,), daemon=True).start()
    gateway.serve()


if __name__ == "__main__":
    main()
