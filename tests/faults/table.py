"""The table: what came of all trials, as text for a terminal and as a page of the documentation."""

from __future__ import annotations

import argparse
import os
import platform
from collections.abc import Iterable, Iterator, Sequence

from seatrial.records import SECOND
from seatrial.statistics.intervals import clopper_pearson
from seatrial.statistics.percentiles import value_at
from tests.faults.ablation import SOURCES
from tests.faults.real import KINDS
from tests.faults.rows import Row
from tests.faults.verdict import Account
from tests.faults.watching import LIMITS

HEAD = ("row", "what was done", "n", "found", "95 %", "wrong cause", "95 %", "delay p50", "p95", "interval holds")
TWINS = ("row", "what was done", "n", "false alarms", "95 %")


class Matrix:
    """All accounts of one run of the matrix."""

    def __init__(
        self,
        rows: Sequence[Row],
        golden: Sequence[Account],
        real: dict[str, list[Account]],
        simulated: Sequence[Account],
        asked: argparse.Namespace,
        took_s: float,
    ) -> None:
        self.rows = {row.id: row for row in rows}
        self.golden, self.real, self.simulated = golden, real, simulated
        self.asked, self.took_s = asked, took_s

    @property
    def holds(self) -> bool:
        """Whether every fault was found, nothing was wrong, and nothing alarmed without a fault."""
        everything = [*self.golden, *self.simulated, *(a for found in self.real.values() for a in found)]
        return bool(everything) and all(
            a.detected and not a.wrong and not a.alarms and not a.trouble and not _changed(a) for a in everything
        )

    def text(self) -> str:
        """For a terminal."""
        return "\n".join(_plain(self._parts()))

    def markdown(self) -> str:
        """For docs/faults.md."""
        return "\n".join(_markdown(self._parts())) + "\n"

    def _parts(self) -> Iterator[str | list[tuple[str, ...]]]:
        yield "# The fault matrix"
        yield self._preface()
        yield "## Faults on golden processes"
        yield _faults(self.rows, self.golden)
        yield _deaths(self.golden)
        yield "## Twins and controls on golden processes"
        yield _quiet(self.rows, self.golden)
        for name in KINDS if self.asked.real else ():
            yield f"## Real server: {name}"
            accounts = self.real.get(name)
            if accounts is None:
                yield "Not tried: it was not found."
                continue
            yield _faults(self.rows, accounts)
            yield _quiet(self.rows, accounts)
        if self.simulated:
            from tests.faults import simulated

            rows = {row.id: row for row, *_ in simulated.ROWS}
            yield "## On a simulated clock, with the shipped limits"
            yield _faults(rows, self.simulated)
            yield _quiet(rows, self.simulated)
        yield "## Each source of evidence removed in turn"
        yield (
            "Every recorded history is judged again without one source. `=`: the same is said; `-`: less is said in "
            "some of the trials (a cause falls to UNKNOWN, a family to one that claims less, or to nothing); `!`: "
            "something else is said, which must not be; `a`: a twin alarms without the one source that acquits it, its "
            "cause UNKNOWN. A source whose removal changes nothing in any row is left out."
        )
        yield _ablation([*self.golden, *(a for found in self.real.values() for a in found), *self.simulated])
        yield self._sum()

    def _preface(self) -> str:
        limits = LIMITS
        return (
            f"Written by `python -m tests.faults` in {self.took_s / 60:.0f} minutes on {os.cpu_count()} cores, Linux "
            f"{platform.release().split('-')[0]}, seed {self.asked.seed}. Each trial starts a server, clients and the "
            "recorder, strikes at a random phase of the recorder's tick, and has the run directory judged: the judge "
            "sees nothing else. What the injector did is joined afterwards (`tests/faults/verdict.py` defines the "
            "words). Intervals are Clopper-Pearson's. Delays are from the strike to the moment at which the record "
            f"sufficed to say it; limits were shortened to FROZEN {limits.frozen / SECOND:.0f} s, WEDGED "
            f"{limits.wedged_silent / SECOND:.0f} s with a silent loop and {limits.wedged / SECOND:.0f} s without, "
            f"STREAM STALL {limits.stall / SECOND:.0f} s. No clock is set and nothing of the machine is touched: the "
            "stepped clock of F23 and the uptime of F26 are written into the record before it is judged. The interval "
            "holds where the strike lies between the last life and the first proof of death that were told."
        )

    def _sum(self) -> str:
        everything = [*self.golden, *self.simulated, *(a for found in self.real.values() for a in found)]
        missed = sum(bool(a.missed) for a in everything)
        wrong = sum(bool(a.wrong) for a in everything)
        alarms = sum(bool(a.alarms) for a in everything)
        changed = sum(bool(_changed(a)) for a in everything)
        trouble = sum(bool(a.trouble) for a in everything)
        again = sum(bool(a.again) for a in everything)
        return (
            f"{len(everything)} trials: {missed} missed, {wrong} with a wrong cause, {alarms} false alarms, {changed} "
            f"with a cause changed by a removed source, {trouble} that could not be carried out."
            + (f" Before their strike {again} were set up a second time." if again else "")
        )


def _changed(a: Account) -> list[str]:
    return [name for name, word in a.ablated.items() if word.startswith("WRONG")]


def _of(rows: dict[str, Row], accounts: Iterable[Account], *, twin: bool) -> Iterator[tuple[Row, list[Account]]]:
    """The rows that were tried, with their accounts that tell anything."""
    found = [a for a in accounts if not a.trouble]
    for row in rows.values():
        of = [a for a in found if a.row == row.id]
        if of and row.twin is twin:
            yield row, of


def _faults(rows: dict[str, Row], accounts: Sequence[Account]) -> list[tuple[str, ...]]:
    table = [HEAD]
    for row, of in _of(rows, accounts, twin=False):
        n = len(of)
        found, wrong = sum(a.detected for a in of), sum(bool(a.wrong) for a in of)
        held = [a.holds for a in of if a.holds is not None]
        delays = [a.seen_after for a in of if a.seen_after is not None]
        table.append(
            (row.id, row.title, str(n), f"{found} of {n}", _interval(found, n), f"{wrong} of {n}", _interval(wrong, n),
             _seconds(delays, 0.5), _seconds(delays, 0.95), f"{sum(held)} of {len(held)}")
        )  # fmt: skip
    return table if len(table) > 1 else []


def _quiet(rows: dict[str, Row], accounts: Sequence[Account]) -> list[tuple[str, ...]]:
    table = [TWINS]
    for row, of in _of(rows, accounts, twin=True):
        alarms, n = sum(bool(a.alarms) for a in of), len(of)
        must = f"; says {row.must_notice} in {sum(not a.missed for a in of)}" if row.must_notice else ""
        table.append((row.id, row.title + must, str(n), f"{alarms} of {n}", _interval(alarms, n)))
    return table if len(table) > 1 else []


def _deaths(accounts: Sequence[Account]) -> str:
    late = [a.pidfd_after for a in accounts if a.pidfd_after is not None]
    dead = [a.dead_after for a in accounts if a.pidfd_after is not None and a.dead_after is not None]
    if not late:
        return ""
    return (
        f"Of {len(late)} deaths the recorder saw the exit {_seconds(late, 0.95)} (p95) after a pidfd of the injector's "
        f"own, and dated it {_seconds(dead, 0.95)} (p95) after the strike."
    )


def _ablation(accounts: Sequence[Account]) -> list[tuple[str, ...]]:
    told = [a for a in accounts if a.ablated]
    names = [n for n in SOURCES if any(a.ablated.get(n) != "same" for a in told)]
    table: list[tuple[str, ...]] = [("row", *names)]
    for row in sorted({a.row for a in told}):
        cells = [_worst([a.ablated.get(name, "same") for a in told if a.row == row]) for name in names]
        if set(cells) - {"="}:
            table.append((row, *cells))
    return table if len(table) > 1 else []


def _worst(words: Sequence[str]) -> str:
    if any(word.startswith("WRONG") for word in words):
        return "!"
    return "a" if "alarm" in words else ("-" if "weaker" in words else "=")


def _interval(k: int, n: int) -> str:
    low, high = clopper_pearson(k, n)
    return f"{100 * low:.0f} to {100 * high:.0f} %"


def _seconds(values: Sequence[int], q: float) -> str:
    found = value_at(values, q)
    if found is None:
        return "none"
    return f"{found / 1e6:.1f} ms" if abs(found) < 100_000_000 else f"{found / 1e9:.1f} s"


def _plain(parts: Iterable[str | list[tuple[str, ...]]]) -> Iterator[str]:
    for part in parts:
        if isinstance(part, str):
            yield part
        elif part:
            widths = [max(len(row[n]) for row in part) for n in range(len(part[0]))]
            yield from ("  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in part)
        yield ""


def _markdown(parts: Iterable[str | list[tuple[str, ...]]]) -> Iterator[str]:
    for part in parts:
        if isinstance(part, str):
            yield part
        elif part:
            yield "| " + " | ".join(part[0]) + " |"
            yield "|" + " --- |" * len(part[0])
            yield from ("| " + " | ".join(row) + " |" for row in part[1:])
        if part:
            yield ""
