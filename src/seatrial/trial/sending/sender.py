"""Sending: each request once, recorded before anybody judges it, never to a server that is known to be gone.

A request that waited for another one of ours is sent again, alone: :mod:`seatrial.trial.sending.queue`. How long
silence is borne is learnt: :mod:`seatrial.trial.sending.pace`. Several leave together by
:mod:`seatrial.trial.sending.crowd`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from functools import partial
from itertools import takewhile
from typing import NamedTuple

from seatrial.checks import crowds
from seatrial.checks.look import SOUND
from seatrial.checks.traits import CHAT, VALID, WHOLE_RUN, due, is_killer, is_valid_chat
from seatrial.reading import marks
from seatrial.records import (
    BUSY,
    Endpoint,
    Event,
    Exchange,
    Fact,
    Happening,
    Hazard,
    Judgement,
    Line,
    Received,
    Request,
    Scenario,
)
from seatrial.servers import locks
from seatrial.trial.sending import crowd, queue, recorded
from seatrial.trial.sending.guard import Guard, ServerGone
from seatrial.trial.sending.pace import Frames, Pace, Patience, Sort
from seatrial.trial.sending.told import sort_of
from seatrial.trial.trial import Trial
from seatrial.wire.decoding.assemble import assemble
from seatrial.wire.transports.company import Held
from seatrial.wire.transports.http import IDLE_S, Client
from seatrial.wire.transports.prepare import prepare

PATIENCE_S = 90.0
"""A worker that died leaves cases unjudged for good: when nothing is judged for this long, a killer waits no more."""
REPEATS = 3
"""So often a request is sent again that waited for others of ours: a server may work on at what we gave up."""
CHATS = Request().path
Send = Callable[[str, Scenario, Endpoint], dict[str, Exchange]]
FEWEST_S = 1.0
"""Where less time is left than this, nothing is sent again."""


class _Task(NamedTuple):
    """One scenario being sent to one endpoint, and what came of it so far."""

    name: str
    scenario: Scenario
    endpoint: Endpoint
    until: float | None
    got: dict[str, Exchange]


class _Came(NamedTuple):
    """What came of one request, and what it was given."""

    x: Exchange
    frames: Frames
    sort: Sort
    given: Patience


class Sender:
    """Sends scenarios and keeps what came back, per endpoint. Safe for threads: each send has a client of its own."""

    def __init__(self, trial: Trial, guard: Guard) -> None:
        self._trial, self._guard = trial, guard
        self._kept: dict[tuple[str, str], dict[str, Exchange] | ServerGone] = {}
        self._patience = PATIENCE_S
        self._pace = Pace(trial.rundir.path / "endpoints")
        self._queued: set[str] = set()
        self._strange: set[str] = set()

    def once(self, name: str, scenario: Scenario, endpoint: str, how: Send | None = None) -> dict[str, Exchange]:
        """The exchanges of a scenario on an endpoint; sent the first time it is asked for, and never again.

        Args:
            how: it is sent, in place of :meth:`send`.

        Raises:
            ServerGone: the server stopped, when it was sent or before; every later call raises it too.
        """
        key = (name, endpoint)
        if key not in self._kept:
            if is_killer(scenario):
                self._await_those_before(name, endpoint)
            self._guard.stop_if_gone(endpoint)
            try:
                self._kept[key] = (how or self.send)(name, scenario, self._trial.endpoint(endpoint))
            except ServerGone as gone:
                self._kept[key] = gone
        kept = self._kept[key]
        if isinstance(kept, ServerGone):
            raise kept
        return kept

    def send(
        self, name: str, scenario: Scenario, endpoint: Endpoint, until: float | None = None
    ) -> dict[str, Exchange]:
        """Send a scenario now, in order, and look whether the server is still there after each request.

        Args:
            until: on the monotonic clock, when the last of its requests ends at the latest, whatever its deadline.

        Raises:
            ServerGone: it stopped; what was in flight is a suspect and is not judged.
            LockTimeout: another run holds the endpoint, and went on to.
        """
        before = {} if scenario.before is None else {"before": self._before(*scenario.before, endpoint)}
        task = _Task(name, scenario, endpoint, until, {})
        alone = self._alone(scenario, endpoint)
        with self._lock(endpoint, alone=alone):
            crowded = _never if alone else partial(self._in_company, endpoint)
            came, silence = self._through(task, crowded)
        if came is not None:
            with self._lock(endpoint, alone=True):  # all others of ours have ended, and the record tells of them
                silence = self._again(task, came)
        if silence:  # outside of the lock, which repeating a suspect takes for itself
            self._guard.see_to(next(reversed(task.got.values())), endpoint, silence)
        if scenario.traits >= WHOLE_RUN:
            return self._earlier(endpoint, {x.id for x in task.got.values()}) | task.got
        return before | task.got

    def _earlier(self, endpoint: Endpoint, but: set[str]) -> dict[str, Exchange]:
        """All that came from an endpoint in this run so far, by id."""
        run = self._trial.rundir
        lines = [x for x in self._exchanges() if isinstance(x, Received) and not x.of_run]
        lines = [x for x in lines if x.endpoint == endpoint.name]
        return {x.id: assemble(x, *run.exchange_of(x)[:2]) for x in lines if x.id not in but and not x.dropped}

    def _before(self, name: str, request: Request, endpoint: Endpoint) -> Exchange:
        """The answer to a good request, kept from when its own scenario was sent, or asked for now.

        Raises:
            ServerGone: as :meth:`once`.
        """
        alone = Scenario(requests={"only": request}, traits=CHAT if request.path == CHATS else VALID)
        return next(iter(self.once(name, alone, endpoint.name).values()))

    def waited(self, x: Exchange) -> bool:
        """Whether an exchange only shows that it waited for another one of ours, and no time was left to repeat it."""
        return x.id in self._queued

    def _through(self, task: _Task, crowded: Callable[[Exchange], bool]) -> tuple[_Came | None, str]:
        """Send what was not sent yet.

        Args:
            crowded: whether a request that looks as if it had waited may have waited for another one of ours.

        Returns:
            The request that may have waited for another one of ours, and what is silent at the server: either ends it.
        """
        endpoint = task.endpoint
        if crowd.is_sent_so(task.scenario):
            return None, self._together(task)
        with self._trial.client(endpoint.url, keep_alive=task.scenario.one_connection) as client:
            for key, request in due(task.scenario, task.got):
                if key in task.got:
                    continue
                came = self._one(task, key, request, client)
                task.got[key] = came.x
                if queue.may_have(came.x) and crowded(came.x):
                    return came, ""
                if silence := self._took(came, endpoint):
                    return None, silence
        return None, ""

    def _together(self, task: _Task) -> str:
        """Send what leaves at the same time, each on a connection of its own, crowd after crowd.

        Returns:
            What is silent at the server.
        """
        endpoint = task.endpoint

        def one(key: str, request: Request, held: Held) -> _Came:
            with self._trial.client(endpoint.url) as client:
                return self._one(task, key, request, client, held)

        for came in crowd.sent(task.scenario, endpoint.slots, task.got, one):
            task.got.update({key: each.x for key, each in came.items()})
            if silence := next(filter(None, [self._took(each, endpoint) for each in came.values()]), ""):
                return silence
        return ""

    def _again(self, task: _Task, came: _Came) -> str:
        """With the endpoint held alone: send all again where a request had waited for one of ours, else go on.

        Returns:
            What is silent at the server.
        """
        x, silence = came.x, ""
        if not (x.status in BUSY or x.id in self._strange or queue.waited(x, self._exchanges())):
            silence = self._took(came, task.endpoint)
            return silence or self._through(task, _never)[1]
        again: _Came | None = came
        for left in reversed(range(REPEATS)):
            if again is None:
                break
            self._queue(again.x, task.endpoint)
            if task.until is not None and task.until - time.monotonic() < FEWEST_S:
                break
            task.got.clear()
            again, silence = self._through(task, queue.unheard if left else _never)
        return silence

    def _took(self, came: _Came, endpoint: Endpoint) -> str:
        """Learn from what came of a request; what is silent at the server now."""
        self._pace.learn(endpoint.name, came.sort, came.x, came.frames, came.given)
        return self._guard.silence_after(came.x, endpoint)

    def _in_company(self, endpoint: Endpoint, x: Exchange) -> bool:
        """Whether others were under way at the endpoint: requests of this run, or another run."""
        if locks.strangers(endpoint.url, self._trial.claim()):
            self._strange.add(x.id)
        return x.id in self._strange or queue.in_company(x, self._exchanges(), endpoint.slots)

    def _exchanges(self) -> Iterable[Line]:
        return self._trial.rundir.lines("writers/*/exchanges.jsonl")

    def _queue(self, x: Exchange, endpoint: Endpoint) -> None:
        """A request had waited for one of ours: it is no evidence, and from now on they leave one at a time."""
        self._queued.add(x.id)
        facts: dict[str, str] = {Fact.SCENARIO: x.scenario}
        event = Event(what=Happening.QUEUED, name=endpoint.name, at=x.ended_at, text=x.id, facts=facts)
        self._trial.writer.write("events.jsonl", event)
        self._trial.rundir.single(endpoint.name).touch()

    def _alone(self, scenario: Scenario, endpoint: Endpoint) -> bool:
        """Whether a scenario holds the endpoint alone: heavy and hostile requests, texts that are compared, and all
        where the server answers one request at a time.
        """
        if scenario.alone or scenario.hazard >= Hazard.HEAVY or is_killer(scenario) or crowd.is_sent_so(scenario):
            return True
        return endpoint.slots == 1 or self._trial.rundir.single(endpoint.name).exists()

    def _lock(self, endpoint: Endpoint, *, alone: bool) -> AbstractContextManager[None]:
        hold = locks.exclusive if alone else locks.shared
        return hold(endpoint.url, timeout_s=locks.RUN_S, claim=self._trial.claim())

    def _await_those_before(self, name: str, endpoint: str) -> None:
        """A known killer leaves when every case planned before it is judged, so that what it ends costs no other."""
        run = self._trial.rundir
        mine = [plan for plan in run.planned() if plan.endpoint == endpoint and plan.suite == "conformance"]
        scenario = name.rpartition("/")[2]
        before = {plan.case for plan in takewhile(lambda plan: plan.scenario != scenario, mine)}
        judged: set[str] = set()
        moved = time.monotonic()
        while time.monotonic() - moved < self._patience:
            found = {line.case for line in run.lines("writers/*/judgements.jsonl") if isinstance(line, Judgement)}
            if before <= found:
                return
            if found != judged:
                judged, moved = found, time.monotonic()
            time.sleep(0.2)
        self._patience = 0.0

    def _one(self, task: _Task, key: str, request: Request, client: Client, held: Held = None) -> _Came:
        name, scenario, endpoint, until, _ = task
        prepared = prepare(
            request,
            endpoint,
            valid_chat=is_valid_chat(scenario) or (key in SOUND and request.path == CHATS),
            got=task.got,
            mark=partial(self._mark, name, key),
        )
        most = self._trial.options.timeout_s
        if scenario.hazard is Hazard.CARELESS:
            most = self._pace.careless(endpoint.name, most)
        deadline = scenario.deadline_s or most
        ends = deadline if until is None else max(0.1, min(deadline, until - time.monotonic()))
        if until is not None:  # what the end of our time takes from a deadline is no patience that was learnt
            deadline = most
        sort = sort_of(scenario, key, request)
        heavy = scenario.hazard >= Hazard.HEAVY or (scenario.deadline_s or 0.0) > self._trial.options.timeout_s
        idle = deadline if heavy and scenario.deadline_s else min(deadline, IDLE_S)  # a long prompt is read in silence
        given = Patience(deadline, idle)
        if not heavy:  # what is heavy may be silent for long, whatever lighter ones did
            given = self._pace.patience(endpoint.name, sort, deadline)
        client.turn()
        writer = self._trial.writer
        sent = recorded.sent(writer, name, prepared, endpoint, client.request_bytes(prepared))
        if given.short:
            facts: dict[str, str] = {Fact.SORT: sort, Fact.SECONDS: f"{min(given.idle_s, given.deadline_s):g}"}
            event = Event(what=Happening.SHORTENED, name=endpoint.name, at=sent.t, text=sent.id, facts=facts)
            writer.write("events.jsonl", event)
        patience = Patience(min(ends, given.deadline_s), given.idle_s)
        recording, retries = recorded.patiently(client, prepared, patience, request.leaves, held)
        x = recorded.received(writer, sent, prepared, recording, retries)
        return _Came(x, recording.frames, sort, given)

    def _mark(self, name: str, key: str, of: str) -> str:
        """The mark of a request, or of the one that has its number in another wave."""
        return marks.made(f"{self._trial.rundir.path.name}/{name}", f"{of}.{crowds.place_of(key)}" if of else key)


def _never(_x: Exchange) -> bool:
    return False
