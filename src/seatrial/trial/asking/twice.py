"""The questions of ``--same``: asked of each endpoint alone, one at a time, and of the incumbent twice."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from seatrial.behaviour.probes.talk import twins
from seatrial.behaviour.probes.talk.twins import TWINS
from seatrial.checks import traits
from seatrial.kinds import profile
from seatrial.records import Endpoint, Exchange, Scenario
from seatrial.trial.sending.sender import Sender
from seatrial.trial.trial import Trial

SHARE = 0.5
"""Of ``--budget``, beside it: so long these questions take at most, of each endpoint."""

LEAST_S = 1.0
"""So long the last question has in any case: its time may be over by the end of the one before."""

TRAITS = traits.STREAM | traits.ANSWERS
REFUSED = frozenset({400, 404, 405, 422, 501})


def settings(trial: Trial, sender: Sender, endpoint: Endpoint) -> dict[str, Any]:
    """What a comparison must know of the answers: their exchanges by question, and whether the cache was off.

    Raises:
        ServerGone: the server stopped while it was asked.
    """
    turns = ("first", "again") if endpoint.name == incumbent(trial) else ("first",)
    uncached = profile.load(endpoint.kind).uncached
    end = time.monotonic() + SHARE * trial.options.budget_s
    found: dict[str, Any] = {"uncached": bool(uncached), **{turn: {} for turn in turns}}
    chances, longest = True, 0.0
    for number in range(twins.QUESTIONS):
        began = time.monotonic()
        if end - began < longest:
            break
        for turn in turns:
            x = _one(trial, sender, endpoint, number, uncached, end, chances=chances)
            if chances and not number and turn == "first" and x.status in REFUSED:  # it tells no chances
                chances = False
                x = _one(trial, sender, endpoint, number, uncached, end, chances=chances)
            found[turn][TWINS.named(number)] = x.id
        longest = max(longest, time.monotonic() - began)
        trial.progress(f"same       {endpoint.name}, {number + 1} of {twins.QUESTIONS} questions")
    return {twins.SETTING: found}


def incumbent(trial: Trial) -> str:
    """The endpoint that the others are held against."""
    return trial.options.baseline or trial.options.names[0]


def _one(
    trial: Trial,
    sender: Sender,
    endpoint: Endpoint,
    number: int,
    uncached: Mapping[str, Any],
    end: float,
    *,
    chances: bool,
) -> Exchange:
    request = twins.asked(trial.options.seed, number, chances=chances, uncached=uncached)
    until = max(end, time.monotonic() + LEAST_S)  # the end of our time is no patience with the server
    scenario = Scenario(requests={"only": request}, traits=TRAITS, tokens=twins.LONGEST, alone=True)
    return sender.send(twins.SCENARIO, scenario, endpoint, until)["only"]
