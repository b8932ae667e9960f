"""Why an endpoint is not READY: cases that fail alike are one reason, and what hangs on it is counted with it.

Findings are alike that say the same of the same place, whatever the value, the id or the body they show. Of a valid
request that was refused the status and the message count too: two refusals for two reasons are two causes. Pure.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

from seatrial.checks.causes import ANSWERED
from seatrial.records import NOTICES, STREAMS, Finding, Judged, Level, Outcome, Reason, Stop

_ID = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"  # a UUID
    r"|\b(?=[\w-]*[0-9])(?=[\w-]*[A-Za-z])[\w-]{6,}\b"  # letters and digits: an id
    r"|[0-9]+(?:\.[0-9]+)?"
)
_QUOTED = re.compile(r"\\\"[^\"]*\\\"|'[^']*'|`[^`]*`|\u2018[^\u2019]*\u2019")
_STATUS = "the status"

LONGEST = 600
"""Characters of a text that are compared."""

Key = tuple[str, ...]


def plain(text: str) -> str:
    """A text without what differs from case to case: numbers, ids, what it quotes."""
    return _ID.sub("#", _QUOTED.sub("#", text[:LONGEST]))


def deciding(case: Judged) -> Finding | None:
    """The finding that a case's outcome rests on, of several the first; None where it rests on none."""
    broken = [f for f in case.findings if f.kind != "no-evidence"]
    return next((f for f in broken if not f.causes), broken[0] if broken else None)


def alike(case: Judged) -> Key:
    """What two cases share that fail for one cause."""
    finding = deciding(case)
    if finding is None:
        return case.rule, plain(case.why)
    where = finding.where.removeprefix(f"{finding.about}: ")
    said = ""
    if where == _STATUS:
        status, _, body = finding.got.partition(" ")
        said = f"{status} {plain(body)}" if case.rule == ANSWERED else status
    return case.rule, plain(where), plain(finding.expected.replace('"', "'")), plain(finding.consequence), said


def folded(cases: Iterable[Judged], word: Outcome, impact: Sequence[str], because: Counter[str]) -> list[Reason]:
    """One reason for all cases of an outcome that are alike, in the order of what they do to clients.

    Args:
        impact: areas of rules in the order of their impact.
        because: how many cases hang on each case.
    """
    groups: defaultdict[Key, list[Judged]] = defaultdict(list)
    for case in sorted(cases, key=lambda case: _weight(case, impact)):
        if case.outcome is word and not case.because:
            groups[alike(case)].append(case)
    read: defaultdict[tuple[str, str], list[Judged]] = defaultdict(list)
    for group in groups.values():  # what nobody could tell apart by reading is one line
        read[group[0].rule, text_of(group[0])] += group
    return [_reason(word, group, because) for group in read.values()]


def reasons(
    cases: Sequence[Judged], stops: Sequence[Stop], lacks: Sequence[str], failed: Sequence[Reason]
) -> Iterator[Reason]:
    """All reasons in order: stops, causes of failure, what could not be judged, and what a READY lacks beside."""
    for stop in sorted(stops, key=lambda s: (not s.silent, s.alive_at)):
        streams = stop.family in STREAMS and not stop.doubt
        word = "SILENT STOP" if stop.silent else "STREAMS" if streams else "INCONCLUSIVE"
        if stop.family not in NOTICES:
            yield Reason(word=word, text=f"{stop_title(stop)}: {stop.doubt}" if stop.doubt else stop_title(stop))
    yield from failed
    for outcome, said in ((Outcome.INCONCLUSIVE, "not judged"), (Outcome.NOT_EXECUTED, "planned and not executed")):
        groups: defaultdict[str, list[Judged]] = defaultdict(list)
        for case in cases:
            if case.outcome is outcome and not case.because:
                groups[plain(case.why)].append(case)
        for group in sorted(groups.values(), key=len, reverse=True):
            names = tuple(case.case for case in group)
            text = f"{len(names)} {'case' if len(names) == 1 else 'cases'} {said}: {group[0].why}"
            yield Reason(word=str(outcome), text=text, cases=names)
    for text in lacks:
        yield Reason(word="NOT PROVEN", text=text)


def _reason(word: Outcome, group: Sequence[Judged], because: Counter[str]) -> Reason:
    first = group[0]
    return Reason(
        word=str(word),
        case=first.case,
        level=first.level,
        text=text_of(first),
        cases=tuple(case.case for case in group),
        because=sum(because[case.case] for case in group),
    )


def text_of(case: Judged) -> str:
    """What a case failed by, in a line."""
    finding = deciding(case)
    return f"{finding.where}: {finding.seen}" if finding else case.why


def _weight(case: Judged, impact: Sequence[str]) -> tuple[bool, int, int, str]:
    area = case.rule.partition("/")[0]
    levels = [str(level) for level in Level]
    return (
        case.rule != ANSWERED,
        levels.index(case.level) if case.level in levels else len(levels),
        impact.index(area) if area in impact else len(impact),
        case.case,
    )


def stop_title(stop: Stop) -> str:
    """A stop in half a line, without times: family, kind and signal or code."""
    how = ""
    if stop.signal is not None:
        how = f" by signal {stop.signal}"
    elif stop.code is not None:
        how = f" with exit code {stop.code}"
    elif stop.kind:
        how = f" ({stop.kind})"
    process = f"; pid {stop.pid}" if stop.pid else ""
    return f"{stop.family}{how}{process}"
