"""Calm lines that are taken in together leave the state, to the last field, that they leave one after the other."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from seatrial.records import Clock, Event, Happening, Line, LoadRow, Meter, Phase, Probe, Sample, Sent, Stage
from seatrial.stops import calm, fold
from seatrial.stops.state.server import State
from tests.stops.simulation import S
from tests.stops.simulation_work import Engine

SEEDS = range(16)
NAMES = ("a", "b")


def one_by_one(lines: list[Line]) -> State:
    state = fold.start()
    for line in lines:
        state, _ = fold.step(state, line)
    return state


def together(lines: list[Line]) -> State:
    return fold._taken(fold.start(), lines)[0]


class Night:
    """Lines of a load on two servers, of any order and any outcome; many of their times are the same."""

    def __init__(self, seed: int, *, rough: float) -> None:
        self.random, self.rough, self.n = random.Random(seed), rough, 0

    def lines(self) -> list[Line]:
        return sorted(self._written(), key=lambda line: line.t)

    def _written(self) -> Iterator[Line]:
        yield from (Event(what=Happening.FOUND, name=name, at=0, pid=7, incarnation="i") for name in NAMES)
        for second in range(1, 20):
            t = second * S
            yield Clock(w="recorder", t=t, wall_ns=t + 10**18, boot_ns=t, raw_ns=t)
            yield Clock(w="load", t=t + 1, wall_ns=t + 10**18, boot_ns=t, raw_ns=t)
            for name in NAMES:
                yield Sample(t=t + 2, name=name, pid=7, incarnation="i", state="S", cpu_ns=second * S, switches=second)
                yield Probe(t=t + 3, name=name, listens=True, owner=7, health=200)
                yield Meter(t=t + 4, name=name, source="slots", running=1, progress=second)
                for _ in range(self.random.randrange(12)):
                    yield from self._request(name, t)
        yield Phase(t=20 * S, endpoint="a", what=Stage.END, at=20 * S)

    def _request(self, name: str, t: int) -> Iterator[Line]:
        draw = self.random
        self.n += 1
        at = t + draw.randrange(10) * S // 10
        path = draw.choice(("/chat/completions", "/models"))
        yield Sent(w="load", n=self.n, t=at, endpoint=name, scenario="soak/x", method="POST", path=path, load=True)
        if draw.random() < 0.1:
            return  # it is never answered
        odd = draw.random() < self.rough
        times = [0 if draw.random() < 0.1 else at + draw.randrange(8) * S // 10 for _ in range(4)]
        first, since, until, last = times if draw.random() < 0.3 else sorted(times)
        yield LoadRow(
            id=f"load-{self.n}" if draw.random() < 0.9 else f"load-{draw.randrange(self.n + 5)}",
            t=max(at, max(times) + draw.randrange(-1, 3) * S // 10), endpoint=name, intended_at=at, sent_at=at,
            ended_at=max(times) + draw.randrange(-1, 2), first_at=first, gap_from=since, gap_to=until, last_at=last,
            outcome=draw.choice(("ok", "truncated", "stall", "busy", "refused", "left", "empty")) if odd else "ok",
            finish_reason="" if odd and draw.random() < 0.5 else "stop", deltas=3, status=200,
        )  # fmt: skip


@pytest.mark.parametrize("rough", [0.0, 0.02, 0.5])
def test_a_load_leaves_the_same_state(rough):
    for seed in SEEDS:
        lines = Night(seed, rough=rough).lines()
        assert together(lines) == one_by_one(lines), seed


@pytest.mark.parametrize("mode", ["serve", "wedged", "prefill", "cuda error"])
def test_a_simulated_engine_leaves_the_same_state(mode):
    for seed in range(3):
        world = Engine(seed).run_for(30)
        world.mode = mode
        world.run_for(70)
        world.mode = "serve"
        lines = [*world.run_for(20).seal()]
        assert together(lines) == one_by_one(lines), seed


def test_lines_are_taken_together_at_all(monkeypatch):
    many: list[int] = []
    taken = calm.caught_up
    monkeypatch.setattr(calm, "caught_up", lambda server, lines: many.append(len(lines)) or taken(server, lines))
    lines = Night(1, rough=0.0).lines()
    together(lines)
    assert sum(many) > 0.9 * sum(isinstance(line, Sent | LoadRow) for line in lines)
    many.clear()
    one_by_one(lines)
    assert many == []
