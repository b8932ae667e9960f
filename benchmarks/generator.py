"""The load generator's memory over a day of ten requests a second, with and without what it cuts of Locust's own."""

from __future__ import annotations

import subprocess
import sys
import tempfile

from benchmarks._rounds import Bound, told

HOURS = 24.0
ROUNDS = 3
BOUNDS = {"memory grown in a day": Bound(20.0, " MB")}


def main() -> int:
    """Run days on a clock that jumps, and a quarter of one as Locust leaves it; 1 when each day grows by too much."""
    rounds = []
    for _ in range(ROUNDS):
        grown, n = _day(HOURS, "trims")
        print(f"  {n} requests: {grown:+.1f} MB", flush=True)
        rounds.append(dict.fromkeys(BOUNDS, grown))
    left, fewer = _day(HOURS / 4, "keeps")
    print(f"  as Locust leaves it, {fewer} requests: {left:+.1f} MB", flush=True)
    lines, code = told(rounds, BOUNDS)
    print("\n".join(lines), flush=True)
    return code


def _day(hours: float, how: str) -> tuple[float, int]:
    """By how many MB it grew after the warm-up, and over how many requests."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks._day", folder, f"{hours:g}", how]
        warm, end, n = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return float(end) - float(warm), int(n)


if __name__ == "__main__":
    sys.exit(main())
