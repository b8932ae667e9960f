"""Who is told what a watch finds: a program (one JSON object a line), a log (one line a stop), or a terminal.

Trouble of our own goes to standard error, each text once, in one line.
"""

from __future__ import annotations

import contextlib
import select
import sys
import time
from typing import NamedTuple, Protocol

from rich.console import Console
from rich.live import Live

from seatrial.records import SECOND, Stop
from seatrial.report.words.plain import Wall, duration
from seatrial.report.words.stops import headline
from seatrial.text import visible
from seatrial.verdict.watched import weight
from seatrial.watching.lines import Kind, line_of
from seatrial.watching.screen import draw
from seatrial.watching.view import View

KINDS: dict[str, Kind] = {"stop": "stop", "unobserved": "unobserved", "notice": "notice"}


class ToTell(NamedTuple):
    """A stop, and what is needed to tell of it."""

    stop: Stop
    wall: Wall
    now: int  # the time of the record, monotonic ns
    back_at: int | None = None  # when its successor was found

    @property
    def text(self) -> str:
        """The stop in one line."""
        return f"{self.stop.name}  {headline(self.stop, self.wall, self.now)}"


class Telling(Protocol):
    """What the session says, as it comes up. :class:`BrokenPipeError` from any: nobody listens any more."""

    def begin(self, lines: list[str], /) -> None:
        """One line per target, before the first look."""

    def stop(self, told: ToTell, /) -> None:
        """A stop, a gap of our own, or a stepped clock; once each."""

    def over(self, told: ToTell, /) -> None:
        """One said before as lasting is over."""

    def trouble(self, text: str, /) -> None:
        """Something cannot be had."""

    def look(self, view: View, wall: Wall, /) -> None:
        """Called every second."""

    def end(self, text: str, /) -> None:
        """The last line."""


class _Erring:
    """Trouble on standard error, once each."""

    def __init__(self) -> None:
        self._said: set[str] = set()

    def trouble(self, text: str, /) -> None:
        line = visible(" ".join(text.split()), 300)
        if line not in self._said:
            self._said.add(line)
            self._write(f"seatrial watch: {line}\n")

    def _write(self, line: str) -> None:
        with contextlib.suppress(OSError, AttributeError):  # closed, or never open: nobody to be told
            sys.stderr.write(line)
            sys.stderr.flush()


class AsJson(_Erring):
    """One object a line on standard output, flushed at once, and nothing else there."""

    def begin(self, _lines: list[str], /) -> None:
        """A program asked for stops alone."""

    def stop(self, told: ToTell, /) -> None:
        if (kind := KINDS.get(weight(told.stop))) is not None:
            _out(line_of(kind, told.stop, told.wall, back_at=told.back_at))

    def over(self, told: ToTell, /) -> None:
        _out(line_of("over", told.stop, told.wall, back_at=told.back_at))

    def look(self, _view: View, _wall: Wall, /) -> None:
        if _deserted():
            raise BrokenPipeError

    def end(self, _text: str, /) -> None:
        """The exit status says it."""


class AsLines(_Erring):
    """For a log, a timer or a unit: silent but for what happens."""

    def begin(self, lines: list[str], /) -> None:
        for line in lines:
            _out(f"watching {visible(line)}\n".encode())

    def stop(self, told: ToTell, /) -> None:
        note = " (as it should, or planned)" if weight(told.stop) == "planned" else ""
        _out(f"{told.text}{note}\n".encode())

    def over(self, told: ToTell, /) -> None:
        _out(f"{told.text}\n".encode())

    def look(self, _view: View, _wall: Wall, /) -> None:
        if _deserted():
            raise BrokenPipeError

    def end(self, text: str, /) -> None:
        _out(f"{text}\n".encode())


class OnScreen(_Erring):
    """A terminal: the screen, rewritten each second.

    Args:
        judged_by: the command that judges the record, where it is kept.
    """

    def __init__(self, console: Console, judged_by: str = "") -> None:
        super().__init__()
        self._live = Live(console=console, auto_refresh=False, redirect_stdout=False, vertical_overflow="crop")
        self._judged_by = judged_by

    def begin(self, _lines: list[str], /) -> None:
        self._live.start()

    def stop(self, _told: ToTell, /) -> None:
        """The screen shows it with the next look."""

    def over(self, _told: ToTell, /) -> None:
        """As a stop."""

    def look(self, view: View, wall: Wall, /) -> None:
        self._live.update(draw(view, wall, judged_by=self._judged_by), refresh=True)

    def end(self, text: str, /) -> None:
        self._live.stop()
        _out(f"{text}\n".encode())

    def _write(self, line: str) -> None:
        self._live.console.print(line.rstrip("\n"), markup=False, highlight=False)


def teller(*, json: bool, command: bool, judged_by: str = "") -> Telling:
    """The right one: a screen only on a terminal that no command of ours writes to."""
    if json:
        return AsJson()
    console = Console(highlight=False, soft_wrap=False)
    return OnScreen(console, judged_by) if console.is_terminal and not command else AsLines()


def summary(since: int, stops: list[Stop], never: list[str], code: int, note: str = "") -> str:
    """The last line: how long, what was found, what was never seen, what of the engines, and the exit status."""
    length = duration((time.monotonic_ns() - since) / SECOND)
    found = [stop for stop in stops if weight(stop) == "stop"]
    gaps = [stop for stop in stops if weight(stop) == "unobserved"]
    said = ", ".join(f"{stop.name} {stop.family}{_times(stop)}" for stop in found) or "no stop"
    unseen = f"; unobserved for {duration(sum(g.dead_at - g.alive_at for g in gaps) / SECOND)} in all" if gaps else ""
    absent = f"; never seen: {', '.join(never)}" if never else ""
    noted = f"; {note}" if note else ""
    return f"watched for {length}: {said}{unseen}{absent}{noted}; exit {code}"


def _times(stop: Stop) -> str:
    """`` 12 times, never ready``, of a crash loop."""
    return f" {stop.restarts} times{'' if stop.until else ', never ready'}" if stop.restarts > 1 else ""


def _out(content: bytes) -> None:
    if sys.stdout is not None:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()


def _deserted() -> bool:
    """Whether nobody reads the pipe that standard output is: it is seldom written to, and would not be noticed."""
    try:
        poll = select.poll()
        poll.register(sys.stdout.fileno(), 0)
        return any(events & select.POLLERR for _, events in poll.poll(0))
    except (OSError, ValueError, AttributeError):
        return False
