"""A sender to the golden server, and what it sends."""

from __future__ import annotations

import threading
from typing import Any

import msgspec

from seatrial.checks import traits
from seatrial.records import SECOND, Endpoint, Event, Happening, Request, Scenario
from seatrial.trial.sending.guard import Guard
from seatrial.trial.sending.sender import Sender
from seatrial.trial.trial import Trial
from tests.golden.server import Golden

ROLE = {"choices": [{"index": 0, "delta": {"role": "assistant"}}]}


def chat(**body: Any) -> Scenario:
    asked = {"model": None, "messages": [{"role": "user", "content": "Say hello."}], "max_tokens": 30, **body}
    return Scenario(requests={"only": Request(body=asked)}, traits=traits.CHAT)


def sender_to(trial: Trial, golden: Golden, **known: Any) -> tuple[Sender, Endpoint]:
    endpoint = Endpoint(name="it", url=golden.url, kind="generic", model=golden.model, models=(golden.model,), **known)
    trial.rundir.write_endpoint(endpoint)
    return Sender(trial, Guard(trial)), endpoint


def at_once(sender: Sender, endpoint: Endpoint, scenarios: list[Scenario]) -> list[Any]:
    """Send them at the same time; what came of each."""
    came: list[Any] = [None] * len(scenarios)

    def one(n: int) -> None:
        came[n] = sender.send(f"chat/{n}", scenarios[n], endpoint)["only"]

    threads = [threading.Thread(target=one, args=(n,)) for n in range(len(scenarios))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return came


def of(trial: Trial, what: Happening) -> list[Event]:
    return [line for line in trial.rundir.in_time() if isinstance(line, Event) and line.what is what]


def first_word_at(x: Any, second: int) -> Any:
    """A stream whose first word came then."""
    return msgspec.structs.replace(x, chunks=(msgspec.structs.replace(x.chunks[0], at=second * SECOND),))
