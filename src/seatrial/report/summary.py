"""What the first screen says, as plain data: the terminal block, the Markdown page and the HTML head all print this.

Reasons stand in the verdict's order, which is that of what they do to clients, silent stops first. Cases that fail
alike are one reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from seatrial.judging.run import JudgedRun
from seatrial.records import (
    NOTICES,
    SECOND,
    STREAMS,
    Ask,
    Conclusion,
    Judged,
    LoadRow,
    Outcome,
    Ready,
    Reason,
    Record,
    Stop,
)
from seatrial.report.words.plain import Wall, count
from seatrial.report.words.stops import headline, stop_rows
from seatrial.text import visible
from seatrial.verdict.outcomes import BECAUSE

_OF_STOPS = frozenset({"SILENT STOP", "STREAMS", "STOP"})
"""Words of reasons that are told at length, from the stop itself."""

FIGURES = ("conformance", "behaviour", "soak", "stops")
WATCHED = {"suites": "none ran: the server was watched, not tested"}
"""What stands in place of the suites' figures where a run planned no case: it was a watch."""

NEAR_NS = 5 * SECOND
"""A restart so near to a step of the wall clock is named beside it."""


@dataclass(frozen=True)
class Item:
    """One reason: its word (``FAIL MUST``), the rule or case it is about, its text, and the cases behind it."""

    word: str
    head: str
    text: str
    cases: tuple[str, ...] = ()
    because: int = 0  # further cases that only this keeps from being judged
    stop: Stop | None = None
    rows: tuple[tuple[str, str], ...] = ()  # of a stop: label, text


@dataclass(frozen=True)
class EndpointSummary:
    """One endpoint's part of the first screen."""

    name: str
    verdict: Ready
    demo: bool
    counts: dict[str, int]
    silent_stops: int
    tested: bool  # a case was planned
    items: tuple[Item, ...]
    figures: tuple[tuple[str, str], ...]

    @property
    def word(self) -> str:
        return f"{self.verdict.value} (demo)" if self.demo else self.verdict.value

    @property
    def counts_text(self) -> str:
        """``PASS 3  FAIL 0 ...; silent stops: 0``; where no case was planned, the stops alone."""
        stops = f"silent stops: {self.silent_stops}"
        if not self.tested:
            return stops
        counted = "  ".join(f"{word} {self.counts.get(word, 0)}" for word in Outcome)
        return f"{counted}{f'  {BECAUSE} {self.because}' if self.because else ''}; {stops}"

    @property
    def because(self) -> int:
        """How many cases only the FAIL of another keeps from being judged, waived or not."""
        return self.counts.get("because", 0)


@dataclass(frozen=True)
class Summary:
    """The first screen of a run."""

    run: str
    exit: int
    endpoints: tuple[EndpointSummary, ...]
    not_tested: tuple[tuple[str, str], ...]
    waived: tuple[tuple[str, str], ...]  # case; who, why, until
    notices: tuple[str, ...]
    concluded: tuple[
        tuple[str, tuple[tuple[str, str], ...]], ...
    ] = ()  # of a note: statement; label and text of each line

    @cached_property
    def worst(self) -> Ready:
        """The word over the whole run: that of its worst endpoint."""
        words = {endpoint.verdict for endpoint in self.endpoints}
        for word in (Ready.NOT_READY, Ready.NOT_PROVEN, Ready.READY):
            if word in words:
                return word
        return Ready.NOT_PROVEN


def summarise(judged: JudgedRun, wall: Wall, end: int) -> Summary:
    """Fold a judged run into what its first screen says; ``end`` is the time of its last line, monotonic ns."""
    verdict = judged.verdict
    return Summary(
        run=verdict.run,
        exit=verdict.exit,
        endpoints=tuple(_endpoint(judged, name, wall, end) for name in verdict.endpoints),
        not_tested=tuple((visible(what), visible(why)) for what, why in verdict.not_tested),
        waived=tuple(_waived(judged)),
        notices=(*_clocks(verdict.stops, wall, end), *(visible(notice, 300) for notice in verdict.notices)),
        concluded=tuple(_concluded(each) for each in verdict.concluded),
    )


def _concluded(each: Conclusion) -> tuple[str, tuple[tuple[str, str], ...]]:
    rows = [
        ("n", each.n),
        *(("reckoned", text) for text in each.arithmetic),
        *(("against it", t) for t in each.against),
    ]
    return visible(f"{each.word}: {each.text}"), tuple((label, visible(text)) for label, text in rows)


def _clocks(stops: Sequence[Stop], wall: Wall, end: int) -> list[str]:
    """A notice of each step of the wall clock, and how many processes began anew around it: a step is no restart."""
    said = []
    for stop in stops:
        if stop.family == "CLOCK STEPPED":
            near = [s for s in stops if s.family == "RESTARTED" and abs(s.dead_at - stop.dead_at) <= NEAR_NS]
            said.append(f"{headline(stop, wall, end)}; restarts {len(near)}")
        elif stop.family in NOTICES:
            said.append(f"{visible(stop.name)}: {headline(stop, wall, end)}")
    return list(dict.fromkeys(said))  # each endpoint has its own record of the one clock


def _endpoint(judged: JudgedRun, name: str, wall: Wall, end: int) -> EndpointSummary:
    verdict = judged.verdict.endpoints[name]
    endpoint = judged.endpoints.get(name)
    silent = [stop for stop in judged.stops if stop.name == name and stop.silent]
    cases = [case for case in judged.cases if case.endpoint == name]
    items = [_stop_item(stop, wall, end) for stop in silent]
    told = [
        stop
        for stop in judged.stops
        if stop.name == name and stop.family in STREAMS and not stop.planned and not stop.doubt
    ]
    streams = seen_streams(judged.lines, name) if told else 0
    word = "STREAMS" if cases else "STOP"  # a watch has no rule that weighs the same streams
    items += [_stop_item(stop, wall, end, word, streams) for stop in told]
    items += _reasons(cases, (*verdict.reasons, *verdict.advisories))
    return EndpointSummary(
        name=name,
        verdict=verdict.verdict,
        demo=bool(endpoint and endpoint.demo),
        counts=verdict.counts,
        silent_stops=len(silent),
        tested=bool(cases),
        items=tuple(items),
        figures=_figures(verdict.figures, cases) if cases else _watched(verdict.figures),
    )


def seen_streams(record: Record, name: str) -> int:
    """How many streams a record tells of: a soak's rows, and canaries that are over."""
    rows = sum(line.endpoint == name for line in record.of(LoadRow))
    asked = {line.id for line in record.of(Ask) if line.name == name and line.rung == "canary" and line.ended_at}
    return rows + len(asked)


def _stop_item(stop: Stop, wall: Wall, end: int, word: str = "SILENT STOP", streams: int | None = None) -> Item:
    rows = stop_rows(stop, wall, end, streams)
    return Item(word=word, head=stop.family, text=rows[0][1], stop=stop, rows=tuple(rows))


def _reasons(cases: list[Judged], reasons: tuple[Reason, ...]) -> list[Item]:
    """The verdict's reasons in its order, but for stops, which are told at length."""
    by_name = {case.case: case for case in cases}
    told = [reason for reason in reasons if reason.word not in _OF_STOPS]
    return [_item(reason, [by_name[n] for n in reason.cases if n in by_name]) for reason in told]


def _item(reason: Reason, cases: list[Judged]) -> Item:
    said = visible(reason.text, 300) or "no finding was recorded"
    head = cases[0].rule if reason.case and cases else reason.case
    if not head and len(cases) == 1:
        head = cases[0].rule
    if reason.case and len(cases) > 1:
        said += f" ({_scenarios(cases)})"
    if reason.because:
        said += f"; {count(reason.because, 'case')} not judged because of it"
    if known := next((case.known for case in cases if case.known), ""):
        said += f"; known: {visible(known, 160)}"
    named = tuple(case.case for case in cases)
    return Item(word=f"{reason.word} {reason.level}".strip(), head=head, text=said, cases=named, because=reason.because)


def _waived(judged: JudgedRun) -> Iterator[tuple[str, str]]:
    """What is waived, by whom: a line for all cases of a rule that one waiver covers, with what hangs on them."""
    rules = {case.case: case for case in judged.cases}
    hanging = Counter(judged.verdict.because.values())
    groups: dict[tuple[str, str], list[str]] = {}
    for w in judged.verdict.waived:
        rule = rules[w.case].rule if w.case in rules else w.case
        groups.setdefault((rule, visible(f"{w.who} until {w.until}: {w.why}")), []).append(w.case)
    for (rule, text), names in groups.items():
        because = sum(hanging[name] for name in names)
        more = f" (and {count(because, 'case')} because of it)" if because else ""
        yield (names[0] if len(names) == 1 else f"{rule}, {count(len(names), 'case')}") + more, text


def _scenarios(group: list[Judged]) -> str:
    names = [case.scenario for case in group]
    shown = ", ".join(names[:5])
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"{count(len(names), 'case')}: {shown}{more}"


def found(case: Judged) -> str:
    """The first finding of a case in one line; empty where there is none."""
    if not case.findings:
        return ""
    finding = max(case.findings, key=lambda f: (f.grave, f.kind == "violation"))
    more = len(case.findings) - 1
    text = f"{visible(finding.where)}: {visible(finding.seen, 400)}"
    return f"{text} (and {more} more)" if more else text


def _watched(figures: dict[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((key, visible(text)) for key, text in {**WATCHED, **figures}.items())


def _figures(figures: dict[str, str], cases: list[Judged]) -> tuple[tuple[str, str], ...]:
    lines = {key: figures.get(key, "") for key in FIGURES} | figures
    ran = {case.suite for case in cases}
    for key, text in lines.items():
        lines[key] = text or ("no figure was recorded" if key in ran or key == "stops" else "not run")
    return tuple((key, visible(text)) for key, text in lines.items())
