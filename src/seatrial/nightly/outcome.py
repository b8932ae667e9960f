"""What one run of a night came to, and what of it is worse than before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec

from seatrial.nightly.child import RunEnded
from seatrial.nightly.state import JUDGED
from seatrial.records import NightRun, NightWord, Reason, Verdict
from seatrial.run import files, previous
from seatrial.run.lines import BAD
from seatrial.text import flat, signal_name, visible
from seatrial.verdict import since
from seatrial.verdict.outcomes import EXIT_FAIL, EXIT_INCONCLUSIVE, EXIT_READY, EXIT_USAGE

ORDER = (EXIT_READY, EXIT_INCONCLUSIVE, EXIT_USAGE, EXIT_FAIL)
"""Exit statuses of a night, the worst last: what failed outweighs what could not be tried, that what is not proven."""

EXITS: Mapping[NightWord, int] = {
    NightWord.READY: EXIT_READY,
    NightWord.NOT_PROVEN: EXIT_INCONCLUSIVE,
    NightWord.NOT_READY: EXIT_FAIL,
    NightWord.NOT_TRIED: EXIT_USAGE,
    NightWord.CUT: EXIT_INCONCLUSIVE,
    NightWord.RUNNING: EXIT_INCONCLUSIVE,
}
RANK = (NightWord.READY, NightWord.NOT_PROVEN, NightWord.NOT_READY)
WORST = 8
"""Lines on an endpoint that are told as worse."""
LOG_TAIL = 20_000


def of_run(name: str, night: str, run: Path, log: Path, ended: RunEnded, at: float) -> NightRun:
    """What a run came to, by its verdict; where there is none, why.

    Args:
        run: its directory.
        log: what pytest printed.
        at: Unix time of its end.
    """
    base = NightRun(
        endpoint=name,
        word=NightWord.CUT,
        night=night,
        run=run.name if run.is_dir() else "",
        ended_at=at,
        exit=ended.code,
        seconds=round(ended.seconds, 1),
        early=ended.early,
    )
    verdict = _verdict(run)
    if verdict is None:
        return _without(base, run, log, ended)
    told = verdict.endpoints.get(name)
    if told is None:
        return msgspec.structs.replace(base, word=NightWord.CUT, why="its verdict does not name this endpoint")
    reasons = [_reason(reason) for reason in told.reasons]
    past = previous.past(run)
    now = past.came.get(name) if past else None
    last = previous.kept(run).get(name)
    found = msgspec.structs.replace(
        base,
        word=NightWord(told.verdict.value),
        why="; ".join(filter(None, [ended.why, *(flat(text, 300) for text in reasons[:1])])),
        counts=told.counts,
        stops=dict(Counter(stop.family for stop in verdict.stops if stop.name == name and stop.silent)),
        measured=told.measured,
    )
    if now is None:
        return found
    return msgspec.structs.replace(
        found,
        kind=flat(now.kind),
        model=flat(now.model),
        build=flat(now.build),
        changes=since.changes(last, now) if last else None,
    )


def worse(run: NightRun, judged: NightWord | None, last: NightWord | None) -> Iterator[str]:
    """What is worse than before, a line each.

    Args:
        judged: the last verdict of the endpoint before; None: there is none, and nothing is worse than nothing.
        last: its last word, whether it was judged or not.
    """
    if run.early and run.word is not NightWord.NOT_READY:
        return
    if run.word not in JUDGED:
        if last is not None and last != run.word:
            yield f"{run.endpoint}: {last} -> {run.word}: {visible(run.why, 300)}"
        return
    if judged is None:
        return
    if RANK.index(run.word) > RANK.index(judged):
        yield f"{run.endpoint}: {judged} -> {run.word}"
    if run.changes is not None:
        told = msgspec.structs.replace(run.changes, healed=(), worse=(), better=())
        yield from (f"{run.endpoint}: {text}" for text in list(since.brief(told))[:WORST])


def exit_of(runs: Iterable[NightRun]) -> int:
    """The exit status of a night: that of its worst part."""
    codes = {EXITS[run.word] for run in runs} | {EXIT_FAIL for run in runs if run.exit == EXIT_FAIL}
    return max(codes, key=ORDER.index, default=EXIT_INCONCLUSIVE)


def _without(base: NightRun, run: Path, log: Path, ended: RunEnded) -> NightRun:
    """A run without a verdict: it could not begin, or it was cut."""
    said = last_words(log)
    if ended.code is None:
        return msgspec.structs.replace(base, word=NightWord.NOT_TRIED, why=ended.why)
    how = f"pytest was ended by {signal_name(-ended.code)}" if ended.code < 0 else f"pytest ended with {ended.code}"
    why = "; ".join(filter(None, [ended.why, how, said]))
    if ended.code == EXIT_USAGE or not run.is_dir():
        return msgspec.structs.replace(base, word=NightWord.NOT_TRIED, why=said if said and not ended.why else why)
    return msgspec.structs.replace(base, why=f"{why}; seatrial judge {run} judges what there is")


def last_words(log: Path) -> str:
    """The last line of a log that says what is wrong; else its last line."""
    text = files.tail(log.parent, log.name, LOG_TAIL).decode("utf-8", "replace")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    wrong = [line for line in lines if line.startswith(("ERROR:", "ERROR "))]
    return visible((wrong or lines or [""])[-1], 300)


def _reason(reason: Reason) -> str:
    head = " ".join(filter(None, [reason.word, reason.level, reason.case.partition("[")[0]]))
    return f"{head}: {reason.text}"


def _verdict(run: Path) -> Verdict | None:
    try:
        return msgspec.json.decode(files.read(run, "verdict.json", previous.FILE_CAP), type=Verdict)
    except (files.UnfitError, *BAD):
        return None
