"""An interview without a run: what an interviewer needs, and nothing written anywhere."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from seatrial.behaviour.answers import Interview
from seatrial.behaviour.probe import RateProbe
from seatrial.behaviour.probes.talk import loops, markers, stops
from seatrial.checks.traits import is_valid_chat
from seatrial.given.options import Options
from seatrial.records import Endpoint, Exchange, Scenario
from seatrial.trial.asking.interview import Interviewer, Spare
from seatrial.wire.decoding.assemble import assemble
from seatrial.wire.transports.http import Client
from seatrial.wire.transports.prepare import prepare

TALK = (loops.answers_do_not_loop, stops.answers_end_by_themselves, markers.no_template_marker_leaks)


@dataclass
class Trial:
    """The part of a run an interviewer sees."""

    options: Options
    said: list[str] = field(default_factory=list)

    def progress(self, text: str) -> None:
        self.said.append(text)


class Sender:
    """Sends each request with a client of its own and keeps nothing."""

    def __init__(self) -> None:
        self._n = itertools.count(1)

    def waited(self, x: Exchange) -> bool:
        return False

    def send(
        self, name: str, scenario: Scenario, endpoint: Endpoint, until: float | None = None
    ) -> dict[str, Exchange]:
        return {key: self._one(name, scenario, request, endpoint) for key, request in scenario.requests.items()}

    def _one(self, name: str, scenario: Scenario, request: Any, endpoint: Endpoint) -> Exchange:
        prepared = prepare(request, endpoint, valid_chat=is_valid_chat(scenario))
        with Client(endpoint.url) as client:
            got = client.exchange(prepared, deadline_s=scenario.deadline_s)
        line = got.line(f"main-{next(self._n)}", prepared, endpoint=endpoint.name, scenario=name)
        return assemble(line, got.request, got.response)


def ask(
    url: str,
    budget_s: float,
    *,
    sender: Any = None,
    trial: Any = None,
    model: str = "golden",
    probes: Sequence[RateProbe] = TALK,
    spare: Spare | None = None,
    **fields: Any,
) -> Interview:
    """Hold an interview with a server."""
    endpoint = Endpoint(name="it", url=url, kind="generic", model=model, models=(model,), **fields)
    trial, sender = trial or Trial(Options(budget_s=budget_s)), sender or Sender()
    return Interviewer(trial, sender, endpoint, probes, spare=spare).hold()
