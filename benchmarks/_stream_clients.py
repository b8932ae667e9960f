"""Clients that follow many streams at once from one process, in gevent: ours as a soak has it, and two peers.

``python -m benchmarks._stream_clients NAME PORT STREAMS SECONDS FOLDER`` prints what it used as JSON: CPU seconds,
tokens, and by how much each gap between two chunks was off the gap between their sending.
"""

from __future__ import annotations

import gc
import itertools
import json
import logging
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from locust import HttpUser  # patches sockets for gevent, as in a load  # isort: skip
import gevent
from gevent import socket
from locust.env import Environment

from benchmarks._stream_server import TOKENS
from load.engine.watch import watched
from load.record import RowWriter, row_of
from load.users.asked import Sending
from load.users.ticket import Ticket
from seatrial.records import RunInfo
from seatrial.run.directory import RunDir
from seatrial.wire.masking.headers import secret_values
from seatrial.wire.masking.mask import Mask
from seatrial.wire.transports.load import LoadTarget, Stream, stream
from seatrial.wire.transports.outcomes import classify

KEY = "sk-benchmark-0123456789abcdef"
HEADERS = {"Authorization": f"Bearer {KEY}"}
BODY = {"model": "m", "messages": [{"role": "user", "content": "Why is the sky blue?"}], "stream": True}

Stamps = list[tuple[int, str | bytes]]
"""(received, sent) of each token of a stream, ns."""

Client = Callable[[], Any]


def ours(port: int, folder: Path) -> Client:
    """The load's own transport, with a row, masked bytes where they are worth keeping, and Locust's event."""
    environment = Environment()
    info = RunInfo(id="bench", started="", started_ns=0, boot_id="", arguments=(), versions={}, seed=0)
    mask = Mask(KEY).also(secret_values(HEADERS))
    recorder = RowWriter(RunDir.create(folder / "run", info).load_writer("load1"), "bench", 0, mask=mask)
    target = watched(LoadTarget(f"http://127.0.0.1:{port}/v1", mask, HEADERS))
    body = json.dumps(BODY).encode()

    def ask() -> Stream:
        ticket = Ticket(Sending(body, "chat", 48), "closed")
        name, s = recorder.begin(), Stream()
        stream(target, body, into=s)
        row = row_of(name, "bench", classify(s), s, intended_at=ticket.intended_at, ticket=ticket)
        recorder.end(row, s)
        environment.events.request.fire(
            request_type="POST",
            name=row.workload,
            response_time=(row.ended_at - row.sent_at) / 1e6,
            response_length=len(s.came),
            exception=None,
            context={"row": row},
        )
        assert row.outcome == "ok", row
        return s

    return ask


def _read(s: Stream) -> Stamps:
    """The stamps of all tokens, each with the time of the read that brought it."""
    assert s.deltas == TOKENS
    found, at, frame = [], 0, 0
    for match in re.finditer(rb'"content":"([0-9]{18})"', s.response):
        while at + s.frames[frame][1] < match.end():
            at += s.frames[frame][1]
            frame += 1
        found.append((s.frames[frame][0], match[1]))
    return found


def http_user(port: int, _: Path) -> Client:
    """Locust's own HttpUser, its lines decoded by json."""

    class User(HttpUser):
        abstract = True
        host = f"http://127.0.0.1:{port}"

    environment = Environment(host=User.host)

    def client() -> Stamps:
        user = User(environment)
        found = []
        with user.client.post(
            "/v1/chat/completions", json=BODY, headers=HEADERS, stream=True, catch_response=True
        ) as answer:
            for line in answer.iter_lines():
                if line.startswith(b"data: ") and line != b"data: [DONE]":
                    _take(line[6:], found)
        return found

    return client


def raw(port: int, _: Path) -> Client:
    """A socket, chunks and lines split by hand, and json: what anybody would write who needs no more."""
    body = json.dumps(BODY).encode()
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {KEY}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    ).encode()

    def client() -> Stamps:
        found: Stamps = []
        with socket.create_connection(("127.0.0.1", port), timeout=30) as sock:
            sock.sendall(head + body)
            held = b""
            while b"\r\n\r\n" not in held:
                held += sock.recv(65536)
            held = held.partition(b"\r\n\r\n")[2]
            while True:
                while (end := held.find(b"\r\n")) >= 0:
                    size = int(held[:end], 16)
                    if len(held) < end + 2 + size + 2:
                        break
                    event, held = held[end + 2 : end + 2 + size], held[end + 4 + size :]
                    if not size:
                        return found
                    if event.startswith(b"data: ") and event != b"data: [DONE]\n\n":
                        _take(event[6:], found)
                held += sock.recv(65536)

    return client


def _take(data: bytes, found: Stamps) -> None:
    at = time.monotonic_ns()
    chunk: dict[str, Any] = json.loads(data)
    for choice in chunk["choices"]:
        if content := choice["delta"].get("content"):
            found.append((at, content))


CLIENTS: dict[str, Callable[[int, Path], Client]] = {"ours": ours, "http_user": http_user, "raw": raw}


def main(name: str, port: int, streams: int, seconds: float, folder: Path) -> None:
    """Follow so many streams at once for so long, each beginning at its own moment."""
    logging.disable(logging.CRITICAL)
    ask = CLIENTS[name](port, folder)
    all_of: list[Any] = []
    until = time.monotonic() + seconds

    def user(number: int) -> None:
        gevent.sleep(number / streams)
        while time.monotonic() < until:
            all_of.append(ask())

    gc.collect()
    gc.freeze()
    began = time.process_time()
    gevent.joinall([gevent.spawn(user, number) for number in range(streams)], raise_error=True)
    used = time.process_time() - began
    tokens = TOKENS * len(all_of)
    off = [
        abs((later - earlier) - (int(sent_later) - int(sent))) / 1e6
        for found in (_read(each) if isinstance(each, Stream) else each for each in all_of)
        for (earlier, sent), (later, sent_later) in itertools.pairwise(found)
    ]
    off.sort()
    print(json.dumps({"cpu_s": used, "tokens": tokens, "streams": len(all_of), "p99_ms": off[int(len(off) * 0.99)]}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]), Path(sys.argv[5]))
