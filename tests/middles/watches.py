"""Two watches of the same pair at the same time: of the middle alone, and of both with ``--behind``."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seatrial.records import Ask, Clock, Event, Probe
from seatrial.run.directory import RunDir
from seatrial.run.writer import RunDirError
from tests.faults.processes import until
from tests.trials.tried import Said, tried
from tests.trials.watch.watched import Watching, watching

MIDDLE, DIRECT = "middle", "direct"
ALONE, BEHIND = "alone", "--behind"
SHORT = ("--canary=2s", "--frozen=2s", "--wedged=8s", "--wedged-silent=5s", "--wedged-unseen=20s", "--busy=30s")
"""What strikes are watched with. What must stay quiet is watched with the shipped limits."""
READY_S = 60.0


@dataclass(frozen=True)
class Pair:
    """Two watches that run, each by its view."""

    watches: dict[str, Watching]
    paths: dict[str, Path]

    def ready(self, *, asked: bool) -> None:
        """Wait until each target of each watch is found, is well, and, with ``asked``, has answered a canary."""
        what = "is found and answers a canary" if asked else "is found and well"
        for view, path in self.paths.items():
            for name in _targets(view):
                until(lambda p=path, n=name: _seen(p, n, asked=asked), f"{view}: {name} {what}", READY_S)

    def stops(self, view: str) -> list[dict[str, Any]]:
        """The stops that a watch has told so far."""
        return self.watches[view].objects("kind", "stop")

    def lasting(self) -> bool:
        """Whether a stop is told as lasting still."""
        for watch in self.watches.values():
            told = [each for each in watch.objects() if each["kind"] in ("stop", "over")]
            if {each["id"] for each in told} - {each["id"] for each in told if each["until"] is not None}:
                return True
        return False

    def beats(self, count: int) -> None:
        """Let each watch go on for so many heartbeats."""
        since = time.monotonic_ns()
        for view, path in self.paths.items():
            until(lambda p=path: _beats(p, since) >= count, f"{view}: {count} heartbeats", READY_S + 2 * count)

    def end(self) -> dict[str, Said]:
        """End both as Ctrl-C does."""
        return {view: watch.end() for view, watch in self.watches.items()}

    def ended(self, seconds: float) -> dict[str, Said]:
        """Wait until both have ended by themselves."""
        until(lambda: not any(watch.runs for watch in self.watches.values()), "both watches end", seconds)
        return {view: watch.end() for view, watch in self.watches.items()}


@contextmanager
def pair(folder: Path, middle: int, direct: int, *options: str) -> Iterator[Pair]:
    """``seatrial watch`` of the port of a middle, alone, and with the port of what stands behind it."""
    watches, paths = {}, {}
    with contextlib.ExitStack() as undo:
        for view in (ALONE, BEHIND):
            paths[view] = folder / view.strip("-")
            asked = [f"--endpoint={MIDDLE}=http://127.0.0.1:{middle}"]
            if view == BEHIND:
                asked += [f"--endpoint={DIRECT}=http://127.0.0.1:{direct}", f"--behind={MIDDLE}={DIRECT}"]
            watches[view] = undo.enter_context(watching(tried(), paths[view], "--json", *asked, *options))
        yield Pair(watches, paths)


def _targets(view: str) -> tuple[str, ...]:
    return (MIDDLE,) if view == ALONE else (MIDDLE, DIRECT)


def _seen(path: Path, name: str, *, asked: bool) -> bool:
    try:
        lines = [x for x in RunDir.open(path).in_time() if isinstance(x, Event | Ask | Probe) and x.name == name]
    except (OSError, RunDirError):  # it has not begun
        return False
    found = any(isinstance(x, Event) and x.what == "found" for x in lines)
    if not asked:
        return found and any(isinstance(x, Probe) and x.health == 200 for x in lines)
    return found and any(isinstance(x, Ask) and x.rung == "canary" and x.outcome == "ok" for x in lines)


def _beats(path: Path, since: int) -> int:
    lines = RunDir.open(path).lines("watch/samples.jsonl")
    return len({x.t // 1_000_000_000 for x in lines if isinstance(x, Clock) and x.t > since})
