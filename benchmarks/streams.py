"""The load's transport following hundreds of streams, beside Locust's HttpUser and a raw socket with json.

All three in turn, in one process each and in gevent, against one server that sends a token every 20 ms to each stream.
Ours is measured as a soak has it: bytes tapped, masked for a key and recorded, a row and an event for each request; the
rules that read a share of the streams are left out, for what they may take is bounded by itself. CPU is the process's
own; the error of a gap is how far it is off the gap between the two sendings, so that the server's own delay counts for
nobody.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks._rounds import Bound, told

STREAMS = 300
SECONDS = 5.0
ROUNDS = 5
FREE = 0.97
"""Of the tokens of the fastest: a round in which a client got fewer was disturbed, and counts for nobody."""

NAMES = ("ours", "http_user", "raw")
BOUNDS = {
    "CPU a token, of HttpUser's": Bound(0.8, "x"),
    "CPU a token, of a raw socket's with json": Bound(1.5, "x"),
    "gaps off by, p99": Bound(5.0, " ms"),
}
ROOT = Path(__file__).parents[1]


def followed(name: str, port: int, folder: Path) -> dict[str, Any]:
    """What one client used, in a process of its own on one core."""
    command = [sys.executable, "-m", "benchmarks._stream_clients", name, str(port), str(STREAMS), str(SECONDS)]
    core = max(os.sched_getaffinity(0))
    done = subprocess.run(
        [*command, str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),
    )
    if done.returncode:
        raise SystemExit(f"  MISSED: {name} ended with {done.returncode}: {done.stderr[-1000:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def compared(rounds: Sequence[Mapping[str, Mapping[str, float]]]) -> list[dict[str, float]]:
    """The figures of each round that nothing disturbed: a client that falls behind reads many tokens at once, cheaply.

    Args:
        rounds: what each client used, by its name.
    """
    most = max((found["tokens"] for each in rounds for found in each.values()), default=0)
    free = [each for each in rounds if all(found["tokens"] >= FREE * most for found in each.values())]
    figures = []
    for each in free:
        ours, http_user, raw = (each[name]["cpu_s"] / each[name]["tokens"] for name in NAMES)
        figures.append(dict(zip(BOUNDS, (ours / http_user, ours / raw, each["ours"]["p99_ms"]), strict=True)))
    return figures


def main() -> int:
    """Measure all three in turn; 1 when in every round ours is dearer than its share, or its gaps are too far off."""
    server = subprocess.Popen(
        [sys.executable, "-m", "benchmarks._stream_server"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        rounds = [{name: _measured(name, port) for name in NAMES} for _ in range(ROUNDS)]
    finally:
        server.terminate()
        server.wait()
    lines, code = told(compared(rounds), BOUNDS)
    print("\n".join([f"  {STREAMS} streams at 20 ms on one core, {ROUNDS} rounds:", *lines]), flush=True)
    return code


def _measured(name: str, port: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        found = followed(name, port, Path(folder))
    cost = found["cpu_s"] / found["tokens"] * 1e6
    print(
        f"  {name:10} {found['tokens']:7} tokens of {found['streams']:5} streams: {cost:6.1f} µs a token, "
        f"{found['tokens'] / (SECONDS + 1):6.0f} tokens/s, gaps off by p99 {found['p99_ms']:6.2f} ms",
        flush=True,
    )
    return found


if __name__ == "__main__":
    sys.exit(main())
