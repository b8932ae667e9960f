"""The users of a load: each takes a ticket, asks, reads the answer to its end, and takes the next."""

from __future__ import annotations

import sys
import time
import traceback
from pathlib import Path

import gevent
from locust import User, constant, task
from locust.exception import StopUser

from load.record import row_of
from load.session import LoadSession
from load.users.asked import Sending
from load.users.ticket import Ticket
from seatrial.records import OUR_ERROR, LoadRow
from seatrial.run.writer import RunDirError
from seatrial.wire.transports.load import LoadTarget, Stream, stream, whole
from seatrial.wire.transports.outcomes import classify, classify_invalid, classify_vectors, cut_by_us

BACK_OFF_S = 0.25
LONGEST_S = 5.0
BACKSTOP_S = 5.0
"""Past its deadline a request that still hangs (in a name look-up, in a handshake) is cut by us."""


class OutcomeError(Exception):
    """A request that is not ok, as Locust counts it: one word of OUTCOMES. Locust keeps each distinct text for good."""


class PoolUser(User):  # type: ignore[misc]
    """A place in the load: one request at a time."""

    wait_time = constant(0)

    def on_start(self) -> None:
        self.session: LoadSession = self.environment.session
        self.number = self.session.desk.enter()
        self.failures = 0

    def on_stop(self) -> None:
        self.session.desk.leave(self.number)

    @task  # type: ignore[untyped-decorator]
    def ask(self) -> None:
        ticket = self.session.desk.take(self.number)
        if ticket is None:
            raise StopUser
        try:
            self._ask(ticket)
            if ticket.then is not None:
                self._ask(Ticket(ticket.then, ticket.phase))
        except RunDirError as error:  # what cannot be recorded is not sent
            raise StopUser from error
        finally:
            self.session.desk.done()
        if ticket.outcome in GOOD:
            self.failures = 0
        elif ticket.patient:
            self.failures += 1
            self.session.draining.wait(pause(ticket.stream or Stream(), ticket.outcome, self.failures))

    def _ask(self, ticket: Ticket) -> None:
        """One request, one row, one event, whatever happens in between."""
        session, asked = self.session, ticket.asked
        try:
            session.target.turn()
        except OSError as error:  # without its pace a load sends nothing, and would look like a quiet one
            session.ending.broken(error)
            raise StopUser from error
        if session.draining.is_set():
            if not ticket.patient:
                session.recorder.dropped(ticket)
            raise StopUser
        if ticket.patient:  # a closed user means to send when it can
            ticket.intended_at = time.monotonic_ns()
        name = session.recorder.begin(asked.path)
        s = ticket.stream = Stream()
        try:
            with gevent.Timeout(session.settings.deadline_s + BACKSTOP_S):
                ticket.outcome = sent(session.target, asked, s)
        except gevent.Timeout:
            ticket.outcome = "deadline"
        finally:
            s.ended_at = s.ended_at or time.monotonic_ns()
            ticket.outcome = ticket.outcome or _ended(s, sys.exc_info()[1])
            found = session.inspector.findings(name, s) if ticket.outcome == "ok" and asked.wants == "stream" else ()
            row = row_of(
                name,
                session.endpoint.name,
                ticket.outcome,
                s,
                intended_at=ticket.intended_at,
                ticket=ticket,
                findings=found,
                draining=session.draining.is_set(),
            )
            session.recorder.end(row, s, asked.path)
            self._tell(row, s)

    def _tell(self, row: LoadRow, s: Stream) -> None:
        self.environment.events.request.fire(
            request_type="POST",
            name=row.workload,
            response_time=(row.ended_at - row.sent_at) / 1e6,
            response_length=len(s.came),
            exception=None if row.outcome in GOOD else OutcomeError(row.outcome),
            context={"row": row},
        )


GOOD = frozenset({"ok", "left", "declined"})
"""What is no failure of the server."""


def _ended(s: Stream, error: BaseException | None) -> str:
    """The outcome of a request that did not come to one: an error of ours, or what we cut."""
    if not isinstance(error, Exception):
        return cut_by_us(s)
    *_, (frame, line) = traceback.walk_tb(error.__traceback__)
    s.fault = f"{type(error).__name__} in {Path(frame.f_code.co_filename).name}, line {line}"  # its text may be theirs
    return OUR_ERROR


def sent(target: LoadTarget, asked: Sending, s: Stream) -> str:
    """Send a request and read its answer; the outcome."""
    if asked.wants == "vectors":
        return classify_vectors(s, whole(target, asked.body, asked.path, into=s))
    stream(target, asked.body, into=s, path=asked.path, leave_after=asked.leave_after)
    return classify_invalid(s) if asked.wants == "refusal" else classify(s)


def pause(s: Stream, outcome: str, failures: int) -> float:
    """Seconds until a user tries again after a failure: as the server asks, else longer with each in a row."""
    asked = s.retry_after.strip()
    if outcome == "busy" and asked.isdecimal():
        return min(float(asked), 60.0)
    return min(BACK_OFF_S * 2.0 ** min(failures - 1, 10), LONGEST_S)
