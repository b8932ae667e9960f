"""Each ending: how it comes about, and what has to be true afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from seatrial.checks.areas.soak import lives
from seatrial.records import Stage
from tests.endings.stage import Soaked, Under, soak
from tests.waiting import until

DONE = {"streams-terminate": "PASS", "requests-are-answered": "PASS"}
OPEN = {"streams-terminate": "INCONCLUSIVE", "requests-are-answered": "INCONCLUSIVE"}
"""Nothing went wrong, and not all of it was shown."""


@dataclass(frozen=True)
class Ending:
    """One ending.

    Attributes:
        act: brings it about.
        ran: what its figures say ended it; empty: nothing did.
        word: of the endpoint.
        families: of its stops.
        outcomes: of some of its rules.
        says: what stands in the output.
        options: of the command line.
        lives: of the server that have answered.
        finished: each request has a row.
        open_s: seconds of the phase in which it comes. A stop is told some seconds after it, and a soak that ends a
            moment before its time is whole.
    """

    act: Callable[[Under], None]
    code: int
    ran: str
    word: str
    families: tuple[str, ...] = ()
    outcomes: tuple[tuple[str, str], ...] = ()
    says: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    embedded: bool = False
    lives: int = 1
    finished: bool = True
    open_s: int = 30

    def wrong(self, found: Soaked) -> list[str]:
        """What is not as it should be."""
        verdict = found.judged.verdict
        word = str(verdict.endpoints[found.name].verdict)
        families = tuple(stop.family for stop in verdict.stops)
        checks = {
            f"exit {found.code}, not {self.code}": found.code == self.code,
            f"verdict {word}, not {self.word}": word == self.word,
            f"stops {families}, not {self.families}": families == self.families,
            f"it ran {found.ran!r}, not ended by {self.ran!r}": _ended(found.ran, self.ran),
            f"left behind: {found.left}": not found.left,
            f"the record is damaged: {found.judged.run.damage.told()}": not found.judged.run.damage.told(),
            f"{_lives(found)} lives of the server answered, not {self.lives}": _lives(found) == self.lives,
            "a request was recorded and has neither row nor end": self.finished or bool(found.run.rows),
            f"no verdict.json is {self.code != -9}": (found.path / "verdict.json").exists() == (self.code != -9),
        }
        checks |= {f"{rule} is {found.words.get(rule)}": found.words.get(rule) == word for rule, word in self.outcomes}
        checks |= {f"it does not say {text!r}": text in found.out for text in self.says}
        if self.finished:
            checks[f"{len(found.run.unfinished)} requests have no row"] = not found.run.unfinished
        if (found.path / "verdict.json").exists():
            live = (found.path / "verdict.json").read_bytes()
            again = {name: str(outcome) for name, outcome in verdict.outcomes.items()}
            checks["judged again it is another"] = all(f'"{name}": "{o}"'.encode() in live for name, o in again.items())
        return [text for text, holds in checks.items() if not holds]


def _lives(found: Soaked) -> int:
    """How many lives answered, as far as anything tells; of a server of ours the rows bear their generations, too."""
    by_record = {number for row in found.run.rows if (number := lives.answering(found.run, row))}
    by_row = {row.generation for row in found.run.rows if row.outcome == "ok"}
    return max(1, len(by_record), len(by_row))


def _ended(ran: str, why: str) -> bool:
    return why in ran if why else "(" not in ran


def _nothing(under: Under) -> None:
    """It ends by its time."""


def _signal(number: int) -> Callable[[Under], None]:
    return lambda under: os.kill(under.pytest.pid, number)


def _twice(under: Under) -> None:
    os.kill(under.load, signal.SIGSTOP)  # it would drain before the second one comes
    os.kill(under.pytest.pid, signal.SIGINT)
    until(lambda: under.says(Stage.ASKED), "the first one is heard", 20)
    os.kill(under.load, signal.SIGCONT)
    os.kill(under.pytest.pid, signal.SIGINT)


def _kill(who: str) -> Callable[[Under], None]:
    return lambda under: os.kill(getattr(under, who), signal.SIGKILL)


def _kill_pytest(under: Under) -> None:
    under.pytest.kill()


def _drained_outside(under: Under) -> None:
    os.kill(under.load, signal.SIGTERM)


def _fill(under: Under) -> None:
    """The disk is full: nothing more can be written beside what is held back."""
    with (under.path.parent / "filler").open("wb", buffering=0) as file:
        while True:
            try:
                file.write(b"x" * 65536)
            except OSError:
                return


KILLED = "STOPPED"
ABORT, CONTINUE = ("--after-stop=abort",), ("--after-stop=continue",)
_OPEN = tuple(OPEN.items())
_STOPPED = "the server stopped, STOPPED by signal 9"

ENDINGS: dict[str, Ending] = {
    "normal": Ending(_nothing, 0, "", "READY", outcomes=tuple(DONE.items()), open_s=6),
    "ctrl-c": Ending(
        _signal(signal.SIGINT), 10, "Ctrl-C", "NOT PROVEN", outcomes=_OPEN,
        says=("(Ctrl-C again: cut them)", "draining "),
    ),
    "ctrl-c-twice": Ending(_twice, 2, "Ctrl-C", "NOT PROVEN", outcomes=_OPEN),
    "sigterm": Ending(_signal(signal.SIGTERM), 10, "SIGTERM", "NOT PROVEN", outcomes=_OPEN),
    "load-drained": Ending(_drained_outside, 10, "told to end (SIGTERM)", "NOT PROVEN", outcomes=_OPEN),
    "load-killed": Ending(
        _kill("load"), 10, "the load generator was killed by SIGKILL", "NOT PROVEN", outcomes=_OPEN, finished=False
    ),
    "pytest-killed": Ending(
        _kill_pytest, -9, "the run that it is part of was gone", "NOT PROVEN", outcomes=_OPEN
    ),
    "embedded-pytest-killed": Ending(
        _kill_pytest, -9, "the run that it is part of was gone", "NOT PROVEN", outcomes=_OPEN, embedded=True,
        open_s=60,
    ),
    "recorder-killed": Ending(
        _kill("recorder"), 10, "", "NOT PROVEN", ("UNOBSERVED",), says=("the recorder ended, status -9",), open_s=6
    ),
    "disk-full": Ending(
        _fill, 10, "the record could not be written on: No space left on device", "NOT PROVEN", outcomes=_OPEN
    ),
    "server-killed": Ending(_kill("server"), 1, "", "NOT READY", (KILLED,), options=CONTINUE, open_s=6),
    "server-killed-abort": Ending(_kill("server"), 1, _STOPPED, "NOT READY", (KILLED,), options=ABORT, open_s=60),
    "embedded-killed": Ending(
        _kill("server"), 1, "", "NOT READY", (KILLED,), options=CONTINUE, embedded=True, open_s=60, lives=2,
        says=("started again, and the soak goes on",),
    ),
    "embedded-killed-abort": Ending(
        _kill("server"), 1, _STOPPED, "NOT READY", (KILLED,), options=ABORT, embedded=True, open_s=60
    ),
}  # fmt: skip


def tried(name: str, folder: Path) -> tuple[Soaked, list[str]]:
    """Act out an ending in a folder, and what is not as it should be.

    The disk of ``disk-full`` is one of the folder's own, which takes the rights to mount it.
    """
    each = ENDINGS[name]
    if name != "disk-full":
        found = soak(folder / "run", each.act, *each.options, embedded=each.embedded, open_s=each.open_s)
        return found, each.wrong(found)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(folder)], check=True)
    try:
        found = soak(folder / "run", each.act, *each.options)
        return found, each.wrong(found)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
