"""How a golden process meets a chat otherwise than well: it refuses every one, or some, or serves one at a time.

It stands beside :mod:`fixture`, which asks it before each chat. A manner is a word, with a figure after a colon where
it needs one.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from typing import Any

ERROR = (500, "generate() failed")
REFUSED = (400, "max_tokens must be larger")
BUSY = (503, "no available workers")
LOADS = (503, "Loading model")


class Manner:
    """What befalls each chat, and what /health says meanwhile.

    ``500``, ``400``, ``503``: every chat ends so. ``dark``: 500, and /health is silent. ``second``: 500 to every second
    one. ``least:N``: 400 where fewer than N tokens are asked for. ``none``: 400 to every way of asking. ``loads:S``:
    503 everywhere for so many seconds. ``never``: it listens and answers nobody. ``single``: one chat at a time; the
    next one ends it.
    """

    def __init__(self, how: str = "") -> None:
        self.how, _, figure = how.partition(":")
        self.figure = float(figure or 0)
        self.began = time.monotonic()
        self.chats = 0
        self.serving: Any = None
        self.lock = threading.Lock()

    @property
    def silent(self) -> bool:
        """Whether nobody is told anything at all of its health."""
        return self.how in ("dark", "never")

    @property
    def loads(self) -> bool:
        return self.how == "loads" and time.monotonic() - self.began < self.figure

    def turned_away(self, request: dict[str, Any]) -> tuple[int, str] | None:
        """The status and the words for a chat that is not served; None: it is."""
        self.chats += 1
        asked = request.get("max_tokens") or 0
        refused = {
            "500": ERROR,
            "dark": ERROR,
            "400": REFUSED,
            "none": REFUSED,
            "503": BUSY,
            "second": ERROR if self.chats % 2 else None,
            "least": REFUSED if asked < self.figure else None,
        }
        return LOADS if self.loads else refused.get(self.how)

    def serves(self, job: Any) -> None:
        """A chat has begun: who was served until now may be dropped for it."""
        if self.how == "single":
            with self.lock:
                old, self.serving = self.serving, job
            if old is not None:
                old.cancelled = True


def hang(sock: socket.socket) -> None:
    """Until the other side is tired of it."""
    while sock.recv(4096):
        pass


def said(text: str) -> bytes:
    return json.dumps({"error": {"message": text, "code": 0}}).encode()
