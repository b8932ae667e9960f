"""A small client for tests of the golden server, on bare sockets: it owes nothing to the wire room it helps to test."""

from __future__ import annotations

import gzip
import http.client
import json
import socket
from typing import Any

from tests.golden.server import Golden
from tests.golden.validation import MODEL

MOST = 256 * 1024
"""Bytes after which an answer that will not end is left."""


def request(
    method: str, path: str, body: Any = None, *, keep: bool = False, headers: dict[str, str] | None = None
) -> bytes:
    """One request as bytes; a body that is no bytes is sent as JSON."""
    content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    fields = {
        "Host": "golden",
        "Connection": "keep-alive" if keep else "close",
        "Content-Type": "application/json",
        "Content-Length": str(len(content)),
        **(headers or {}),
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + content


def chat(prompt: str = "Say hello.", **parameters: Any) -> dict[str, Any]:
    """The body of a chat request; what it is answered with depends on nothing that came before."""
    return {"model": MODEL, "messages": [{"role": "user", "content": prompt}], "seed": 0, **parameters}


def exchange(golden: Golden, sent: bytes, *, patience_s: float = 5.0) -> bytes:
    """Everything that comes back until the connection ends, falls silent for so long, or brings too much."""
    received = bytearray()
    try:
        with socket.create_connection(("127.0.0.1", golden.port), timeout=patience_s) as connection:
            connection.sendall(sent)
            while len(received) < MOST and (data := connection.recv(65536)):
                received += data
    except TimeoutError:
        received += b"\n(silence)"
    except ConnectionRefusedError:
        received += b"\n(refused)"
    except ConnectionError:
        received += b"\n(reset)"
    return bytes(received)


def ask(golden: Golden, body: Any, **headers: str) -> tuple[int, Any]:
    """Status and JSON of the answer to a chat request that is no stream."""
    return call(golden, "POST", "/v1/chat/completions", body, **headers)


def call(golden: Golden, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
    """Status and JSON of an answer, inflated where it is gzipped; None where it has no JSON."""
    connection = http.client.HTTPConnection("127.0.0.1", golden.port, timeout=10)
    content = body if body is None or isinstance(body, bytes) else json.dumps(body)
    connection.request(method, path, content, {"Content-Type": "application/json", **headers})
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    if answer.headers.get("Content-Encoding") == "gzip":
        data = gzip.decompress(data)
    try:
        return answer.status, json.loads(data)
    except ValueError:
        return answer.status, None


def stream(golden: Golden, body: Any) -> list[Any]:
    """The chunks of a streamed answer, in order; the terminator is the string ``[DONE]``."""
    connection = http.client.HTTPConnection("127.0.0.1", golden.port, timeout=10)
    connection.request("POST", "/v1/chat/completions", json.dumps({**body, "stream": True}))
    answer = connection.getresponse()
    assert answer.status == 200, answer.read()
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    text = answer.read().decode()
    connection.close()
    lines = [line.removeprefix("data: ") for line in text.split("\n\n") if line]
    return [line if line == "[DONE]" else json.loads(line) for line in lines]


def said(chunks: list[Any], index: int = 0, name: str = "content") -> str:
    """What the deltas of one choice add up to."""
    choices = [choice for chunk in chunks if chunk != "[DONE]" for choice in chunk["choices"]]
    return "".join(choice["delta"].get(name) or "" for choice in choices if choice["index"] == index)
