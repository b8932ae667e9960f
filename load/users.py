"""The user of a soak: asks, reads the answer to its end, asks again."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Iterator

import gevent
from locust import User, constant, task
from locust.exception import StopUser

from load.prompts import prompts
from load.record import row_of
from load.session import LoadSession
from load.settings import body, cap
from seatrial.records import LoadRow
from seatrial.wire.transports.load import Stream, stream
from seatrial.wire.transports.outcomes import classify, cut_by_us

JITTER_S = 1.0
"""Users start within this time, each at its own moment: streams that start together stay together."""

BACK_OFF_S = 0.25
LONGEST_S = 5.0
BACKSTOP_S = 5.0
"""Past its deadline a request that still hangs (in a name look-up, in a handshake) is cut by us."""


class OutcomeError(Exception):
    """A request that is not ok, as Locust counts it: one word of OUTCOMES. Locust keeps each distinct text for good."""


class ChatUser(User):  # type: ignore[misc]
    """A closed user: one request at a time, the next when the last has ended."""

    wait_time = constant(0)
    count = itertools.count()

    def on_start(self) -> None:
        number = next(self.count)
        self.session: LoadSession = self.environment.session
        self.prompts: Iterator[str] = prompts(self.session.settings.seed, number)
        self.failures = 0
        source = random.Random(f"{self.session.settings.seed}/{number}/start")  # noqa: S311
        jitter = source.uniform(0, JITTER_S)
        if self.session.draining.wait(jitter):
            raise StopUser

    @task  # type: ignore[untyped-decorator]
    def chat(self) -> None:
        s, outcome = self._ask()
        if outcome == "ok":
            self.failures = 0
            return
        self.failures += 1
        self.session.draining.wait(pause(s, outcome, self.failures))

    def _ask(self) -> tuple[Stream, str]:
        """One request, one row, one event, whatever happens in between."""
        session = self.session
        request = body(session.endpoint, next(self.prompts), session.settings.max_tokens)
        session.target.turn()
        if session.draining.is_set():
            raise StopUser
        intended_at = time.monotonic_ns()
        name = session.recorder.begin()
        s, outcome = Stream(), ""
        try:
            with gevent.Timeout(session.settings.deadline_s + BACKSTOP_S):
                stream(session.target, request, into=s)
            outcome = classify(s)
        except gevent.Timeout:
            outcome = "deadline"
        finally:
            s.ended_at = s.ended_at or time.monotonic_ns()
            outcome = outcome or cut_by_us(s)
            found = session.inspector.findings(name, s) if outcome == "ok" else ()
            row = row_of(
                name,
                session.endpoint.name,
                outcome,
                s,
                intended_at=intended_at,
                phase="closed",
                workload="chat",
                cap=cap(session.endpoint, session.settings.max_tokens),
                findings=found,
                draining=session.draining.is_set(),
            )
            session.recorder.end(row, s)
            self._tell(row, s)
        return s, outcome

    def _tell(self, row: LoadRow, s: Stream) -> None:
        self.environment.events.request.fire(
            request_type="POST",
            name="chat",
            response_time=(row.ended_at - row.sent_at) / 1e6,
            response_length=len(s.response),
            exception=None if row.outcome == "ok" else OutcomeError(row.outcome),
            context={"row": row},
        )


def pause(s: Stream, outcome: str, failures: int) -> float:
    """Seconds until a user tries again after a failure: as the server asks, else longer with each in a row."""
    asked = s.retry_after.strip()
    if outcome == "busy" and asked.isdecimal():
        return min(float(asked), 60.0)
    return min(BACK_OFF_S * 2.0 ** min(failures - 1, 10), LONGEST_S)
