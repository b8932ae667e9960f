"""What runs before this one have to do with it: what changed since the last, and what is joined from one. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from seatrial.records import Changes, Earlier, Endpoint, Judged, NightFigure, NightMeasure, Outcome, Stop
from seatrial.text import flat

SHOWN = 3
"""Cases or rules that are named of those that changed alike."""

LONGEST = 100
"""Characters of a server's own words that are compared."""

NAMED: Mapping[str, tuple[str, str, float]] = {
    NightMeasure.LOST: ("lost", "", 1),
    NightMeasure.DISOWNED: ("disowned", "", 1),
    NightMeasure.TTFT_P99: ("TTFT p99", " s", 1),
    NightMeasure.DECODE: ("tok/s", "", 1),
    NightMeasure.REST: ("memory at rest", " GB", 1e9),
}
"""Figures that are compared: what they are called, their unit, and what it is counted in."""

SHARES = frozenset({NightMeasure.LOST, NightMeasure.DISOWNED})
"""Counts, which are compared as parts of their n."""
RISING = frozenset({NightMeasure.DECODE})
"""Figures of which more is better."""

SMALLEST = 0.05
"""A change by less is none, however narrow the intervals: no two nights are the same hour of the same machine."""


def line(earlier: Earlier, now: Earlier) -> str:
    """What is another than in the last run: cases, stops, figures beyond their intervals, and the server itself."""
    return told(changes(earlier, now))


def now(
    cases: Sequence[Judged], stops: Sequence[Stop], endpoint: Endpoint | None, measured: Mapping[str, NightFigure]
) -> Earlier:
    """What this run comes to, as a later one will read it. Of a server without a page nothing is compared."""
    return Earlier(
        run="",
        verdict="",
        kind=endpoint.kind if endpoint else "",
        model=endpoint.model if endpoint else "",
        build=endpoint.build if endpoint else "",
        outcomes={case.case.removesuffix(f"@{case.endpoint}"): str(case.outcome) for case in cases},
        measured=dict(measured),
        stopped=tuple(dict.fromkeys(str(stop.family) for stop in stops if stop.silent)),
    )


def changes(earlier: Earlier, now: Earlier) -> Changes:
    """Hold two runs of an endpoint against each other. Cases that only one of them has judged are not compared."""
    then, these = earlier.outcomes, now.outcomes
    both = [name for name in these if name in then]
    changed = [name for name in both if these[name] != then[name]]
    broke = [name for name in changed if these[name] == Outcome.FAIL]
    healed = [name for name in changed if these[name] == Outcome.PASS and then[name] == Outcome.FAIL]
    told = {*broke, *healed}
    figures = [moved for name in NAMED if (moved := _moved(name, earlier.measured.get(name), now.measured.get(name)))]
    return Changes(
        against=earlier.run,
        verdict=earlier.verdict,
        broke=tuple(broke),
        healed=tuple(healed),
        others=dict(Counter(f"{then[name]} to {these[name]}" for name in changed if name not in told)),
        same=len(both) - len(changed),
        stopped=tuple(family for family in now.stopped if family not in earlier.stopped),
        worse=tuple(text for text, worse in figures if worse),
        better=tuple(text for text, worse in figures if not worse),
        server=tuple(_server(earlier, now)),
    )


def told(found: Changes) -> str:
    """The changes on one line, as the first screen has them."""
    others = sorted(found.others.items(), key=lambda pair: -pair[1])[:SHOWN]
    compared = found.same or found.broke or found.healed or found.others
    parts = [
        *brief(found),
        ", ".join(f"{n} {words}" for words, n in others),
        f"the same in {_cases(found.same)}" if compared else "no case in common",
        *found.server,
    ]
    return f"run {flat(found.against)} ({flat(found.verdict)}): {'; '.join(part for part in parts if part)}"


def brief(found: Changes) -> Iterator[str]:
    """What broke and what healed, in a few words each."""
    if found.stopped:
        yield f"stopped: {', '.join(map(flat, found.stopped))}"
    for word, names in (("broke", found.broke), ("healed", found.healed)):
        if names:
            yield f"{word} {_listed(names)}"
    for word, texts in (("worse", found.worse), ("better", found.better)):
        if texts:
            yield f"{word}: {', '.join(texts)}"


def joined(cases: Iterable[Judged]) -> dict[str, tuple[str, ...]]:
    """The cases that other runs asked, and this one did not, by run."""
    found: dict[str, list[str]] = {}
    for case in cases:
        if case.of_run:
            found.setdefault(case.of_run, []).append(case.case)
    return {run: tuple(names) for run, names in found.items()}


def notices(cases: Sequence[Judged]) -> Iterable[str]:
    """A line for each run from which cases are joined."""
    for run, names in joined(cases).items():
        yield f"{len(names)} of {_cases(len(cases))} joined from run {flat(run)}: judged on what was answered there"


def _listed(names: Sequence[str]) -> str:
    """Which cases; those of one rule are told by its name and their number."""
    rules: dict[str, list[str]] = {}
    for name in names:
        rules.setdefault(name.partition("[")[0], []).append(name)
    told = [flat(own[0] if len(own) == 1 else f"{rule} {len(own)}") for rule, own in rules.items()]
    more = f" and {len(told) - SHOWN} rules more" if len(told) > SHOWN else ""
    return f"{', '.join(told[:SHOWN])}{more}"


def _cases(n: int) -> str:
    return f"{n} case" if n == 1 else f"{n} cases"


def _moved(name: str, then: NightFigure | None, now: NightFigure | None) -> tuple[str, bool] | None:
    """A figure that moved beyond both intervals, in words, and whether to the worse; None where it did not."""
    if then is None or now is None or then.beyond > now.beyond:
        return None
    if now.beyond > then.beyond:  # a bound from below is worse than what it lies above, and else says nothing
        more = now.value > max(then.value, then.high or 0.0)
        return (f"{_shown(name, then)} -> {_shown(name, now, bare=True)}", True) if more else None
    before, after = _bounds(name, then), _bounds(name, now)
    up, down = after[0] > before[1], after[1] < before[0]
    size = max(abs(after[2]), abs(before[2]))
    if not (up or down) or abs(after[2] - before[2]) < SMALLEST * size:
        return None
    return f"{_shown(name, then)} -> {_shown(name, now, bare=True)}", up != (name in RISING)


def _bounds(name: str, figure: NightFigure) -> tuple[float, float, float]:
    """Low, high and value of a figure as they are compared; what has no bound is bounded by nothing."""
    per = figure.n or 1 if name in SHARES else 1
    low = -float("inf") if figure.low is None else figure.low / per
    high = float("inf") if figure.high is None else figure.high / per
    return low, high, figure.value / per


def _shown(name: str, figure: NightFigure, *, bare: bool = False) -> str:
    words, unit, per = NAMED[name]
    of = f" of {figure.n}" if name in SHARES else ""
    number = figure.value / per
    value = f"{'beyond ' if figure.beyond else ''}{f'{number:.0f}' if number >= 1000 else f'{number:.3g}'}{of}"
    return f"{value}{unit}" if bare else f"{words} {value}"


def _server(earlier: Earlier, now: Earlier) -> Iterable[str]:
    """What is another of the server: kind, model, build; nothing where this run has no page of it."""
    if not (now.kind or now.model or now.build):
        return
    for name in ("kind", "model", "build"):
        before, after = flat(getattr(earlier, name)[:LONGEST]), flat(getattr(now, name)[:LONGEST])
        if before != after:
            yield f"{name} {before or 'not told'} -> {after or 'not told'}"
