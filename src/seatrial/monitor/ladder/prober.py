"""Asks /health in a thread of its own, so that a server that does not answer never delays the recorder's heartbeat."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import socket
import threading
import time

import msgspec

from seatrial.kinds import detect
from seatrial.kinds.kind import HEALTH, Heard
from seatrial.monitor.ladder.price import Price
from seatrial.monitor.ladder.questions import any_certificate, below
from seatrial.wire.connected import is_ours
from seatrial.wire.transports import probe

DEADLINE_S = 0.8
"""Short of the recorder's second: a probe is over before the next one is due."""

RESOLVE_S = 5.0
"""Between two attempts to find the addresses of a name that does not resolve yet."""

DOORS = 3
"""Questions about who is there that may come to nothing before /health is asked in spite of it."""

AWAY = frozenset({"refused", "unreachable"})
"""Nobody is there, whatever was asked for."""

GONE = AWAY | {"reset"}
"""How /health ends where nobody is there any more: who comes next may be another kind of server."""

NOT_ASKED = "not asked: it may call the model"
"""Of a server whose port takes connections, and of which no page is known that costs nothing."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Prober:
    """One endpoint's prober. The first thing it does is to find the host's addresses and whether they are ours.

    A name that does not resolve then is tried again before later questions, until it does.

    Attributes:
        addresses: of the host; empty until known.
        local: whether the endpoint is on this machine; None until known.
        path: asked, below the server's root. Before /health is asked for the first time, and again after nobody was
            there, it is found out whether a kind answers of which that has a price: then it is the kind's own page.
        page: that was asked last; empty: none, only whether the port takes connections.
        price: of /health, while no known kind answers. Where that is not to be paid, another page is asked: one that
            is no kind's own there, but answers.
        heard: the last answer, or how the last question ended; None before the first. A server without such a page
            says 404, and is there.
    """

    def __init__(self, host: str, base: str, wake: int, price: Price | None = None) -> None:
        self.addresses: frozenset[Address] = frozenset()
        self.local: bool | None = None
        self.answer: probe.ProbeAnswer | None = None
        self.heard: probe.ProbeAnswer | None = None
        self.path = self.page = HEALTH
        self.price = price or Price(host)
        self._free = ""
        self._known = False  # that it is no kind with a page of its own, or that it is
        self._tries = 0
        self._slow = False  # who is there was asked last, and left too little of the second for /health
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

    def forget(self) -> None:
        """Another server may answer now: who it is, is found out with the next question."""
        self._known, self._tries, self._slow = False, 0, False
        self.price.forget()

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
            self.heard = self.answer = self._look()
            self._busy = False
            with contextlib.suppress(OSError):
                os.eventfd_write(self._wake, 1)

    def _look(self) -> probe.ProbeAnswer:
        """The page where it says whether it is well."""
        until = time.monotonic() + DEADLINE_S
        answer = None if self._known or self._slow else self._door(until)
        if answer is not None:
            return answer
        if self.path != HEALTH:
            answer = self._get(self.path, until)
        elif self.price.may_ask():
            answer = self._get(HEALTH, until)
            self.price.looked(answer)
        else:
            answer = self._instead(until)
        self._known = self._known or (answer.status is not None and answer.status < 500)
        self._slow = self._slow and answer.status is not None
        if answer.error in GONE:
            self.forget()
        return answer

    def _door(self, until: float) -> probe.ProbeAnswer | None:
        """Whether a kind answers whose /health has a price: what its own page says; None: none does, as far as known.

        Where the answer does not tell, /health is not asked yet, a few times: the answer stands for it. It does so
        later too where it took the time of /health, which then has the next second for itself.
        """
        for sign, kind in detect.doors():
            answer = self._get(sign.path, until)
            met = detect.meets(sign, answer.status, Heard(answer.body, answer.headers))
            if met:
                self._known, self.path = True, kind.health
                return answer
            if answer.error in AWAY:
                self.forget()
                return answer
            if met is None:
                self._tries += 1
                self._slow = self._tries >= DOORS and until - time.monotonic() < DEADLINE_S / 2
                return answer if self._tries <= DOORS or self._slow else None
            self._free = self.price.instead = sign.path
        self._known, self.path = True, HEALTH
        return None

    def _instead(self, until: float) -> probe.ProbeAnswer:
        """What is asked in place of a page that is dear."""
        if self._free:
            return self._get(self._free, until)
        self.page = ""
        taken = probe.connect(self._root, deadline_s=max(until - time.monotonic(), DEADLINE_S / 10))
        return taken if taken.error else msgspec.structs.replace(taken, error=NOT_ASKED)

    def _get(self, path: str, until: float) -> probe.ProbeAnswer:
        self.page = path
        left = max(until - time.monotonic(), DEADLINE_S / 10)
        return probe.get(f"{self._root}{path}", deadline_s=left, tls=self._tls)

    def _resolve(self, *, numeric: bool) -> None:
        """Literals at once; names in the thread, for a resolver may take long."""
        flags = socket.AI_NUMERICHOST if numeric and self._host != "localhost" else 0
        try:
            found = socket.getaddrinfo(self._host, None, type=socket.SOCK_STREAM, flags=flags)
        except OSError:
            return
        self.addresses = frozenset(ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found)
        self.local = any(is_ours(address) for address in self.addresses)
