"""The upper rungs of one endpoint: the engine's own loop, and a token for a client.

Each has a thread of its own, so that no server can delay the recorder's heartbeat; what they find is written through
the recorder's writer. The lower rungs are the prober's and the target's.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from seatrial.kinds import generic
from seatrial.monitor.ladder.canary import PATIENCE_S, Canary
from seatrial.monitor.ladder.price import Price
from seatrial.monitor.ladder.prober import GONE, NOT_ASKED
from seatrial.monitor.ladder.questions import Questions
from seatrial.monitor.ladder.rung import Rung, Say, Write
from seatrial.monitor.ladder.scheduler import Scheduler
from seatrial.monitor.process.proc import Process
from seatrial.records import SECOND
from seatrial.records.targets import Watch
from seatrial.wire.connected import others
from seatrial.wire.transports import probe
from seatrial.wire.transports.bystanders import Bystanders
from seatrial.wire.transports.turns import Turns

UP = frozenset({"deadline", "cut", "not-http", "too-large", "tls"})
"""How /health may fail of a server that is still there: its engine may answer, and that it does not is evidence."""

LOADING = 503
LOADS_NS = 540 * SECOND
"""So long after /health began to say that it loads, the engine is asked all the same: a server that says so for ten
minutes is called a stop, unless its engine answers."""


class Health(Protocol):
    """What the prober knows, and where it asks."""

    path: str
    price: Price
    local: bool | None
    heard: probe.ProbeAnswer | None

    def forget(self) -> None:
        """Another server may answer now."""


class Ladder:
    """The rungs of an endpoint with a base URL.

    Args:
        prober: asks /health; nothing is asked here before that has answered once.
        write: takes lines, from several threads.
        say: takes events, from several threads.
        process: the main process, where it is on this host and known.

    Raises:
        ValueError: the base is no http or https URL.
        OSError: its file of certificates cannot be read.
    """

    def __init__(
        self,
        name: str,
        endpoint: Watch,
        prober: Health,
        *,
        write: Write,
        say: Say,
        process: Callable[[], Process | None],
        patience_s: float = PATIENCE_S,
    ) -> None:
        pace = Turns(Path(endpoint.pace), endpoint.pace_per_s) if endpoint.pace else None
        questions = Questions(endpoint.base, endpoint.api, endpoint.key, endpoint.headers, endpoint.ca, pace)
        self._prober = prober
        self._was_up = self._gone = False
        self._returns = 0
        self._kind = generic.KIND
        self._loads_from = 0
        here = endpoint.port
        company = Bystanders(lambda: others(here) if here and prober.local else None, endpoint.harm)
        self.scheduler = Scheduler(
            name,
            questions,
            write,
            say,
            scrape=endpoint.ours or endpoint.scrape,
            process=process,
            local=lambda: prober.local,
            company=company,
            model=endpoint.model,
            returns=lambda: self._returns,
        )
        self._rungs: list[Rung] = [self.scheduler] if endpoint.engine else []
        if endpoint.engine and endpoint.api and endpoint.canary_s > 0:
            self._rungs.append(
                Canary(
                    name,
                    questions,
                    write,
                    say,
                    every_s=endpoint.canary_s,
                    model=endpoint.model,
                    forbidden=lambda: self.scheduler.forbidden if self.scheduler.known else None,
                    router=lambda: self.scheduler.kind if self.scheduler.routes else None,
                    patience_s=patience_s,
                    company=company,
                )
            )

    def tick(self, now: int, *, ask: bool = True) -> None:
        """Write what hangs, and ask what is due. Waits for nobody.

        Args:
            ask: False while the process is stopped by a signal: each question would fill its accept queue.
        """
        self._find_health()
        ask = ask and self._up(now)
        for rung in self._rungs:
            rung.tick(now, ask=ask)

    def _find_health(self) -> None:
        """Tell the prober of a kind's own page; of a server that is not known it knows more than we."""
        kind = self.scheduler.kind
        if kind is not generic.KIND:
            self._prober.path = kind.health
        elif self._kind is not kind:
            self._prober.forget()
        if self.scheduler.known:
            self._prober.price.met(known=kind is not generic.KIND)
        self._kind = kind

    def close(self) -> None:
        for rung in self._rungs:
            rung.close()

    def _up(self, now: int) -> bool:
        """Whether somebody is there who may be asked; 503 is the answer of a server that loads, for a time."""
        heard = self._prober.heard
        if heard is None:
            return False
        self._loads_from = (self._loads_from or now) if heard.status == LOADING else 0
        loads = bool(self._loads_from) and now - self._loads_from < LOADS_NS
        answers = (heard.status is not None and not loads) or heard.error == NOT_ASKED
        if answers and self._gone:
            self._returns += 1
        self._gone = (self._gone or (self._was_up and heard.error in GONE)) and not answers
        self._was_up = self._was_up or answers
        return answers or (self._was_up and heard.error in UP and heard.status is None)
