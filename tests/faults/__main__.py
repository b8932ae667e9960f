"""``python -m tests.faults``: the fault matrix, whole or in part.

Exit 0: every fault was found in every run, no cause was wrong, nothing alarmed without a fault, and no removed source
of evidence changed a cause. Exit 1 says what is missing. Exit 4: wrong usage.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from pathlib import Path

from tests.faults import real, simulated, table
from tests.faults.runner import ROWS, Job, run_pools
from tests.faults.verdict import Account

REAL_AT_ONCE = 2
"""Most of a trial is waiting; more would starve each other of processors."""


def options(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--rows", default="", help="rows, by their ids with commas between (default: all)")
    parser.add_argument("--times", type=int, default=20, help="trials of each row on golden processes (default 20)")
    parser.add_argument("--real", type=int, default=3, help="trials of each row on each real server (default 3)")
    parser.add_argument("--at-once", type=int, default=6, help="golden trials at a time (default 6)")
    parser.add_argument("--seed", type=int, default=9)
    parser.add_argument("--simulated", type=int, default=200, help="trials of each row on the simulated clock")
    parser.add_argument("--llama-server", help="the program (default: on PATH)")
    parser.add_argument("--dasllama", help="the program dasllama-server (default: on PATH)")
    parser.add_argument("--keep", type=Path, help="keep the run directories below this folder")
    parser.add_argument("--write", type=Path, help="write the table, as Markdown, to this file")
    found = parser.parse_args(arguments)
    found.rows = [name for name in found.rows.split(",") if name]
    if unknown := [name for name in found.rows if name not in ROWS]:
        parser.exit(4, f"ERROR: no row is called {unknown[0]}; the rows are {', '.join(ROWS)}\n")
    return found


class Progress:
    """A line that rewrites itself on a terminal, and elsewhere comes each minute; what goes wrong is said at once."""

    def __init__(self, of: int) -> None:
        self._of, self._done, self._began, self._minutes = of, 0, time.monotonic(), 0

    def tell(self, account: Account) -> None:
        self._done += 1
        changed = [f"without {k}: {v}" for k, v in account.ablated.items() if v.startswith("WRONG")]
        again = account.again and f"set up again: {account.again}"
        if text := "; ".join(
            x for x in (*account.missed, *account.wrong, *account.alarms, account.trouble, again, *changed) if x
        ):
            print(f"\r{account.row} seed {account.seed}: {text}", flush=True)
        seconds = time.monotonic() - self._began
        line = f"{self._done} of {self._of} trials, {seconds:.0f} s"
        if sys.stderr.isatty():
            print(f"\r{line} ", end="", file=sys.stderr, flush=True)
        elif seconds >= 60 * (self._minutes + 1):
            self._minutes = int(seconds / 60)
            print(line, file=sys.stderr, flush=True)


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    asked = options(arguments)
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell's background job inherits an ignored SIGINT
        signal.signal(number, signal.default_int_handler)
    began = time.monotonic()
    rows = [ROWS[name] for name in asked.rows or ROWS]
    with tempfile.TemporaryDirectory(prefix="faults-", ignore_cleanup_errors=True) as scratch:
        root = asked.keep or Path(scratch)
        jobs = [(row, asked.seed + n, None) for n in range(asked.times) for row in rows if not row.only]
        found_real = real.servers(asked.llama_server, asked.dasllama) if asked.real else {}
        real_jobs = {
            name: [(row, asked.seed + n, make) for n in range(asked.real) for row in rows
                   if row.real or name in row.only]
            for name, make in found_real.items()
        }  # fmt: skip
        golden, servers = _run(jobs, asked.at_once, real_jobs, root, keep=asked.keep is not None)
    on_clock = simulated.run(asked.simulated, asked.seed) if asked.simulated and not asked.rows else []
    found = table.Matrix(rows, golden, servers, on_clock, asked, time.monotonic() - began)
    print(found.text())
    if asked.write:
        asked.write.write_text(found.markdown(), encoding="utf-8")
    return 0 if found.holds else 1


def _run(
    jobs: list[Job], at_once: int, real_jobs: dict[str, list[Job]], root: Path, *, keep: bool
) -> tuple[list[Account], dict[str, list[Account]]]:
    """Golden trials several at a time; beside them the real servers, one server after another."""
    found: dict[str, list[Account]] = {name: [] for name in real_jobs}
    golden: list[Account] = []
    lists = {make: found[name] for name, each in real_jobs.items() for _, _, make in each}
    queued = [job for each in real_jobs.values() for job in each]
    progress = Progress(len(jobs) + len(queued))
    for (_, _, make), account in run_pools([(jobs, at_once), (queued, REAL_AT_ONCE)], root, keep=keep):
        (lists[make] if make else golden).append(account)
        progress.tell(account)
    return golden, found


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("\nended; nothing is left running", file=sys.stderr)
        sys.exit(130)
