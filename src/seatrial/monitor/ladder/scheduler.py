"""The rung that only the engine's own loop can answer, and the counters that come with it.

What is asked, and what a question costs, the kind of server says (:mod:`seatrial.kinds`). Which kind it is, is found
out once in each life of the server. A server that may sleep is not asked what would keep it awake; behind a router
nothing is asked, for a question there loads a model. Who serves is asked once in each life (``whois``).

An answer proves less than silence does: whether work goes on, ``progress`` tells.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

from seatrial.kinds import detect, generic, prometheus
from seatrial.kinds.kind import KEEPS_AWAKE, Cost, Forbidden, Heard, Met, Question, Reader, Tells, asked
from seatrial.monitor.ladder.questions import Questions
from seatrial.monitor.ladder.rung import Rung, Say, Write
from seatrial.monitor.ladder.whois import Whois
from seatrial.monitor.process.proc import Process
from seatrial.records import BUSY, Meter
from seatrial.wire.transports.bystanders import SAID, Bystanders
from seatrial.wire.transports.probe import ProbeAnswer

HANG_S = 60.0
"""A question that gets no answer is kept so long, then asked anew: one connection is open at most."""

LEARN_S = 5.0
LEARN_TRIES = 5
"""Questions about what it is that may fail before it is taken as something we do not know."""

FAR_TRIES = 30
"""The same on another host, where no process tells what it is: work for the wrong kind may load a model."""

WITHOUT_PROCESS = 5
"""Ticks to wait for the process behind a local port: its arguments tell whether it may be asked."""

RETURN = "return "
"""Begins the name of a life that no process shows."""

CAP = 4 * 1024 * 1024
"""A page about requests under way may hold every prompt."""

NOT_OFFERED = frozenset({401, 403, 404, 405, 501})
NOTHING = "the server offers nothing known that only its engine can answer"

Source = tuple[Question, Reader]
"""A question, and what reads its answers in this life of the server."""


class Scheduler(Rung):
    """Asks once a second at most.

    Args:
        scrape: gauges that a reading resets may be read.
        process: the main process, where it is on this host and known.
        local: whether the endpoint is on this host; None until known.
        company: what becomes of others when it is asked.
        model: that is asked of the server; empty: none is named.
        returns: how often it was gone and came back; it tells lives apart where no process is seen.

    Attributes:
        known: whether it has been found out what the server is; the canary waits for that.
        kind: the kind that answers; a generic one until that is known.
        met: the kind that was known last, in whatever life of the server.
        forbidden: why it must not be given work now: it sleeps, or would be kept awake. Empty: it may.
        routes: whether it is a router, which loads the model that a request names.
    """

    def __init__(
        self,
        name: str,
        questions: Questions,
        write: Write,
        say: Say,
        *,
        scrape: bool = False,
        process: Callable[[], Process | None] = lambda: None,
        local: Callable[[], bool | None] = lambda: False,
        company: Bystanders | None = None,
        model: str = "",
        returns: Callable[[], int] = lambda: 0,
    ) -> None:
        self._process, self._local, self._returns = process, local, returns
        self._whois = Whois(name, model, api=bool(questions.api))
        self._company = company or Bystanders(lambda: None)
        self._spares: frozenset[Cost] = frozenset() if scrape else frozenset({Cost.GAUGES})
        self._sources: list[Source] = []
        self._turn = self._tries = self._bereft = 0
        self._life = ""
        self.known = self.routes = False
        self.kind = self.met = generic.KIND
        self.forbidden: Forbidden = ""
        super().__init__(name, "scheduler", questions, write, say)

    def due(self, now: int) -> bool:  # noqa: ARG002 - a tick is the time
        process = self._process()
        life = process.incarnation if process is not None else self._unseen_life()
        if life != self._life:
            self.known, self._life, self._tries, self.forbidden, self.routes = False, life, 0, "", False
            self.kind = generic.KIND
            self._whois.forget()
        if self.known:
            return bool(self._sources) or self._whois.due
        if self._local() is not False and process is None and self._bereft < WITHOUT_PROCESS:
            self._bereft += 1
            return False
        return True

    def _unseen_life(self) -> str:
        """The life of a server whose process is not seen: the next one, once it was gone and is back."""
        returns = self._returns()
        return f"{RETURN}{returns}" if returns and (not self._life or self._life.startswith(RETURN)) else self._life

    def step(self) -> None:
        if not self.known:
            if not self._company.held_back():
                self._learn()
            return
        if self._whois.due and not self._company.held_back():
            if (found := self._whois.step(self._about)) is not None:
                self.write(found)
            return
        if not self._sources:
            return
        source = self._sources[self._turn % len(self._sources)]
        self._turn += 1
        if source[0].beat:
            self._ask(*source)
        else:
            self._look(*source)

    def _ask(self, question: Question, read: Reader) -> None:
        self.questions.turn()
        ask = self.begin()
        answer = self.questions.get(question.path, deadline_s=HANG_S, cap=CAP)
        outcome, told = answer.error, None
        if not answer.error:
            outcome = "ok" if answer.status == 200 else f"http-{answer.status}"
        if outcome == "ok":
            try:
                told = read(_heard(answer))
            except prometheus.Nonsense as error:
                outcome = "nonsense"
                self.trouble(f"{question.name} answers with {error}")
        self.end(ask, ended_at=answer.at, status=answer.status, outcome=outcome, detail=answer.detail)
        if told is not None:
            self._tell(question, told)
        if outcome == "too-large" or (answer.status in NOT_OFFERED and not answer.error):
            self._sources = [source for source in self._sources if source[0] is not question]
            why = f"more than {CAP} bytes" if outcome == "too-large" else f"status {answer.status}"
            self.trouble(f"{question.name} is not asked any more: {why}")

    def _look(self, question: Question, read: Reader) -> None:
        """Look at a page that costs nothing, in place of what would keep the server awake. It is no proof of life."""
        self.skip(KEEPS_AWAKE)
        self.questions.turn()
        answer = self.questions.get(question.path, deadline_s=LEARN_S, cap=CAP)
        if answer.status == 200:
            with contextlib.suppress(prometheus.Nonsense):
                self._tell(question, read(_heard(answer)))

    def _tell(self, question: Question, told: Tells) -> None:
        if told.forbidden is not None:
            self.forbidden = told.forbidden
        self.write(Meter(name=self.name, source=question.name, **told.meter))

    # what it is

    def _learn(self) -> None:
        met = self._meet()
        if met is None:
            self._tries += 1
            if self._tries < (LEARN_TRIES if self._local() is not False else FAR_TRIES):
                return
            met = Met()
            self._whois.begin(self.kind, {})
        self.forbidden, self.routes = met.forbidden, Cost.LOADS in met.spares
        self._sources = [(q, q.reader()) for q in asked(self.kind, met.spares | self._spares)]
        if not self._sources:
            self.trouble(f"the scheduler is not asked: {met.why or NOTHING}")
        elif not self._sources[0][0].beat:
            self.trouble("the server may sleep: nothing is asked of it that would wake it or keep it awake")
        self.known = True

    def _meet(self) -> Met | None:
        """What answers, and what it must be spared; None: nothing does, for now."""
        answers: dict[str, ProbeAnswer | None] = {}
        met: Met | None = None
        for sign, kind in detect.signs():
            if sign.path.startswith("/v1/") and not self.questions.api:
                continue
            if sign.path not in answers:
                answers[sign.path] = self._about(sign.path)
            answer = answers[sign.path]
            if answer is None:
                return None
            met = sign.meet(_heard(answer), self._arguments()) if answer.status == 200 else None
            if met is not None:
                self.kind = self.met = kind
                break
        else:
            met = Met()
        self._whois.begin(self.kind, answers)
        return met

    def _arguments(self) -> str:
        process = self._process()
        return process.arguments if process is not None else ""

    def _about(self, path: str) -> ProbeAnswer | None:
        """An answer that says something about the server, or None where it does not answer yet."""
        if self._company.held_back():
            return None
        self.questions.turn()
        with self._company.question(path):
            answer = self.questions.get(path, deadline_s=LEARN_S, cap=CAP)
        if self._company.convicted:
            self.trouble(SAID.format(cuts=self._company.cuts))
        if answer.status is None and answer.error not in {"not-http", "too-large"}:
            self.trouble(f"GET {path}: {answer.error} ({answer.detail})")
        return None if answer.status in BUSY or answer.status is None else answer


def _heard(answer: ProbeAnswer) -> Heard:
    return Heard(answer.body, answer.headers, time.time())
