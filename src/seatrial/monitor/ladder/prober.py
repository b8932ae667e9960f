"""Asks /health in a thread of its own, so that a server that does not answer never delays the recorder's heartbeat."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import socket
import threading
import time

from seatrial.kinds.kind import HEALTH
from seatrial.monitor.ladder.questions import any_certificate, below
from seatrial.wire.transports import probe

DEADLINE_S = 0.8
"""Short of the recorder's second: a probe is over before the next one is due."""

RESOLVE_S = 5.0
"""Between two attempts to find the addresses of a name that does not resolve yet."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Prober:
    """One endpoint's prober. The first thing it does is to find the host's addresses and whether they are ours.

    A name that does not resolve then is tried again before later questions, until it does.

    Attributes:
        addresses: of the host; empty until known.
        local: whether the endpoint is on this machine; None until known.
        path: asked, below the server's root: the kind's own once that is known.
        heard: the last answer, or how the last question ended; None before the first. A server without such a page
            says 404, and is there.
    """

    def __init__(self, host: str, base: str, wake: int) -> None:
        self.addresses: frozenset[Address] = frozenset()
        self.local: bool | None = None
        self.answer: probe.ProbeAnswer | None = None
        self.heard: probe.ProbeAnswer | None = None
        self.path = HEALTH
        self._host, self._root, self._wake = host, below(base, ""), wake
        self._tls = any_certificate() if base.startswith("https") else None
        self._asked = threading.Event()
        self._busy = False
        self._over = False
        self._resolve(numeric=True)
        threading.Thread(target=self._work, name=f"prober {host}", daemon=True).start()

    def ask(self) -> bool:
        """Begin a probe; False when the last one still runs. Its answer is announced on the eventfd ``wake``."""
        if self._busy:
            return False
        self._busy = True
        self.answer = None
        self._asked.set()
        return True

    def take(self) -> probe.ProbeAnswer | None:
        """The answer, once: the next second must not be given this one's."""
        answer, self.answer = self.answer, None
        return answer

    def close(self) -> None:
        self._over = True
        self._asked.set()

    def _work(self) -> None:
        again = 0.0
        while True:
            if self.local is None and time.monotonic() >= again:
                self._resolve(numeric=False)
                again = time.monotonic() + RESOLVE_S
            self._asked.wait()
            self._asked.clear()
            if self._over:
                return
            self.heard = self.answer = probe.get(f"{self._root}{self.path}", deadline_s=DEADLINE_S, tls=self._tls)
            self._busy = False
            with contextlib.suppress(OSError):
                os.eventfd_write(self._wake, 1)

    def _resolve(self, *, numeric: bool) -> None:
        """Literals at once; names in the thread, for a resolver may take long."""
        flags = socket.AI_NUMERICHOST if numeric and self._host != "localhost" else 0
        try:
            found = socket.getaddrinfo(self._host, None, type=socket.SOCK_STREAM, flags=flags)
        except OSError:
            return
        self.addresses = frozenset(ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found)
        self.local = any(_ours(address) for address in self.addresses)


def _ours(address: Address) -> bool:
    """Whether an address is one of this machine: only then can a socket be bound to it."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as trial:
            trial.bind((str(address), 0))
    except OSError:
        return False
    return True
