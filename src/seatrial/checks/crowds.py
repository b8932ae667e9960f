"""Requests that leave at the same time, wave after wave; and who of a wave was kept waiting.

How many leave together hangs on the endpoint's slots. Whether a request waited for a slot is told by order and not by a
clock: another one of its wave was answered from its first word to its end while this one had been sent and got none.
Only where a wave as a whole waits, and nobody is left to hold it against, time tells: more than all of the first wave
took.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle, islice

from seatrial.reading import channels, chat
from seatrial.records import SECOND, Exchange, Leaving, Request, Scenario, Wave, Width

ASSUMED = 4
"""Slots of a server that does not tell how many it has."""

MOST = 32
"""Requests that leave at the same time, at most."""

SHORTEST_S = 0.25
"""An answer that came within less shows no order: what was read first hangs on our own threads then."""

SLACK_S = 1.0
"""What a wave may wait longer than the first one took, for reasons of its own."""

LONG_S = 5.0
"""Beyond that, a wait of a whole wave is long by itself, whatever a later wave is given."""


def waves(scenario: Scenario, slots: int | None, got: Mapping[str, Exchange]) -> Iterator[dict[str, Request]]:
    """The waves of a scenario in order, each with its requests by name.

    Args:
        got: the answers so far, to which whoever sends adds those of each wave before the next.
    """
    reached = 0
    before: list[Exchange] = []
    first: list[Exchange] = []
    leaving = any(request.leaves is not Leaving.NEVER for request in scenario.requests.values())
    held = scenario.waves
    often = len(held[_again(scenario) :])
    for number, wave in enumerate(_turns(scenario), 1):
        round_ends = number > len(held) and (number - 1 - len(held)) % often == 0
        if round_ends and reached >= scenario.enough:
            return
        if wave.if_kept and kept(before, first) <= kept(first, first):
            continue
        made = _requests(scenario, wave, number, slots)
        reached += sum(not leaving or request.leaves is not Leaving.NEVER for request in made.values())
        yield made
        before = [got[name] for name in made if name in got]
        first = first or before


def pause(scenario: Scenario, names: Mapping[str, Request]) -> float:
    """Seconds that are waited before a wave."""
    number = wave_of(next(iter(names)))
    return _nth(scenario, number).after_s


def is_later(scenario: Scenario, name: str) -> bool:
    """Whether a request leaves a moment after the others of its wave."""
    return role_of(name) in _nth(scenario, wave_of(name)).later


def size(scenario: Scenario) -> int:
    """Requests of a scenario, for the plan: those that are sent to a server that answers well and has four slots."""
    if not scenario.waves:
        return len(scenario.requests)
    return sum(map(len, waves(scenario, None, {})))


def role_of(name: str) -> str:
    """The name of the request that a request of a wave is one of: ``after`` of ``after-3.2``."""
    return name.rpartition("-")[0]


def wave_of(name: str) -> int:
    """The number of its wave, from 1."""
    number = name.rpartition("-")[2].partition(".")[0]
    return int(number) if number.isdecimal() else 0


def place_of(name: str) -> str:
    """Its own number in the wave."""
    return name.rpartition(".")[2]


def first_word(x: Exchange) -> int | None:
    """When the first word of a stream came; None: none did."""
    for chunk, _index, _choice, delta in chat.deltas(x):
        if channels.content(delta) or channels.thought(delta):
            return chunk.at
    return None


def kept(wave: Sequence[Exchange], first: Sequence[Exchange]) -> int:
    """How many of a wave of streams were kept waiting for a slot; ``first`` was sent when nobody else was there."""
    if not wave or not first:
        return 0
    most = _most(wave, first, SLACK_S) + max(map(_wait, first))
    return sum(_overtaken(x, wave) or (wave is not first and _wait(x) > most) for x in wave)


def waited_long(wave: Sequence[Exchange], first: Sequence[Exchange]) -> bool:
    """Whether nobody of a wave got a word for seconds longer than all of the first wave took."""
    return bool(wave) and min(map(_wait, wave)) > _most(wave, first, LONG_S)


def _most(wave: Sequence[Exchange], first: Sequence[Exchange], more_s: float) -> float:
    """Nanoseconds that all of the first wave took, and some seconds, at the pace of this wave where that is slower: the
    machine may have other work by now."""
    slower = max(1.0, _pace(wave) / (_pace(first) or 1.0)) if _pace(first) else 1.0
    span = max(x.ended_at for x in first) - min(x.sent_at for x in first)
    return slower * (span + more_s * SECOND)


def _pace(wave: Sequence[Exchange]) -> float:
    """Nanoseconds from first word to end of the fastest answer; 0 where none had a word."""
    return min((x.ended_at - word for x in wave if (word := first_word(x)) is not None), default=0)


def _turns(scenario: Scenario) -> Iterator[Wave]:
    yield from scenario.waves
    if scenario.enough:
        yield from cycle(scenario.waves[_again(scenario) :])


def _again(scenario: Scenario) -> int:
    """The first of the waves that are sent again and again: not the one that all others are held against."""
    return 1 if len(scenario.waves) > 1 else 0


def _nth(scenario: Scenario, number: int) -> Wave:
    """The wave of a number, from 1."""
    held = scenario.waves
    if number <= len(held):
        return held[number - 1]
    again = held[_again(scenario) :]
    return again[(number - 1 - len(held)) % len(again)]


def _requests(scenario: Scenario, wave: Wave, number: int, slots: int | None) -> dict[str, Request]:
    names = [*islice(cycle(wave.of), _wide(wave, slots)), *wave.later]
    return {f"{name}-{number}.{k}": scenario.requests[name] for k, name in enumerate(names, 1)}


def _wide(wave: Wave, slots: int | None) -> int:
    there = slots or ASSUMED
    wide = {
        Width.ONE: 1,
        Width.SPARE: max(1, there - 1),
        Width.SLOTS: there,
        Width.TWICE: 2 * there,
        Width.FOUR: 4 * there,
        Width.EACH: len(wave.of),
    }[wave.width]
    return min(wide, MOST)


def _wait(x: Exchange) -> int:
    """Nanoseconds until the first word, or until it was given up."""
    return (first_word(x) or x.ended_at) - x.sent_at


def _overtaken(x: Exchange, wave: Sequence[Exchange]) -> bool:
    """Whether another of the wave had its whole answer while this one had been sent and got no word."""
    word = first_word(x) or x.ended_at
    for other in wave:
        began = first_word(other)
        if other is x or began is None or other.ended_at - began < SHORTEST_S * SECOND:
            continue
        if x.sent_at < began and other.ended_at <= word:
            return True
    return False
