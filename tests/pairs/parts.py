"""What is known of each pair beforehand, and whether its decision says so: pure, of decisions that were made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.resources import files
from typing import NamedTuple

from scipy.stats import binom

from seatrial.comparing.margins import FALSE_SHARE
from seatrial.records import Lossless, LosslessWord, Ruling
from tests.pairs.compared import Came, Server

LOOPS, MARKERS = "loops/answers-do-not-loop", "markers/no-template-marker-leaks"
STOPS = "stops/answers-end-by-themselves"
SHORT = (
    "roles/roles-hold-over-turns",
    "instructions/instructions-are-kept",
    "invariance/a-choice-does-not-go-by-its-form",
    "logprobs/log-probabilities-are-those-of-the-answer",
)
"""Probes of short answers, which buy most pairs a second; named, since plans by two measured speeds may differ."""
LEAKED = "<|im_end|>"

EMBEDDED: Server = ("embedded", ())
CHATML: Server = ("embedded", ("--template=chatml",))


def cached(kind: str) -> Server:
    """llama.cpp's program with its cache of keys and values in numbers of this kind, the demo's template, and flash
    attention, without which it takes no quantised cache."""
    template = ("--jinja", "--chat-template-file", str(files("seatrial.servers").joinpath("templates/qa.jinja")))
    return "llama-server", ("-t", "2", *template, "-fa", "on", "-ctk", kind, "-ctv", kind)


PAIRS: dict[str, dict[str, Server]] = {
    "chatml": {"plain": EMBEDDED, "chatml": CHATML},
    "kv": {"f16": cached("f16"), "q4": cached("q4_0")},
    "aa": {"A": EMBEDDED, "B": EMBEDDED},
}
OPTIONS: dict[str, tuple[str, ...]] = {
    "chatml": (f"--case={LOOPS}", f"--case={MARKERS}"),
    "kv": ("--same", f"--case={STOPS}"),
    "aa": tuple(f"--case={each}" for each in SHORT),
}
"""What is asked beside the endpoints: of the first two what their difference is about."""


SPEEDS = 0.05
"""So often an interval of 95 % leaves the truth out."""


class Shown(NamedTuple):
    """One thing that has to be so."""

    holds: bool
    text: str


def chatml(came: Came) -> Iterator[Shown]:
    """A template that the model never learnt: it loops and leaks, and must not be cut over to."""
    yield from _decided(came, Ruling.DO_NOT)
    blockers = {reason.case.partition("[")[0]: reason.text for reason in came.decision.blockers}
    yield Shown(LOOPS in blockers, f"loops are named: {blockers.get(LOOPS) or 'they are not'}")
    leaks = blockers.get(MARKERS, "")
    yield Shown(LEAKED in leaks, f"{LEAKED} is named: {leaks or 'it is not'}")
    kept = next((row for row in came.rows if row.probe == MARKERS), None)
    clean = kept is not None and kept.incumbent.good == kept.n > 0
    yield Shown(clean, f"the plain template leaks nothing, in {kept.n if kept else 0} pairs of answers")


def kv(came: Came) -> Iterator[Shown]:
    """A cache of four bits: lossy or not, by an interval; whichever it is, the decision follows."""
    same = came.decision.same
    if same is None or same.span is None:
        yield Shown(False, f"--same came to nothing: {same.why if same else 'it was not asked'}")
        return
    lossy = same.word is LosslessWord.LOSSY
    yield Shown(same.word is not LosslessWord.OPEN, f"{same.word}: {same.why}")
    yield Shown(lossy is (same.span[0] > 0), "lossy, if and only if the whole interval lies above zero")
    if same.differ:
        yield Shown(same.first is not None and same.first.ahead is not None, _parted(same))
    named = any(reason.word == "LOSSY" for reason in came.decision.blockers)
    yield Shown(named is lossy, f"a loss is {'' if named else 'not '}among what blocks")
    yield from _decided(came, Ruling.DO_NOT if lossy else None)


def aa(all_of: Sequence[Came]) -> Iterator[Shown]:
    """One server beside its like: no word calls them different, and the list of what differs keeps its promise."""
    said = [f"seed {came.seed}: {', '.join(found)}" for came in all_of if (found := came.named())]
    yield Shown(bool(all_of) and not said, f"of {len(all_of)} comparisons {len(said)} name a difference{_but(said)}")
    listed = [f"seed {came.seed}: {', '.join(found)}" for came in all_of if (found := came.listed())]
    most = int(binom.ppf(0.975, len(all_of), FALSE_SHARE))
    yield Shown(
        len(listed) <= most,
        f"{len(listed)} have a probe on the list of what differs, of which a tenth may be so by chance: at most "
        f"{most}{_but(listed)}",
    )
    ratios = [came.decision.speed for came in all_of if came.decision.speed is not None]
    apart = sum(not ratio.low <= 1 <= ratio.high for ratio in ratios)
    least = int(binom.ppf(0.975, len(ratios), SPEEDS))
    yield Shown(
        apart <= least, f"{apart} of {len(ratios)} intervals of the speed ratio leave 1 out: at most {least} by chance"
    )
    mute = [str(came.seed) for came in all_of if not came.rows]
    yield Shown(not mute, f"each holds pairs of answers{_but(mute and [f'none of seed {seed}' for seed in mute])}")
    other = [str(came.seed) for came in all_of if not came.again]
    yield Shown(not other, f"seatrial compare decides each the same{_but([f'not seed {seed}' for seed in other])}")


def _decided(came: Came, cut: Ruling | None) -> Iterator[Shown]:
    made = came.decision
    yield Shown(cut in {None, made.cut}, f"{made.cut}: {made.why}")
    code = came.exits[1]
    yield Shown(came.again, f"seatrial compare decides the same over the record, exit {code}")


def _parted(same: Lossless) -> str:
    """The first answer in which the two part."""
    first = same.first
    if first is None:
        return "the first difference is not told"
    gap = "how far ahead is not told" if first.ahead is None else f"{first.ahead:.3f} ahead of the next likely token"
    where = f"{first.question}, after {first.alike} characters alike"
    return f"first in {where}: {first.incumbent!r} ({gap}), and {first.candidate!r}"


def _but(said: Sequence[str]) -> str:
    return f": {'; '.join(said)}" if said else ""
