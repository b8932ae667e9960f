"""What a client of a server sees: single requests, a stream that runs, and a load. Nobody records it."""

from __future__ import annotations

import http.client
import json
import threading
from typing import Any

PATIENCE_S = 4.0
LONG = 4000
"""Tokens of a stream that is to run while its server is struck."""
PAUSE_S = 0.2
NEVER = "\x1f\x1e\x1f"
"""No model says so. A request that names no stop string takes the server's, and may end after a word."""


def seen(port: int, model: str) -> dict[str, str]:
    """What a client is answered now, each question within :data:`PATIENCE_S`."""
    return {
        "/health": get(port, "/health"),
        "/v1/models": get(port, "/v1/models"),
        "chat": chat(port, model),
    }


def get(port: int, path: str) -> str:
    """The status of an answer in words."""
    return _ask(port, "GET", path, None, PATIENCE_S)


def chat(port: int, model: str, patience_s: float = PATIENCE_S) -> str:
    """The same of a chat of one token."""
    return _ask(port, "POST", "/v1/chat/completions", _body(model, 1, stream=False), patience_s)


def _ask(port: int, method: str, path: str, body: bytes | None, patience_s: float) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=patience_s)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
        answer = connection.getresponse()
        answer.read()
    except TimeoutError:
        return "silent"
    except ConnectionRefusedError:
        return "refused"
    except (OSError, http.client.HTTPException):
        return "cut unanswered"
    else:
        return str(answer.status)
    finally:
        connection.close()


def _body(model: str, tokens: int, *, stream: bool) -> bytes:
    asked: dict[str, Any] = {
        "model": model,
        "max_tokens": tokens,
        "messages": [{"role": "user", "content": "Count from one to a thousand."}],
    }
    if stream:
        asked |= {"stream": True, "ignore_eos": True, "stop": [NEVER]}
    return json.dumps(asked).encode()


class Stream(threading.Thread):
    """A stream that runs. ``end`` says how it ended, or that it gave nothing for long."""

    def __init__(self, port: int, model: str, tokens: int = LONG) -> None:
        super().__init__(daemon=True)
        self.events = 0
        self.end = ""
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
        self._body = _body(model, tokens, stream=True)
        self.start()

    def run(self) -> None:
        try:
            self._connection.request("POST", "/v1/chat/completions", self._body, {"Content-Type": "application/json"})
            self.end = self._read(self._connection.getresponse())
        except TimeoutError:
            self.end = "silent"
        except (OSError, http.client.HTTPException, ValueError, AttributeError):  # closed by us, or by them
            self.end = "cut"
        finally:
            self._connection.close()

    def close(self) -> None:
        """Leave it."""
        self._connection.close()

    def _read(self, answer: http.client.HTTPResponse) -> str:
        if answer.status != 200:
            return str(answer.status)
        last, finished = b"", False
        for line in answer:
            if line.startswith(b"data:"):
                self.events += 1
                last = line[5:].strip()
                finished = finished or b'"finish_reason":"' in last.replace(b" ", b"")
                if b'"error"' in last:
                    return "an error in it"
        if last == b"[DONE]":
            return "ended as if whole" if finished else "[DONE] without a finish_reason"
        return "ended in order, unfinished"


class Load:
    """Clients that send one stream after another until they are closed."""

    def __init__(self, port: int, model: str, clients: int = 2, tokens: int = 16) -> None:
        self.ends: list[str] = []
        """How each of its streams ended."""
        self._over = threading.Event()
        self._asked = (port, model, tokens)
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(clients)]
        for each in self._threads:
            each.start()

    def close(self) -> None:
        """End it, and wait for the streams under way."""
        self._over.set()
        for each in self._threads:
            each.join(2 * PATIENCE_S)

    @property
    def answered(self) -> int:
        """Its streams that came to their end."""
        return self.ends.count("ended as if whole")

    def _run(self) -> None:
        while not self._over.wait(PAUSE_S):
            stream = Stream(*self._asked)
            stream.join()
            self.ends.append(stream.end)
