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

from seatrial.verdict import stops
from tests.faults import faults_process, faults_stream, twins
from tests.faults.ablation import ablate
from tests.faults.processes import TrialError, halted
from tests.faults.rows import Row, Trial
from tests.faults.verdict import Account, account

FAULTS = tuple(sorted((*faults_process.ROWS, *faults_stream.ROWS), key=lambda row: row.id))
ROWS = {row.id: row for row in (*FAULTS, *twins.ROWS, *twins.CONTROLS)}
Job = tuple[Row, int, Callable[[Trial], Any] | None]


def run_trial(row: Row, seed: int, folder: Path, make: Callable[[Trial], Any] | None = None) -> Account:
    """One trial, from start to account. What fails in carrying it out stands in ``trouble``."""
    trial = None
    try:
        trial = Trial(folder, random.Random(f"{row.id}/{seed}"), make)
        with contextlib.closing(trial):
            return _carry_out(row, seed, trial)
    except (TrialError, OSError, AssertionError, ValueError, KeyError) as error:
        text = "" if isinstance(error, TrialError) else traceback.format_exc(limit=-3)
        return Account(row=row.id, seed=seed, detected=False, trouble=f"{error}\n{text}".strip())


def _carry_out(row: Row, seed: int, trial: Trial) -> Account:
    row.setup(trial)
    trial.watch.ready(trial.facts.get("streams", 1))
    trial.phase()
    assert row.strike is not None
    row.strike(trial)
    trial.watch.watch_for(row.ticks, trial.facts.get("over", trial.struck_at))
    if stack := trial.facts.get("slow"):
        stack.close()
    truth = row.truth(trial) if row.truth is not None else None
    lines = trial.watch.seal()
    if row.history is not None:
        lines = row.history(trial, lines)
    found = stops.fold(lines, trial.watch.limits)
    told_of = row if truth is None else dataclasses.replace(row, expected=truth)
    judged = account(told_of, seed, found, trial.struck_at, trial.ended_at)
    return replace(judged, ablated=ablate(lines, trial.watch.limits, found, row.rests_on))


def run_all(jobs: Sequence[Job], scratch: Path, at_once: int, *, keep: bool = False) -> Iterator[Account]:
    """All trials; accounts come as they are done. When the caller stops, so does everything that runs."""
    waiting: queue.SimpleQueue[tuple[int, Job]] = queue.SimpleQueue()
    done: queue.SimpleQueue[Account] = queue.SimpleQueue()
    for numbered in enumerate(jobs):
        waiting.put(numbered)

    def work() -> None:
        while not halted.is_set():
            try:
                number, (row, seed, make) = waiting.get_nowait()
            except queue.Empty:
                return
            folder = scratch / f"{number:04}-{row.id}-{seed}"
            found = run_trial(row, seed, folder, make)
            done.put(found)
            if not (keep or found.trouble):
                shutil.rmtree(folder, ignore_errors=True)

    workers = [threading.Thread(target=work) for _ in range(at_once)]
    try:
        for worker in workers:
            worker.start()
        for _ in jobs:
            yield done.get()
    except BaseException:
        halted.set()
        raise
    finally:
        for worker in workers:
            worker.join()
