"""Runs trials, several at a time, and gives their accounts."""

from __future__ import annotations

import contextlib
import dataclasses
import queue
import random
import shutil
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from seatrial.stops import fold
from tests.faults import twins
from tests.faults.ablation import ablate
from tests.faults.found import brought
from tests.faults.processes import TrialError, halted
from tests.faults.rows import Row, Trial
from tests.faults.verdict import Account, account

FAULTS: tuple[Row, ...] = tuple(sorted(brought("FAULTS"), key=lambda row: row.id))
ROWS = {row.id: row for row in (*FAULTS, *twins.ROWS, *twins.CONTROLS)}
SLOWER = 6
"""Ticks more for a real server if need be: its streams come later, on processors that it shares with the trials."""
Job = tuple[Row, int, Callable[[Trial], Any] | None]


def run_trial(row: Row, seed: int, folder: Path, make: Callable[[Trial], Any] | None = None) -> Account:
    """One trial, from start to account. What fails in carrying it out stands in ``trouble``.

    One that does not come to its strike has told nothing: it is set up once more, and that is counted.
    """
    found, struck = _once(row, f"{row.id}/{seed}", seed, folder, make)
    if struck or halted.is_set():
        return found
    second, _ = _once(row, f"{row.id}/{seed}/again", seed, folder / "again", make)
    return replace(second, again=found.trouble)


def _once(row: Row, drawn: str, seed: int, folder: Path, make: Callable[[Trial], Any] | None) -> tuple[Account, bool]:
    """The account, and whether the strike came, or what kept it from coming is a fault of ours."""
    trial = None
    try:
        trial = Trial(folder, random.Random(drawn), make)
        with contextlib.closing(trial):
            return _carry_out(row, seed, trial), True
    except (TrialError, OSError, AssertionError, ValueError, KeyError) as error:
        expected = isinstance(error, TrialError)
        text = "" if expected else traceback.format_exc(limit=-3)
        found = Account(row=row.id, seed=seed, detected=False, trouble=f"{error}\n{text}".strip())
        return found, trial is None or trial.ready or not expected


def _carry_out(row: Row, seed: int, trial: Trial) -> Account:
    row.setup(trial)
    trial.watch.ready(trial.facts.get("streams", 1))
    trial.phase()
    trial.ready = True
    assert row.strike is not None
    row.strike(trial)
    since = trial.facts.get("over", trial.struck_at)
    trial.watch.watch_for(row.ticks, since)
    if trial.make and not _told(row, trial):
        trial.watch.watch_for(row.ticks + SLOWER, since)
    if stack := trial.facts.get("slow"):
        stack.close()
    truth = row.truth(trial) if row.truth is not None else None
    lines = trial.watch.seal()
    if row.history is not None:
        lines = row.history(trial, lines)
    found = fold.fold(lines, trial.watch.limits)
    told_of = row if truth is None else dataclasses.replace(row, expected=truth)
    judged = account(told_of, seed, found, trial.struck_at, trial.ended_at)
    return replace(judged, ablated=ablate(lines, trial.watch.limits, found, row.rests_on))


def _told(row: Row, trial: Trial) -> bool:
    """Whether the record holds what is expected by now; of a twin it is nothing."""
    found = {stop.family for stop in fold.fold(trial.watch.lines(), trial.watch.limits)}
    return found >= {expected.family for expected in row.expected}


def run_all(jobs: Sequence[Job], scratch: Path, at_once: int, *, keep: bool = False) -> Iterator[Account]:
    """All trials of one kind; accounts come as they are done."""
    for _, found in run_pools([(jobs, at_once)], scratch, keep=keep):
        yield found


def run_pools(
    pools: Sequence[tuple[Sequence[Job], int]], scratch: Path, *, keep: bool = False
) -> Iterator[tuple[Job, Account]]:
    """Trials of several kinds at the same time, each so many at once; when the caller stops, so does all that runs.

    Args:
        pools: the trials, and how many of them may run at a time.
    """
    done: queue.SimpleQueue[tuple[Job, Account]] = queue.SimpleQueue()

    def work(pool: int, waiting: queue.SimpleQueue[tuple[int, Job]]) -> None:
        while not halted.is_set():
            try:
                number, job = waiting.get_nowait()
            except queue.Empty:
                return
            row, seed, make = job
            folder = scratch / str(pool) / f"{number:04}-{row.id}-{seed}"
            found = run_trial(row, seed, folder, make)
            done.put((job, found))
            if not (keep or found.trouble):
                shutil.rmtree(folder, ignore_errors=True)

    workers = []
    for pool, (jobs, at_once) in enumerate(pools):
        waiting: queue.SimpleQueue[tuple[int, Job]] = queue.SimpleQueue()
        for numbered in enumerate(jobs):
            waiting.put(numbered)
        workers += [threading.Thread(target=work, args=(pool, waiting)) for _ in range(at_once)]
    try:
        for worker in workers:
            worker.start()
        for _ in range(sum(len(jobs) for jobs, _ in pools)):
            yield done.get()
    finally:
        halted.set()
        for worker in workers:
            if worker.is_alive():
                worker.join()
        if all(worker.ident for worker in workers):  # else Ctrl-C came while one began: it finds that it is to end
            halted.clear()
