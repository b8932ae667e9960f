"""``python -m tests.simulated [--runs 1000] [--page]``: the behaviour suite on a simulated model, again and again.

Clean, with every rate at half of what is still good, at most 5 % of the suites may fail (upper 95 % bound). Each fault
at twice the bad rate has to be found in at least 95 % of the runs. What happens at the good and at the bad rate is
printed beside. ``--page`` writes docs/behaviour-rates.md. Exit 1: a figure is not as it should be.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from seatrial.behaviour.probe import RateProbe, probes
from seatrial.behaviour.tally import percent
from tests.simulated.runs import failed_suites, found, upper
from tests.simulated.wrong import FAULTS

PAGE = Path(__file__).parents[2] / "docs" / "behaviour-rates.md"
MOST_FAILED, FEWEST_FOUND = 0.05, 0.95
HIGHEST = 0.95


def twice(probe: RateProbe) -> float:
    """Twice the bad rate; never all answers."""
    return min(2 * probe.test.p1, HIGHEST)


RATES = {
    "half good": lambda p: p.test.p0 / 2,
    "good": lambda p: p.test.p0,
    "bad": lambda p: p.test.p1,
    "twice bad": twice,
}


def table(runs: int, seed: int) -> tuple[list[str], list[str]]:
    """The lines of the page, and what of it is not as it should be."""
    failed = failed_suites(runs, seed)
    wrong = [] if upper(failed, runs) <= MOST_FAILED else [f"{failed} of {runs} clean suites failed"]
    most = percent(upper(failed, runs))
    lines = [
        f"Clean, every rate at half of the good one: {failed} of {runs} suites fail (95 %: at most {most} %).",
        "",
        "| probe | fault | good, bad | "
        + " | ".join(f"found at {name}" for name in RATES)
        + " | answers at twice bad |",
        "|---|---|---|" + "---|" * (len(RATES) + 1),
    ]
    for name, fault in FAULTS.items():
        probe = probes()[fault.rule]
        came = {word: found(fault.rule, name, rate, runs, seed) for word, rate in RATES.items()}
        hits, size = came["twice bad"]
        if hits < FEWEST_FOUND * runs:
            wrong.append(f"{name} at twice the bad rate is found in {hits} of {runs}")
        shares = " | ".join(f"{percent(k / runs)} %" for k, _ in came.values())
        limits = f"{percent(probe.test.p0)} %, {percent(probe.test.p1)} %"
        lines.append(f"| {probe.rule.row} `{fault.rule}` | {name} | {limits} | {shares} | {size:.0f} |")
    return lines, wrong


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulated", description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--page", action="store_true", help="write docs/behaviour-rates.md")
    options = parser.parse_args()
    lines, wrong = table(options.runs, options.seed)
    print("\n".join(lines))
    if options.page:
        made = f"Made by `tox -e simulated -- --page`: {options.runs} runs, seed {options.seed}."
        head = ["# How often the probes are right", "", made]
        PAGE.write_text("\n".join([*head, "", *lines]) + "\n", "utf-8")
    for each in wrong:
        print(f"WRONG  {each}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
