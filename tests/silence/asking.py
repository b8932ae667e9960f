"""Asking a golden server what each suite asks, without a run: nothing is written anywhere.

What is asked at once, and a soak, which has a transport of its own, need sockets; all else is asked in memory.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import islice

from load.counters import Totals, quiet, totals
from load.record import row_of
from load.users.asked import AskedOf
from load.users.traffic import Traffic
from seatrial.behaviour.items import Maker
from seatrial.behaviour.planning import items_of
from seatrial.behaviour.probe import makers, probes
from seatrial.checks import crowds
from seatrial.checks.areas import auth
from seatrial.checks.areas.tools import own
from seatrial.checks.autopsy import asking
from seatrial.checks.look import SOUND
from seatrial.checks.rules import Rule
from seatrial.checks.traits import due, is_valid_chat
from seatrial.given import workload
from seatrial.reading import marks
from seatrial.records import Counters, Endpoint, Exchange, LoadRow, Phase, Probe, Request, Scenario, SoakRun
from seatrial.trial.sending.crowd import LATER_S
from seatrial.trial.sending.offers import made
from seatrial.wire.decoding.assemble import assemble
from seatrial.wire.masking.mask import Mask
from seatrial.wire.transports.company import Held, all_at_once
from seatrial.wire.transports.http import Client, Prepared, Recording
from seatrial.wire.transports.load import LoadTarget, get, stream
from seatrial.wire.transports.outcomes import classify
from seatrial.wire.transports.prepare import prepare
from tests import toolset
from tests.golden.memory import Memory
from tests.golden.server import Golden
from tests.golden.together import Asked, Hour

OWN_TOOLS = toolset.forty()
"""What an operator's client is taken to offer."""

CAP_BYTES = 4 * 1024 * 1024
CAP_TOKENS = 48
CHATS = Request().path


@dataclass
class Asker:
    """Asks one server. ``deadline_s`` bounds each request, whatever a scenario allows."""

    endpoint: Endpoint
    deadline_s: float
    server: Memory
    keyed: Asker | None = None  # of the same server with a key; None: it has one
    seed: int = 0
    _kept: dict[str, Exchange] = field(default_factory=dict)
    _ids: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.hour = Hour(self.server)

    def send(self, name: str, scenario: Scenario) -> dict[str, Exchange]:
        """The exchanges of a scenario."""
        if scenario.traits >= auth.KEYED and self.keyed is not None:
            return self.keyed.send(name, scenario)
        if scenario.traits >= own.OFFERED:
            return self._offered(name, scenario)
        scenario = made(scenario, OWN_TOOLS)
        valid = is_valid_chat(scenario)
        with self.server.client(cap_bytes=CAP_BYTES, keep_alive=scenario.one_connection) as client:
            before = {} if scenario.before is None else {"before": self._before(*scenario.before)}
            if scenario.at_once:
                return before | self._at_once(name, scenario)
            if scenario.waves:
                return before | self._in_waves(name, scenario, client)
            got: dict[str, Exchange] = {}
            for key, r in due(scenario, got):
                sound = valid or (key in SOUND and r.path == CHATS)
                got[key] = self._one(name, r, client, valid=sound, got=got)
            return before | got

    def _at_once(self, name: str, scenario: Scenario) -> dict[str, Exchange]:
        """Requests that are to be answered beside each other: for that the server needs sockets."""

        def one(key: str, held: Held) -> Exchange:
            with Client(golden.url, cap_bytes=CAP_BYTES) as client:
                return self._one(name, scenario.requests[key], client, valid=False, held=held)

        with Golden(service=self.server.service) as golden:
            return all_at_once(scenario.requests, one)

    def _in_waves(self, name: str, scenario: Scenario, client: Client) -> dict[str, Exchange]:
        """Requests that are under way together, wave after wave, in the server's own time."""
        got: dict[str, Exchange] = {}
        for wave in crowds.waves(scenario, self.endpoint.slots, got):
            self.hour.pause(crowds.pause(scenario, wave))
            prepared, asked = {}, {}
            for key, r in wave.items():
                marking = partial(self._mark, name, key)
                prepared[key] = prepare(r, self.endpoint, valid_chat=is_valid_chat(scenario), got=got, mark=marking)
                after_s = LATER_S if crowds.is_later(scenario, key) else 0.0
                asked[key] = Asked(client.request_bytes(prepared[key]), r.leaves, after_s, scenario.deadline_s or 60.0)
            for key, said in self.hour.hold(asked).items():
                got[key] = self._told(name, prepared[key], said)
        return got

    def _mark(self, name: str, key: str, of: str) -> str:
        return marks.made(f"{self.seed}/{name}", f"{of}.{crowds.place_of(key)}" if of else key)

    def _before(self, name: str, request: Request) -> Exchange:
        """The answer to a good request, asked for once."""
        if name not in self._kept:
            with self.server.client(cap_bytes=CAP_BYTES) as client:
                self._kept[name] = self._one(name, request, client, valid=request.path == CHATS)
        return self._kept[name]

    def _offered(self, name: str, scenario: Scenario) -> dict[str, Exchange]:
        """Tools of our own, offered for as long as the answers leave something to ask."""
        before = {} if scenario.before is None else {"before": self._before(*scenario.before)}
        with self.server.client(cap_bytes=CAP_BYTES) as client:
            return before | asking.hold(OWN_TOOLS, lambda _key, r: self._one(name, r, client, valid=True))

    def answers(self, rules: Iterable[Rule], n: int, *, enough: bool) -> dict[str, Exchange]:
        """The items of the probes among these rules, n of each maker; where other rules alone read them, those of
        ordinary talk. ``enough``: as many as an honest server needs for a PASS."""
        rules = list(rules)
        asked = [probe for probe in probes().values() if probe.rule in rules]
        known = {probe.maker.name: probe.maker for probe in asked} or dict(islice(makers().items(), 1))
        needed = {name: max([n, *(items_of(p) for p in asked if p.maker.name == name)]) for name in known}
        many = needed if enough else dict.fromkeys(known, n)
        return {name: x for maker in known.values() for name, x in self._of(maker, many[maker.name]).items()}

    def _of(self, maker: Maker, n: int) -> dict[str, Exchange]:
        found = {}
        for number in range(n):
            name = maker.named(number)
            found[name] = self.send(name, maker.scenario(0, number, thinks=self.endpoint.cap_factor > 1))[name]
        return found

    def _one(
        self,
        name: str,
        request: Request,
        client: Client,
        *,
        valid: bool,
        got: Mapping[str, Exchange] | None = None,
        held: Held = None,
    ) -> Exchange:
        prepared = prepare(request, self.endpoint, valid_chat=valid, got=got)
        return self._told(
            name, prepared, client.exchange(prepared, deadline_s=self.deadline_s, held=held, leaves=request.leaves)
        )

    def _told(self, name: str, prepared: Prepared, said: Recording) -> Exchange:
        line = said.line(f"silence-{next(self._ids)}", prepared, endpoint=self.endpoint.name, scenario=name)
        return assemble(line, said.request, said.response)


@dataclass
class Soak:
    """Streams as a soak sends them, to a server that has a socket."""

    endpoint: Endpoint
    deadline_s: float
    _ids: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def run(self, n: int) -> SoakRun:
        """n streams one after the other, between two readings of the server's counters."""
        at, patience = time.monotonic_ns(), self.deadline_s
        target = LoadTarget(self.endpoint.url, Mask(), idle_s=patience, deadline_s=patience, cap_bytes=CAP_BYTES)
        before = self._counters(target, "before")
        rows, looks = [], []
        traffic = Traffic(workload.named("short"), AskedOf(self.endpoint, 0, CAP_TOKENS))
        for _ in range(n):
            looks.append(self._look(target))
            rows.append(self._row(target, traffic.request().body))
        after = self._counters(target, "after")
        phases = tuple(Phase(endpoint=self.endpoint.name, what=w, at=at) for w in ("start", "drain", "end"))
        return SoakRun(rows=tuple(rows), counters=(before, after), phases=phases, probes=tuple(looks[1:]))

    def _look(self, target: LoadTarget) -> Probe:
        """A look at health, as the recorder has it."""
        said = get(target, "//health")
        return Probe(name=self.endpoint.name, t=time.monotonic_ns(), health=said.status, health_ns=1)

    def _row(self, target: LoadTarget, body: bytes) -> LoadRow:
        intended_at = time.monotonic_ns()
        s = stream(target, body)
        return row_of(f"silence-{next(self._ids)}", self.endpoint.name, classify(s), s, intended_at=intended_at)

    def _counters(self, target: LoadTarget, phase: str) -> Counters:
        read: Totals = quiet(lambda: totals(get(target, "//metrics"), "/metrics"))
        return Counters(
            endpoint=self.endpoint.name,
            phase=phase,
            requests=read.requests,
            prompt_tokens=read.prompt_tokens,
            tokens=read.tokens,
            source=read.source,
        )
