"""``python -m tests.silence.rates``: how rare a fault of isolation or cancellation may be and still be found.

Each run asks a golden server of its own, whose fault comes at a rate, what the suite asks of it in one of its forms;
the runs differ by the seed. A run finds the fault where the rule that is named for it fails. The figure that a case
prints is held against it: at the smallest rate that n answers show in 95 of 100 runs, 1 - 0.05^(1/n), as many are.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass

from seatrial.checks.areas.concurrency import leaving, parts
from seatrial.checks.rules import Rule
from seatrial.records import Depth, Exchange, Outcome
from seatrial.statistics.rates import smallest
from tests.golden.faults import FAULTS
from tests.golden.memory import Memory
from tests.silence.asking import Asker
from tests.silence.tables import SCENARIOS
from tests.silence.trial import PATIENCE_S, RULES, Piece, catches, expecting, known

OFTEN = 0.05
"""One answer in twenty."""

RUNS = 100
FAULTY = (
    "answers-crossed",
    "prompts-crossed",
    "grammar-is-overwritten",
    "slot-is-never-freed",
    "stream-is-made-for-nobody",
)


@dataclass(frozen=True)
class Counted:
    """Runs of one form against a server with a fault at a rate."""

    fault: str
    depth: Depth
    rate: float
    found: int
    runs: int

    def __str__(self) -> str:
        form = "--depth=full" if self.depth is Depth.FULL else "default"
        one = f"1 in {1 / self.rate:.1f}" if self.rate else "never"
        return f"{self.fault:28} {form:13} {one:10} found in {self.found} of {self.runs} runs"


def count(fault: str, depth: Depth, rate: float, runs: int = RUNS) -> Counted:
    """How many of so many runs find a fault."""
    rule = RULES[FAULTS[fault].caught_by]
    found = sum(finds(rule, f"{fault}:{rate}", depth, seed) for seed in range(runs))
    return Counted(fault, depth, rate, found, runs)


def finds(rule: Rule, fault: str, depth: Depth, seed: int) -> bool:
    """Whether one run finds it."""
    server = Memory((fault,), seed=seed)
    asker = Asker(known(server), PATIENCE_S, server, seed=seed)
    for name in forms(rule, depth):
        piece = Piece(name, asker.send(name, SCENARIOS[name]), expecting(asker.endpoint))
        if catches(rule, [piece]) in {Outcome.FAIL, Outcome.ADVISORY}:
            return True
    return False


def forms(rule: Rule, depth: Depth) -> Iterator[str]:
    """The scenarios that a form of the suite has for a rule, the long ones first: what is found there is found."""
    applies = [name for name, scenario in SCENARIOS.items() if rule.applies(scenario) and scenario.depth <= depth]
    return iter(sorted(applies, key=lambda name: -SCENARIOS[name].depth))


def told(fault: str, depth: Depth) -> int:
    """In how many answers of a form a fault of this kind would show, on a server without one."""
    rule = RULES[FAULTS[fault].caught_by]
    server = Memory()
    asker = Asker(known(server), PATIENCE_S, server)
    return sum(_shows(rule, asker.send(name, SCENARIOS[name])) for name in forms(rule, depth))


def _shows(rule: Rule, xs: dict[str, Exchange]) -> int:
    return len(leaving.left(xs, ["leaver"])) if rule.id == parts.LEAVES_FREE else len(parts.shown(xs))


def main() -> int:
    """Measure both forms of all faults, and runs without one; 1: a form finds too little, or something on none."""
    wrong = 0
    for fault in FAULTY:
        least = smallest(told(fault, Depth.SMALL))
        for form, rate, enough in ((Depth.FULL, OFTEN, 95), (Depth.SMALL, least, 88)):
            counted = count(fault, form, rate)
            wrong += counted.found < enough
            print(counted, flush=True)
        for form in (Depth.SMALL, Depth.FULL):
            counted = count(fault, form, 0.0)
            wrong += counted.found > 0
            print(counted, flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
