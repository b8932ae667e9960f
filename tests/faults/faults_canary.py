"""Canaries that are not answered, on the simulated clock: what must be told within a minute or five, and its twins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.faults.rows import Expected, Row, Trial
from tests.stops.simulation import World
from tests.stops.simulation_work import Engine, Rig

ERROR = {"status": 500, "outcome": "http_5xx", "detail": "generate() failed"}
REFUSED = {"status": 400, "outcome": "http_4xx", "detail": "max_tokens must be at least 2"}
BUSY = {"status": 503, "outcome": "busy", "detail": "no available workers"}
PROMISED = {**BUSY, "retry_s": 400}
LOADS = {**BUSY, "detail": "Loading model"}
LIMITED = {"status": 429, "outcome": "busy", "detail": "slow down"}
Ends = Callable[[int], dict[str, Any] | None]


def _nothing(_: Trial) -> None:
    """A simulated row sets nothing up."""


def _from_the_first(ends: Ends) -> Callable[[int], World]:
    """Its canaries end so from the first one on."""

    def begin(seed: int) -> World:
        world = Engine(seed, Rig(clients=0))
        world.ends = ends
        return world

    return begin


def _well(seed: int) -> World:
    return Engine(seed, Rig(clients=0))


def _then(ends: Ends, seconds: float, *, health: int | None = 200, after: float = 0) -> Callable[[Any], None]:
    """From now on its canaries end so; after that it is well again for a while."""

    def deed(world: Engine) -> None:
        world.ends, world.health = ends, health
        world.run_for(seconds)
        if after:
            world.ends, world.health = (lambda _: None), 200
            world.run_for(after)

    return deed


def _wait(seconds: float) -> Callable[[Any], None]:
    return lambda world: world.run_for(seconds)


def _row(name: str, title: str, *, wedged: bool) -> Row:
    return Row(id=name, title=title, setup=_nothing, expected=(Expected(family="WEDGED"),) if wedged else ())


def _every_second(number: int) -> dict[str, Any] | None:
    return ERROR if number % 2 else None


SIMULATED = (
    (_row("N01", "500 to every canary, from the first on", wedged=True), _wait(70), _from_the_first(lambda _: ERROR)),
    (_row("N02", "400 to every canary, where it was 200", wedged=True), _then(lambda _: REFUSED, 70), _well),
    (_row("N03", "500 to every canary, /health silent", wedged=True), _then(lambda _: ERROR, 70, health=None), _well),
    (_row("N04", "500 to every second canary", wedged=True), _then(_every_second, 200), _well),
    (_row("N05", "503 for ever, /health 200", wedged=True), _then(lambda _: BUSY, 340), _well),
    (_row("N06", "503 for two minutes", wedged=False), _then(lambda _: BUSY, 120, after=60), _well),
    (_row("N07", "429 for four minutes", wedged=False), _then(lambda _: LIMITED, 240, after=60), _well),
    (
        _row("N08", "one token is refused from the first on", wedged=False),
        _wait(120),
        _from_the_first(lambda _: REFUSED),
    ),
    (
        _row("N10", "503, Retry-After: 400, for 380 s", wedged=False),
        _then(lambda _: PROMISED, 380, after=60),
        _well,
    ),
    (_row("N11", "503 Loading model, for ever", wedged=True), _then(lambda _: LOADS, 640), _well),
    (_row("N12", "503 Loading model, for nine minutes", wedged=False), _then(lambda _: LOADS, 540, after=60), _well),
    (_row("N13", "500 to every fourth canary", wedged=True), _then(lambda n: None if n % 4 else ERROR, 400), _well),
    (_row("N14", "500 to every twelfth canary", wedged=False), _then(lambda n: None if n % 12 else ERROR, 500), _well),
    (_row("N09", "two canaries fail", wedged=False), _then(lambda n: ERROR if n < 4 else None, 60), _well),
)
"""What is struck, and each with a twin: who is busy by right, who refuses one way of asking, who fails twice."""
