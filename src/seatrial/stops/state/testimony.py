"""What witnesses say of a stop: its threads, its log, its counters, the GPU's driver.

A witness is read when a rung breaks, often a moment before the stop is known to be one, and often after it. The
reader ``process.witnesses`` keeps what came before, and :func:`given` gives it to a stop that begins.
"""

from __future__ import annotations

from collections import Counter

from msgspec.structs import replace

from seatrial.records import SECOND, Event, Log, Threads
from seatrial.stops.state.case import Case, Testimony
from seatrial.stops.state.server import Witnesses

LOG_NS = 10 * SECOND
"""A log read so long after a stop may speak of what came after it."""
THREADS_NS = SECOND
"""Threads read so shortly before the first proof of a stop were read for it: a rung had just broken."""
DRIVER_KEPT = 8


def given(case: Case, witnesses: Witnesses) -> Case:
    """A stop that begins, with what was read before it was known to be a stop."""
    errors = tuple(event for event in witnesses.driver if near(event.at, case.dead_at))
    new = replace(case, testimony=Testimony(xids=errors)) if errors else case
    for line in witnesses.logs:
        if line.at < new.alive.at:
            new = replace(new, testimony=replace(new.testimony, log_old=frozenset(line.text)))
        else:
            new = with_log(new, line)
    return new if witnesses.threads is None else with_threads(new, witnesses.threads)


def with_threads(case: Case, line: Threads) -> Case:
    """A stop with a reading of the process's threads. The first reading after the stop's beginning counts."""
    mine = case.main is not None and case.main.pid == line.pid
    late = case.until is not None and line.t > case.until
    read = case.testimony.read is not None
    if not mine or late or read or line.t < case.dead_at - THREADS_NS or case.exit is not None:
        return case
    return replace(case, testimony=replace(case.testimony, read=line))


def with_log(case: Case, line: Log) -> Case:
    """A stop with a reading of the log. Two readings at one moment are of two files: a log that was rotated."""
    lasts = case.until is None and case.exit is None
    if case.family == "UNOBSERVED" or line.at < case.alive.at or (line.at > case.dead_at + LOG_NS and not lasts):
        return case
    old = case.testimony
    text = (*old.log, *line.text) if line.at == old.log_at else line.text or old.log
    ends = old.log_ends if line.ends is None else (*(old.log_ends or ()), *line.ends)
    new = replace(old, log=text, log_at=line.at, log_note=line.note or old.log_note, log_ends=ends)
    return replace(case, testimony=new)


def with_error(case: Case, event: Event) -> Case:
    """A stop with an error of the GPU's driver that came with it."""
    xids = case.testimony.xids
    if case.family == "UNOBSERVED" or not near(event.at, case.dead_at) or len(xids) >= DRIVER_KEPT:
        return case
    return replace(case, testimony=replace(case.testimony, xids=(*xids, event)))


def with_words(testimony: Testimony, source: str, said: str) -> Testimony:
    """What is said of a stop, with the words of one more source. Each source is heard once: its first words stay."""
    return replace(testimony, told={**testimony.told, source: testimony.told.get(source, said)})


def near(at: int, dead_at: int) -> bool:
    """Whether an error of the GPU's driver came with a stop: up to 10 s before it, or told up to 2 s after it."""
    return -10 * SECOND <= at - dead_at <= 2 * SECOND


def thread_words(line: Threads) -> str:
    """All threads in one phrase: who waits in the kernel, who runs, or that all sleep."""
    states = Counter(state for _, _, state, _, _ in line.threads)
    number = line.total or len(line.threads)
    for _, name, state, _, place in line.threads:
        if state == "D":
            return f"thread {name} in state D{f' at {place}' if place else ''}, of {number}"
    if states["R"]:
        name = next(name for _, name, state, _, _ in line.threads if state == "R")
        return f"thread {name} in state R, of {number}"
    if not line.threads or len(states) > 1:
        return f"{number} threads: {', '.join(f'{n} in state {state}' for state, n in states.most_common())}"
    what = {"S": "sleep", "T": "are stopped", "t": "are held by a debugger"}.get(next(iter(states)), "")
    return f"all {number} threads {what or f'in state {next(iter(states))}'}"
