"""The operator's own tools, offered to an endpoint: each next request rests on the answers before it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from seatrial.checks.areas.tools import own
from seatrial.checks.autopsy import asking
from seatrial.checks.autopsy.cuts import Tool
from seatrial.records import Endpoint, Exchange, Request, Scenario
from seatrial.trial.sending.guard import Guard
from seatrial.trial.sending.sender import Sender


def made(scenario: Scenario, tools: Sequence[Tool]) -> Scenario:
    """A scenario of the operator's own tools, with what is known to be sent of it before the first answer."""
    if not scenario.traits >= own.OWN:
        return scenario
    requests = asking.first(tools) if scenario.traits >= own.OFFERED else asking.calls(tools)
    tokens = sum(request.body["max_tokens"] for request in requests.values())
    return msgspec.structs.replace(scenario, requests=requests, tokens=tokens)


class Offers:
    """Offers tools, once per endpoint."""

    def __init__(self, sender: Sender, guard: Guard, tools: Sequence[Tool]) -> None:
        self._sender, self._guard, self._tools = sender, guard, tools

    def of(self, name: str, scenario: Scenario, endpoint: Endpoint) -> dict[str, Exchange]:
        """The exchanges of a scenario of own tools; sent the first time it is asked for.

        Raises:
            ServerGone: the server stopped meanwhile; every later call raises it too.
        """
        how = self._search if scenario.traits >= own.OFFERED else None
        return self._sender.once(name, made(scenario, self._tools), endpoint.name, how)

    def _search(self, name: str, scenario: Scenario, endpoint: Endpoint) -> dict[str, Exchange]:
        before: dict[str, Exchange] = {}

        def ask(key: str, request: Request) -> Exchange:
            self._guard.stop_if_gone(endpoint.name)
            came = self._sender.send(name, msgspec.structs.replace(scenario, requests={key: request}), endpoint)
            before.update({each: x for each, x in came.items() if each != key})
            return came[key]

        told = asking.hold(self._tools, ask)
        return before | told
