"""``python -m tests.trials [--at COMMIT] [PYTEST ARGUMENTS]``: the trials, on this tree or on another commit's code.

On another commit a trial is *shown* where its own assertion failed: then the wrong words stand below its name. A trial
that passes there, or that fails for another reason (an option unknown to that commit, a server that did not start),
shows nothing, and is told.

The exit code is 0 where every trial holds here, or is shown there.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.trials.tried import ROOT, TREE

WIDTH = 300
"""Characters of the wrong words that are printed."""


class Tally:
    """What became of each trial, for the two ways of running them."""

    def __init__(self) -> None:
        self.held: list[str] = []
        self.wrong: dict[str, str] = {}
        self.broken: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        name = report.nodeid.rpartition("/")[2]
        words = dict(report.user_properties).get("wrong")
        if report.failed and words is not None and report.when == "call":
            self.wrong[name] = str(words)
        elif report.failed:
            self.broken.setdefault(name, report.longreprtext.strip().splitlines()[-1])
        elif report.when == "call":
            self.held.append(name)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.trials", description=__doc__)
    parser.add_argument("--at", metavar="COMMIT", help="the commit whose code is on trial; default: this tree")
    options, rest = parser.parse_known_args()
    where = rest if any(not word.startswith("-") for word in rest) else [*rest, str(ROOT / "tests" / "trials")]
    if options.at is None:
        return _trial(where, shown=False)
    with tempfile.TemporaryDirectory(prefix="seatrial-trials-") as folder:
        tree = Path(folder) / "tree"
        subprocess.run(["git", "worktree", "add", "--detach", "-q", str(tree), options.at], cwd=ROOT, check=True)
        os.environ[TREE] = str(tree)
        try:
            return _trial(where, shown=True)
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", str(tree)], cwd=ROOT, check=True)


def _trial(where: list[str], *, shown: bool) -> int:
    tally = Tally()
    code = pytest.main(["-q", "--tb=line", "-p", "no:cacheprovider", *where], plugins=[tally])
    print()
    for name, words in tally.wrong.items():
        said = " ".join(words.split())
        print(f"{'shown' if shown else 'WRONG'}    {name}\n         {said[:WIDTH]}{'...' if len(said) > WIDTH else ''}")
    for name in tally.held if shown else ():
        print(f"HOLDS    {name}: it shows nothing there")
    for name, error in tally.broken.items():
        print(f"BROKEN   {name}: {error[:WIDTH]}")
    n = len(tally.wrong) + len(tally.held) + len(tally.broken)
    if shown:
        print(f"{n} trials: {len(tally.wrong)} shown, {len(tally.held)} hold there, {len(tally.broken)} show nothing")
        return 0 if n and len(tally.wrong) == n else 1
    print(f"{n} trials: {len(tally.held)} hold, {len(tally.wrong)} wrong, {len(tally.broken)} broken")
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
