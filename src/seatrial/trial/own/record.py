"""What one test of the operator's sends to one endpoint, and what comes back, on record."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

import msgspec

from seatrial.checks.own.readers import readers
from seatrial.checks.own.word import HOLDS
from seatrial.records import OWN_SETTING, OWN_SUITE, Endpoint, Exchange, Expect, Judgement, OwnTold, Planned, Sent
from seatrial.servers import locks
from seatrial.trial.sending import recorded
from seatrial.trial.sending.guard import Guard
from seatrial.trial.trial import Trial
from seatrial.wire.masking.headers import SECRET, SHORTEST, secret_values
from seatrial.wire.transports.http import Prepared
from seatrial.wire.transports.live import Live

READ = 50
"""The first exchanges of a test that the rules read: a test may send thousands."""


class Begun(NamedTuple):
    """An exchange on record that goes on."""

    key: str
    sent: Sent
    prepared: Prepared
    live: Live


class OwnTest:
    """One test's part in the record. Its threads may share it.

    Attributes:
        gone: why the endpoint gets no more requests of this test; empty while it does.
    """

    def __init__(self, trial: Trial, guard: Guard, plan: Planned, endpoint: Endpoint) -> None:
        self.endpoint, self.plan = endpoint, plan
        self.gone = ""
        self._trial, self._guard = trial, guard
        self._lock = threading.Lock()
        self._begun: dict[str, Begun] = {}
        self._ids: dict[str, str] = {}
        self._kept: dict[str, Exchange] = {}
        self._last: Exchange | None = None
        self._hold = ExitStack()
        self._n = 0

    @property
    def deadline_s(self) -> float:
        """Seconds that each of its requests may take."""
        return self._trial.options.timeout_s

    @contextmanager
    def held(self) -> Iterator[None]:
        """Share the endpoint with others; hold it alone where it answers one request at a time.

        Raises:
            ServerGone: the endpoint stopped answering before.
            LockTimeout: another run holds it.
        """
        self._guard.stop_if_gone(self.endpoint.name)
        one = self.endpoint.slots == 1 or self._trial.rundir.single(self.endpoint.name).exists()
        hold = locks.exclusive if one else locks.shared
        with self._hold:
            self._hold.enter_context(hold(self.endpoint.url, timeout_s=locks.RUN_S, claim=self._trial.claim()))
            yield

    def begin(self, prepared: Prepared, idle_s: float) -> Begun:
        """Write a request down, send it, and read the head of its answer.

        Args:
            idle_s: the longest wait for a next byte.

        Raises:
            ValueError: it cannot be sent as HTTP.
            RunDirError: it cannot be written down.
        """
        secret = {name: value for name, value in prepared.headers if value and name.lower() in SECRET}
        hidden = [value for value in secret_values(secret) if len(value) >= SHORTEST]
        client = self._trial.options.access.live(self.endpoint.url, hidden=hidden)
        client.turn()
        name = f"{OWN_SUITE}/{self.plan.scenario}"
        sent = recorded.sent(self._trial.writer, name, prepared, self.endpoint, client.request_bytes(prepared))
        live = client.begin(prepared, deadline_s=self.deadline_s, idle_s=idle_s)
        with self._lock:
            self._n += 1
            begun = Begun(str(self._n), sent, prepared, live)
            self._begun[begun.key] = begun
        return begun

    def end(self, begun: Begun) -> None:
        """Write down what came of an exchange, and look whether the server is still there.

        Raises:
            RunDirError: it cannot be written down.
        """
        with self._lock:
            if self._begun.pop(begun.key, None) is None:
                return
        recording = begun.live.end()
        x = recorded.received(self._trial.writer, begun.sent, begun.prepared, recording, 0)
        silence = self._guard.silence_after(x, self.endpoint)
        with self._lock:
            self._ids[begun.key] = x.id
            if len(self._kept) < READ:
                self._kept[begun.key] = x
            if silence and not self.gone:
                self.gone, self._last = silence, x

    def end_all(self) -> None:
        """End what the test left open.

        Raises:
            RunDirError: it cannot be written down.
        """
        for begun in list(self._begun.values()):
            self.end(begun)

    def kept(self) -> dict[str, Exchange]:
        """Its first exchanges, by the keys of the judgement."""
        return dict(self._kept)

    def kept_by_id(self) -> dict[str, Exchange]:
        """The same, by their ids in the record."""
        return {x.id: x for x in self._kept.values()}

    def see_to(self) -> None:
        """Where the server went away: say so, and have the embedded one started again.

        Raises:
            ServerGone: it did.
        """
        if self.gone and self._last is not None:
            self._hold.close()  # to repeat a suspect is to hold the endpoint alone
            self._guard.see_to(self._last, self.endpoint, self.gone)

    def judged(self, told: OwnTold) -> Judgement:
        """Write down what the test says of itself, and what the rules have to read of its exchanges.

        Returns:
            The judgement of the test itself.

        Raises:
            RunDirError: it cannot be written down.
        """
        line = self._line(HOLDS.id, self._ids, {OWN_SETTING: msgspec.to_builtins(told)})
        self._trial.writer.write("judgements.jsonl", line)
        expect = Expect.of(self.endpoint, strict=self._trial.options.strict)
        read: dict[str, dict[str, str]] = {}
        for key, x in self._kept.items():
            for rule in readers(x, expect):
                read.setdefault(rule.id, {})[key] = x.id
        for rule_id, exchanges in read.items():
            self._trial.writer.write("judgements.jsonl", self._line(rule_id, exchanges, {}))
        return line

    def _line(self, rule: str, exchanges: Mapping[str, str], settings: dict[str, object]) -> Judgement:
        expect = Expect.of(self.endpoint, strict=self._trial.options.strict, settings=settings)
        return Judgement(
            case=f"{rule}[{self.plan.scenario}]@{self.endpoint.name}",
            endpoint=self.endpoint.name,
            rule=rule,
            exchanges=dict(exchanges),
            expect=msgspec.to_builtins(expect),
            suite=OWN_SUITE,
        )
