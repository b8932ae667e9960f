"""``docs/live.md``: a line a proof, written by the run that showed it."""

from __future__ import annotations

from pathlib import Path

from tests.live.proofs import PROOFS, Proof
from tests.live.sailing import Found, Seen

PAGE = Path(__file__).parents[2] / "docs" / "live.md"

HEAD = """# Live proofs of the soak

Made by `python -m tests.live --page` (`tox -e live`). Do not edit.

Each line is a soak as a user runs it, `pytest suites/soak --endpoint=... --phases=... --canary-every=5s`, of a golden
server in a process of its own, whose fault is switched on after a third of the time. Sizes and times are read from
verdict.json and held against what the server really did (`/_truth`) and the moment of the switch; of what shows in
single answers, against the first of them. What is told to the minute is told as its begin. A clean server is left
alone; beside a fault nothing else may be called but what is as true (`also`).
"""

COLUMNS = "| fault | length | requests | called as | size: told, true | since: told, true | also | |"


def line(proof: Proof, seen: Seen, found: Found, minutes: float) -> str:
    """A proof's line."""
    end = "; ".join(found.wrong) or "holds"
    if found.unclear:
        end = (
            f"{end}; of what was measured no verdict, for {found.unclear}"
            if proof.proven
            else f"unclear: {found.unclear}"
        )
    called = proof.stop or proof.rule or "nothing"
    size = since = ""
    if proof.fault:
        size = f"{_told(found.size)}, {found.true:.3g} {proof.unit}"
        since = f"{_told(found.since)}, {found.began:.0f} s"
    cells = (proof.what, f"{minutes:g} min", str(seen.requests), called, size, since, ", ".join(found.others), end)
    return f"| {' | '.join(cells)} |"


def _told(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def write(made: str) -> None:
    """Put a line in the place of the one of the same proof; all stand in the order of the proofs."""
    kept = PAGE.read_text("utf-8").splitlines() if PAGE.is_file() else []
    lines = {each.split(" | ")[0].removeprefix("| "): each for each in [*kept, made] if each.startswith("| ")}
    rows = [lines[proof.what] for proof in PROOFS.values() if proof.what in lines]
    PAGE.write_text(
        "\n".join([*HEAD.splitlines(), "", COLUMNS, "|---|---|---|---|---|---|---|---|", *rows]) + "\n", "utf-8"
    )
