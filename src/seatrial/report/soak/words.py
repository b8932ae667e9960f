"""The columns of a soak's tables, as page and Markdown print them."""

from __future__ import annotations

from collections.abc import Callable

from seatrial.checks.areas.soak import measured
from seatrial.checks.areas.soak.table import PhaseFigures
from seatrial.report.soak.seen import Detected, Soak
from seatrial.report.words.plain import duration
from seatrial.statistics.censored import Censored
from seatrial.text import visible

NONE = "–"
"""Where a server does not tell, or nothing of the kind was sent: never nought."""

_Cell = Callable[[PhaseFigures], str]


def _time(found: Censored | None) -> str:
    if found is None:
        return NONE
    return found.told().removesuffix(" s")


def _pace(line: PhaseFigures, found: Censored | None) -> str:
    return f"{'~' if line.estimated and found is not None else ''}{_time(found)}"


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else NONE


COLUMNS: tuple[tuple[str, _Cell], ...] = (
    ("requests", lambda line: str(line.requests)),
    ("lost", lambda line: str(line.lost)),
    ("turned away", lambda line: str(line.busy)),
    ("dropped", lambda line: str(line.dropped)),
    ("unfinished", lambda line: str(line.unfinished)),
    ("TTFT p50 s", lambda line: _time(line.ttft_p50)),
    ("TTFT p99 s", lambda line: _time(line.ttft_p99)),
    ("p99 of sending s", lambda line: _time(line.sent_p99)),
    ("TTFO p50 s", lambda line: _time(line.ttfo_p50)),
    ("TPOT p50 s", lambda line: _pace(line, line.tpot_p50)),
    ("TPOT p99 s", lambda line: _pace(line, line.tpot_p99)),
    ("gap s", lambda line: f"{line.gap_s:.3f}" if line.gap_s else NONE),
    ("goodput /s", lambda line: NONE if line.goodput is None else f"{line.goodput:.2f}"),
    ("disowned", lambda line: f"{line.disowned} ({line.wasted} tokens)" if line.disowned else "0"),
    ("cached", lambda line: _share(line.cached, line.prompted)),
    ("drafts taken", lambda line: _share(line.accepted, line.drafted)),
)
"""Heading and cell of each column beside the first."""


def columns(soak: Soak) -> list[tuple[str, _Cell]]:
    """Those of which some line tells something."""
    always = {"requests", "lost", "dropped", "TTFT p50 s", "TTFT p99 s", "TPOT p50 s", "TPOT p99 s", "gap s",
              "disowned"}  # fmt: skip
    return [
        (name, cell)
        for name, cell in COLUMNS
        if name in always or any(cell(line) not in {NONE, "0"} for line in soak.lines)
    ]


def name_of(line: PhaseFigures) -> str:
    """The first cell of a line."""
    if line.workload:
        return visible(line.workload, 40)
    name = visible(line.phase, 40) or "all of it"
    rate = f" at {line.rate}/s" if line.rate and line.rate != "none" else ""
    return f"{name}{rate}, {duration(line.seconds)}"


def since(each: Detected) -> str:
    """Since when, or nothing."""
    return "" if each.onset_s is None else f", since {duration(each.onset_s)} after its beginning"


def answers(soak: Soak) -> list[tuple[str, str]]:
    """What is told of all answers together: tokens made for nobody, known before, taken of drafts; energy."""
    told = ((name.removeprefix("soak: "), text) for name, text in measured.answers(soak.run))
    return [(name, visible(text, 300)) for name, text in told if text]


NOTE = (
    "Times count from when each request was meant to be sent; what was dropped, unfinished or never answered lies "
    "above every time that was measured. Canaries and requests to be refused have lines of their own, which no phase's "
    "line contains. A gap is the longest silence between two pieces of one answer; TTFO the time to the first token "
    "that is no thought; TPOT with ~ is reckoned by chunks, for the server told no tokens. Disowned are answers "
    "that the server made some of and no client could use, and their tokens."
)
