"""``python -m tests.nights``: three nights of the embedded server, in the third it is killed in the midst of its soak.

Then three of a golden server, the last two with one fault. The hook has to be called once in each job, and the history
and the first screen of the night have to name what broke. Prints what the nights printed. Exit 1: they did not.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.nights import Job, Shown, golden, struck

SUITES = ("suites/conformance/test_models.py", "suites/conformance/test_sse.py", "suites/soak")
FAULT, RULE = "role-in-every-chunk", "sse/role-is-sent-once"


def embedded(folder: Path) -> tuple[Shown, list[str]]:
    """Two calm nights, and one in which the server is killed."""
    job = Job(folder, 'name = "embedded"', SUITES, 'soak = "25s"')
    job.night()
    job.night()
    with struck(job, signal.SIGKILL):
        job.night()
    shown = job.tell()
    return shown, [
        *_wrong("a calm night is READY", shown.exits[:2] == [0, 0]),
        *_wrong("the night of the fault is NOT READY", shown.exits[2] == 1),
        *_wrong("the hook is called once, in the third night", shown.hooks == [0, 0, 1]),
        *_wrong("the history names the stop", "stopped: STOPPED" in shown.history),
        *_wrong("so does the first screen", "stopped: STOPPED" in shown.first_screen),
    ]


def faulty(folder: Path) -> tuple[Shown, list[str]]:
    """One calm night of a golden server, and two with a fault."""
    with golden() as url:
        job = Job(folder, f'name = "golden"\nurl = "{url}"', SUITES, 'soak = "5s"')
        job.night()
    port = int(url.rpartition(":")[2].partition("/")[0])
    with golden(FAULT, port=port):
        job.night()
        job.night()
    shown = job.tell()
    return shown, [
        *_wrong("one night is READY, two are not", shown.exits == [0, 1, 1]),
        *_wrong("the hook is called once, in the second night", shown.hooks == [0, 1, 1]),
        *_wrong("the history names the rule", f"broke {RULE}" in shown.history),
    ]


def unit(folder: Path) -> list[str]:
    """Whether systemd takes the units that the job prints; what is wrong where it does not, or is not there."""
    printed = subprocess.run(
        [sys.executable, "-m", "seatrial.cli", "nightly", str(folder / "job.toml"), "--print-unit"],
        capture_output=True, text=True, timeout=60, check=True,
    ).stdout  # fmt: skip
    service, _, rest = printed.partition("# /etc/systemd/system/seatrial-job.timer\n")
    timer = rest.partition("\n# or a line")[0]
    files = [folder / "seatrial-job.service", folder / "seatrial-job.timer"]
    for file, text in zip(files, (service, timer), strict=True):
        file.write_text(text)
    program = shutil.which("systemd-analyze")
    if program is None:
        return ["systemd-analyze is not here: the units were not verified"]
    words = [program, "verify", "--man=no", *map(str, files)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    _say(f"$ systemd-analyze verify seatrial-job.service seatrial-job.timer\nexit {done.returncode}\n{done.stderr}")
    return _wrong("systemd-analyze verify takes the units", done.returncode == 0)


def main() -> int:
    """All of it; 1 where something is not as it should be."""
    wrong: list[str] = []
    with tempfile.TemporaryDirectory(prefix="seatrial-nights-") as place:
        for name, act in (("embedded", embedded), ("golden", faulty)):
            folder = Path(place, name)
            folder.mkdir()
            shown, found = act(folder)
            wrong += found
            for text in _told(shown):
                _say(text)
        wrong += unit(folder)
    for text in wrong:
        _say(f"WRONG      {text}")
    _say("all as it should be" if not wrong else f"{len(wrong)} not as it should be")
    return 1 if wrong else 0


def _told(shown: Shown) -> Iterator[str]:
    yield from shown.said
    yield f"hook       calls after each night: {shown.hooks}; told as worse: {shown.worse}"
    yield f"$ seatrial history --config job.toml\n{shown.history}"
    lines = shown.first_screen.splitlines()
    first = next((n for n, line in enumerate(lines) if line.strip().startswith("since")), None)
    yield "first screen\n" + "\n".join(lines[first : first + 3] if first is not None else ["  names nothing"])


def _wrong(what: str, holds: bool) -> list[str]:
    return [] if holds else [f"not so: {what}"]


def _say(text: str) -> None:
    sys.stdout.write(text.rstrip("\n") + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
