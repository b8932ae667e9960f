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
import signal
import sys
import tempfile
import time
from pathlib import Path

DEADLINE_S = 40.0
MEMORY = 3 << 30
BYTES = 1 << 20
"""Of an output that are kept."""


def main() -> int:
    jobs = json.loads(Path(sys.argv[2]).read_text())
    warm(sys.argv[1])
    answers: dict[int, tuple[int, str, bool]] = {}
    running: dict[int, tuple[int, float, Path]] = {}
    due = list(enumerate(jobs))[::-1]
    with tempfile.TemporaryDirectory() as folder:
        while due or running:
            while due and len(running) < 2:
                number, job = due.pop()
                out = Path(folder) / str(number)
                running[begin(job, out)] = (number, time.monotonic(), out)
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                end_late(running)
                time.sleep(0.005)
                continue
            number, began, out = running.pop(pid)
            late = time.monotonic() - began > DEADLINE_S
            with out.open("rb") as file:
                said = file.read(BYTES).decode("utf-8", "surrogateescape")
            out.unlink()
            answers[number] = (os.waitstatus_to_exitcode(status), said, late)
    Path(sys.argv[3]).write_text(json.dumps([answers[number] for number in range(len(jobs))]))
    return 0


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


def end_late(running: dict[int, tuple[int, float, Path]]) -> None:
    for pid, (_, began, _) in running.items():
        if time.monotonic() - began > DEADLINE_S:
            os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
