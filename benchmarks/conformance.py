"""The conformance suite against the embedded server: four workers, beside one process in the same run."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
WORKERS = 4
LIMIT_S = 360.0
"""What a person waits for the four workers, from the command to its exit: server's start, every case, the report."""


def run(run_dir: Path, *options: str) -> tuple[float, int, str]:
    """(seconds from start to exit, exit code, last lines of output) of one run of the suite."""
    command = [sys.executable, "-m", "pytest", "suites/conformance", f"--run-dir={run_dir}", *options]
    began = time.monotonic()
    done = subprocess.run(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=4 * LIMIT_S, check=False
    )
    return time.monotonic() - began, done.returncode, "\n".join(done.stdout.splitlines()[-20:])


def main() -> int:
    """Time both; 1 when a run does not find the server ready, or four workers take more than their figure."""
    missed = False
    seconds = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, options in (("one process", ()), (f"{WORKERS} workers", ("-n", str(WORKERS)))):
            seconds[name], code, said = run(Path(folder) / name.replace(" ", "-"), *options)
            print(
                f"  {name:12} {seconds[name]:6.1f} s, exit {code}   {said.rpartition(chr(10))[2].strip('= ')}",
                flush=True,
            )
            if code != 0:
                print(f"MISSED: {name}: exit {code}, a run that proves nothing has no figure\n{said}")
                missed = True
    alone, together = seconds.values()
    kept = together < LIMIT_S
    print(f"  {WORKERS} workers: {alone / together:.2f} times the speed of one process; at most {LIMIT_S:.0f} s asked: "
          f"{'ok' if kept else 'MISSED'}")  # fmt: skip
    return int(missed or not kept)


if __name__ == "__main__":
    sys.exit(main())
