"""``python -m tests.detectors`` writes ``docs/detectors.md``: what detectors call on clean nights, and what they find.

``--nights N`` clean nights of each length (1,000), ``--each N`` nights of each fault, size and length (20); ``--show``
prints the page and writes nothing. Exits 1 where the upper bound of false alarms of whole nights is above 2 %.

``--directories [NAME ...]`` writes nights as whole run directories instead and judges them: 20 clean ones (``clean``)
and one of each effect, or those that are named. All of them make their own part of the page anew. Exits 1 where one is
judged otherwise than its series.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from seatrial.detectors import showing
from seatrial.detectors.night import judge
from seatrial.detectors.shape import WIDE
from seatrial.detectors.words import LEVEL, POINTS, Call, Detector
from seatrial.judging.run import judge as judge_run
from seatrial.statistics.intervals import clopper_pearson
from tests.detectors import nights
from tests.detectors.directories import Alike, alike, write

PAGE = Path(__file__).parents[2] / "docs" / "detectors.md"
LENGTHS = (150, 480)
"""Minutes: a short soak that can be judged at all, and a night."""

BOUND = 0.02


@dataclass
class Clean:
    """So many clean nights: on how many something is called, by whom, beside which twins; or is too uneven to see."""

    nights: int
    called: int = 0
    names: Counter[Detector] = field(default_factory=Counter)
    beside: Counter[str] = field(default_factory=Counter)
    uneven: int = 0


def falsely(seed: int, minutes: int) -> tuple[list[Detector], tuple[str, ...], bool]:
    """What is called on a clean night, the names of its twins, and whether a series was too uneven to see a change."""
    sim, twins = nights.clean(seed, minutes)
    bounded = nights.cache_does_not_come_to_its_bound.__name__ in twins  # it grows, and that is said: no FAIL
    wrong = {Call.FOUND} if bounded else {Call.FOUND, Call.BOUNDED}
    readings = judge(sim.night())
    uneven = any(reading.word is Call.UNEVEN for reading in readings.values())
    return [name for name, reading in readings.items() if reading.word in wrong], twins, uneven


def found(effect: nights.Effect, size: float, minutes: int, each: int) -> int:
    """On how many of so many nights a fault is called by the detector that it is for."""
    seeds = range(100_000, 100_000 + each)
    return sum(
        judge(nights.faulty(seed, effect, size, minutes, phi=None))[effect.detector].word is Call.FOUND
        for seed in seeds
    )


def page(clean: dict[int, Clean], each: int) -> Iterator[str]:
    """The page, line by line."""
    yield from _HEAD.splitlines()
    yield ""
    yield "| length | clean nights | called | upper bound, 95 % (one-sided) | by whom | with a series too uneven |"
    yield "|---|---|---|---|---|---|"
    for minutes, of in clean.items():
        who = ", ".join(f"{name} {k}" for name, k in of.names.most_common()) or "nobody"
        beside = ", ".join(f"{name.replace('_', ' ')} {k}" for name, k in of.beside.most_common())
        who += f"; beside {beside}" if beside else ""
        bound = upper(of.called, of.nights)
        yield f"| {minutes / 60:g} h | {of.nights} | {of.called} | {bound:.2%} | {who} | {of.uneven} |"
    yield from _POWER.format(each=each).splitlines()
    yield ""
    yield f"| fault | called as | size | {' | '.join(f'{minutes / 60:g} h' for minutes in LENGTHS)} |"
    yield f"|---|---|---|{'---|' * len(LENGTHS)}"
    for effect in nights.EFFECTS:
        for size in effect.sizes:
            shares = " | ".join(f"{found(effect, size, minutes, each) / each:.0%}" for minutes in LENGTHS)
            yield f"| {effect.name} | {effect.detector} | {size:g} {effect.unit} | {shares} |"
            sys.stderr.write(".")
    yield from _PLAN.splitlines()
    yield ""
    yield "| length, all of it steady | a canary every | growth | latency drift | decay of the pace |"
    yield "|---|---|---|---|---|"
    for length, step in ((600, 5), (1200, 5), (3600, 15), (7200, 60), (4 * 3600, 60), (8 * 3600, 60)):
        says = " | ".join(text for _, text in showing.told(length, length, step))
        yield f"| {f'{length / 60:g} min' if length < 3600 else f'{length / 3600:g} h'} | {step} s | {says} |"


def upper(k: int, n: int) -> float:
    """The rate below which the true one lies with a confidence of 95 %."""
    return clopper_pearson(k, n, 0.90)[1]


def over(minutes: int, count: int) -> Clean:
    """So many clean nights of a length."""
    of = Clean(count)
    for seed in range(count):
        wrong, twins, uneven = falsely(seed, minutes)
        of.called += bool(wrong)
        of.uneven += uneven
        of.names.update(wrong)
        of.beside.update(twins if wrong else ())
    return of


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.detectors", description=__doc__.partition("\n")[0])
    parser.add_argument("--nights", type=int, default=1000)
    parser.add_argument("--each", type=int, default=20)
    parser.add_argument("--show", action="store_true")
    parser.add_argument("--directories", nargs="*", metavar="NAME")
    given = parser.parse_args()
    if given.directories is not None:
        return directories(given.directories, show=given.show)
    clean = {minutes: over(minutes, given.nights) for minutes in LENGTHS}
    text = "\n".join(page(clean, given.each)) + "\n"
    _, heading, rest = PAGE.read_text("utf-8").partition(_WHOLE.splitlines()[1])
    text += f"\n{heading}{rest}" if heading else ""
    sys.stdout.write(text)
    if not given.show:
        PAGE.write_text(text, "utf-8")
    longest = clean[max(LENGTHS)]
    return int(upper(longest.called, longest.nights) > BOUND)


def directories(names: list[str], *, show: bool) -> int:
    """Judge nights as run directories beside their series; the part of the page that tells of them."""
    faults = {effect.name: effect for effect in nights.EFFECTS}
    if unknown := [name for name in names if name not in {CLEAN, *faults}]:
        print(f"no night is called {', '.join(unknown)}; there are: {', '.join((CLEAN, *faults))}")
        return 4
    lines, bad = [], 0
    if not names or CLEAN in names:
        made = [_both(f"{CLEAN} {seed}", nights.clean(seed)[0]) for seed in range(CLEANS)]
        bad += sum(bool(each.wrong) for each in made)
        names_of = Counter(str(name) for each in made for name in each.called)
        told = ", ".join(f"{name} {n}" for name, n in names_of.items()) or "nothing is called"
        lines.append(f"| {CLEANS} clean nights, twins among them | {told} | {_agree(made)} | |")
    for name in names or faults:
        if name != CLEAN:
            found = _both(name, nights.spoilt(5, faults[name], faults[name].sizes[-1]))
            bad += bool(found.wrong)
            lines.append(_row(name, faults[name], found))
    text = "\n".join([*_WHOLE.splitlines(), "", _COLUMNS, "|---|---|---|---|", *lines]) + "\n"
    sys.stdout.write(text)
    if not names and not show:
        kept, _, _ = PAGE.read_text("utf-8").partition(_WHOLE.splitlines()[1])
        PAGE.write_text(kept.rstrip("\n") + "\n" + text, "utf-8")
    return int(bad > 0)


def _both(name: str, sim: nights.Sim) -> Alike:
    """A night as its series and as a run directory that is written, judged and removed."""
    with tempfile.TemporaryDirectory(prefix="nights-") as folder:
        found = alike(sim, judge_run(write(Path(folder) / "night", sim)))
    print(f"{name}: {'; '.join(found.wrong) or 'alike'}", file=sys.stderr, flush=True)
    return found


def _row(name: str, effect: nights.Effect, found: Alike) -> str:
    called = found.called.get(effect.detector)
    onset = "" if called is None or called.onset_s is None else f"{called.onset_s / 3600:.2f} h"
    others = ", ".join(f" and {name}" for name in found.called if name != effect.detector)
    told = f"{effect.detector}{others}: {called.got}" if called is not None else f"not called{others}"
    return f"| {name}, {effect.sizes[-1]:g} {effect.unit} | {told} | {_agree([found])} | {onset} |"


def _agree(made: list[Alike]) -> str:
    wrong = [text for each in made for text in each.wrong]
    return "; ".join(wrong) or "alike"


CLEAN, CLEANS = "clean", 20

_COLUMNS = "| night of 8 h | what `seatrial judge` says | beside the series | since |"

_WHOLE = """
## Whole run directories

`python -m tests.detectors --directories` writes such nights as run directories (`tests/detectors/directories.py`): what
a load, a recorder and a keeper leave of a soak, and judges them as `seatrial judge` does. *Alike*: the minutes that
judging computes from the records are those that were simulated; each detector says the same word of both, the same
size, and the same moment; and the cases come to what their detectors say.
"""

_HEAD = f"""# Detectors: what they call falsely, and what they find

Made by `python -m tests.detectors` (`tox -e detectors`) over simulated nights (`tests/detectors/nights.py`). Do not
edit.

A detector looks at the minutes of a soak: what the server holds, the canary's first token, the pace of a stream,
errors. It calls what is unlikely by chance *and* of a size that matters *and* of the shape of a fault. Chance is
reckoned for noise that remembers itself (long-run variance, the largest of three estimates) and corrected over all
detectors of a night (Holm, {LEVEL:.0%}). Growth must still go on in the last third at 40 % of its pace; a drift must
show in both halves; a step must still be there at the end. Fewer than {POINTS} points are not tested;
nor is a wait, a pace or a part so uneven that its change is known to no more than {WIDE:g} times the least that matters
(10 %, 10 points of 100), either way: nothing seen would say nothing.

## False alarms

Each series of a clean night draws its own noise: AR(1) with phi 0, 0.5, 0.8 or 0.95, a quarter under fast noise as
well, half with outliers. None to three twins are put into it: a RAM prompt cache that fills to its bound, one that
does not come to it where the bound is known (it is called *bounded*, never a leak), warm-up, page cache, a load that
follows the day, checkpoints, phases of other levels, a burst of errors, an allocator's high-water mark.
"""

_POWER = """
## Power

Faults put into nights without twins, noise as above, {each} nights each: on how many the right detector calls. Sizes
are over the whole time, or as they say.
"""

_PLAN = """
## What a length can show

As the plan says it before a run: what the test alone calls with a chance of 80 %, for noise as on quiet servers (8 % of
the canary, 4 % of the pace, 8 MB of memory, phi 0.5). What is less is not tested.

What no length shows: a cache of unknown bound that is still filling is called a leak; one of known bound hides a leak
of its size; what slows with an evening's load is the load's where the two go together, and then not tested.
"""

if __name__ == "__main__":
    sys.exit(main())
