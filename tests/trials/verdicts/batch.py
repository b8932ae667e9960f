"""``python batch.py WARM JOBS ANSWERS``: many command lines of the tree on trial, each in a fork of one that is warm.

WARM is a whole run, judged first. JOBS is a JSON list of command lines of ``seatrial``. ANSWERS gets a JSON list of
exit code, output of both streams, and whether the command had to be ended. A command has a deadline and bounded memory;
two run at a time.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import select
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

DEADLINE_S = 40.0
MEMORY = 3 << 30
BYTES = 1 << 20
"""Of an output that are kept."""


class Job(NamedTuple):
    """A command that runs: its number, its process, when it is late (of CLOCK_MONOTONIC, s), where its output goes."""

    number: int
    pid: int
    late_at: float
    out: Path


def main() -> int:
    jobs = json.loads(Path(sys.argv[2]).read_text())
    warm(sys.argv[1])
    answers: dict[int, tuple[int, str, bool]] = {}
    running: dict[int, Job] = {}  # by pidfd
    due = list(enumerate(jobs))[::-1]
    with tempfile.TemporaryDirectory() as folder:
        while due or running:
            while due and len(running) < 2:
                number, job = due.pop()
                out = Path(folder) / str(number)
                pid = begin(job, out)
                running[os.pidfd_open(pid)] = Job(number, pid, time.monotonic() + DEADLINE_S, out)
            for handle in over(running):
                each = running.pop(handle)
                os.close(handle)
                _, status = os.waitpid(each.pid, 0)
                with each.out.open("rb") as file:
                    said = file.read(BYTES).decode("utf-8", "surrogateescape")
                each.out.unlink()
                late = time.monotonic() > each.late_at
                answers[each.number] = (os.waitstatus_to_exitcode(status), said, late)
    Path(sys.argv[3]).write_text(json.dumps([answers[number] for number in range(len(jobs))]))
    return 0


def over(running: dict[int, Job]) -> list[int]:
    """Wait until one of the commands ends, and hand out those that have; one that is late is ended."""
    waiting = select.poll()
    for handle in running:
        waiting.register(handle, select.POLLIN)
    first = min(running, key=lambda handle: running[handle].late_at)
    left = max(running[first].late_at - time.monotonic(), 0)
    ended = [handle for handle, _ in waiting.poll(left * 1000)]
    if not ended:
        signal.pidfd_send_signal(first, signal.SIGKILL)
        ended = [handle for handle, _ in waiting.poll()]
    return ended


def warm(run: str) -> None:
    """Load and make once what a judge needs."""
    from seatrial.cli.app import run_command
    from seatrial.report.allure import html, node

    def none() -> None:
        raise node.NodeError("no page is built in these trials")

    html.find_node = none
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
        run_command(["judge", run])


def begin(job: list[str], out: Path) -> int:
    pid = os.fork()
    if pid:
        return pid
    from seatrial.cli.app import main as command

    handle = os.open(out, os.O_WRONLY | os.O_CREAT, 0o600)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    sys.argv = ["seatrial", *job]
    try:
        command()
    except SystemExit as wanted:
        code = wanted.code if isinstance(wanted.code, int) else 1
    except BaseException:  # noqa: BLE001 - told as the interpreter tells it
        sys.excepthook(*sys.exc_info())
        code = 1
    else:
        code = 0
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    sys.exit(main())
