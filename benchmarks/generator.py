"""The load generator's memory over a day of ten requests a second, with and without what it cuts of Locust's own."""

from __future__ import annotations

import subprocess
import sys
import tempfile

HOURS = 24.0
LIMIT_MB = 20.0


def main() -> int:
    """Run a day on a clock that jumps, and a quarter of one as Locust leaves it; 1 when the day grows by too much."""
    grown, n = _day(HOURS, "trims")
    left, fewer = _day(HOURS / 4, "keeps")
    print(f"  {n} requests: {grown:+.1f} MB; as Locust leaves it, {fewer}: {left:+.1f} MB")
    if grown >= LIMIT_MB:
        print(f"FAIL: {LIMIT_MB:.0f} MB or more")
        return 1
    return 0


def _day(hours: float, how: str) -> tuple[float, int]:
    """By how many MB it grew after the warm-up, and over how many requests."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks._day", folder, f"{hours:g}", how]
        warm, end, n = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return float(end) - float(warm), int(n)


if __name__ == "__main__":
    sys.exit(main())
