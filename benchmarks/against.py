"""A night judged here and by another checkout in turn: ``python -m benchmarks.against CHECKOUT [--pairs N]``.

Compared is the CPU time that each takes in user mode, by its median: on a shared machine the wall clock, and a single
run, say little.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.history import HOURS, History
from seatrial.records import RunInfo
from seatrial.run.directory import RunDir

PAIRS = 6
HERE = Path(__file__).parents[1]

CHILD = """
import resource, sys
from pathlib import Path
from seatrial.judging.run import judge
from seatrial.run.directory import RunDir
before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
judged = judge(RunDir.open(Path(sys.argv[1])))
print(resource.getrusage(resource.RUSAGE_SELF).ru_utime - before, *[f"{s.name}:{s.family}" for s in judged.stops])
"""


def main(arguments: Sequence[str] = ()) -> int:
    """Judge a night of watch and one of a soak; 1 where the two find other stops in one."""
    if not arguments:
        print("  no other checkout is named: nothing is compared")
        return 0
    parser = argparse.ArgumentParser(prog="python -m benchmarks.against", description=__doc__)
    parser.add_argument("checkout", type=Path, help="another checkout, whose src is asked")
    parser.add_argument("--pairs", type=int, default=PAIRS)
    parser.add_argument("--only", choices=("watch", "soak"))
    given = parser.parse_args(arguments)
    worst = 0
    for night in ("watch", "soak"):
        if given.only in {None, night}:
            worst = max(worst, _compare(night, given.checkout, given.pairs))
    return worst


def _compare(night: str, other: Path, pairs: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        info = RunInfo(id="night", started="2026-02-01T20:00:00+00:00", started_ns=0, boot_id="", arguments=(),
                       versions={}, seed=8)  # fmt: skip
        run = RunDir.create(Path(folder) / "night", info)
        history = History(run, HOURS * 3600, watch=night == "watch")
        history.write()
        print(f"{night}: {history.lines} lines", flush=True)
        took: dict[Path, list[float]] = {other: [], HERE: []}
        found: dict[Path, str] = {}
        for pair in range(pairs):
            for tree in (other, HERE) if pair % 2 else (HERE, other):
                seconds, _, found[tree] = _judged(tree, run.path).partition(" ")
                took[tree].append(float(seconds))
            print(f"  there {took[other][-1]:.2f} s, here {took[HERE][-1]:.2f} s", flush=True)
    there, here = (statistics.median(took[tree]) for tree in (other, HERE))
    print(f"  medians: there {there:.2f} s, here {here:.2f} s: {here / there:.3f}x; "
          f"least: {min(took[HERE]) / min(took[other]):.3f}x")  # fmt: skip
    print(f"  found there {found[other].strip()}, here {found[HERE].strip()}")
    return found[HERE] != found[other]


def _judged(tree: Path, run: Path) -> str:
    environment = {**os.environ, "PYTHONPATH": str(tree / "src"), "PYTHONHASHSEED": "0"}
    command = [sys.executable, "-c", CHILD, str(run)]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
