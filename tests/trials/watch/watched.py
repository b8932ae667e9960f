"""A watch on trial: ``seatrial watch`` as an operator runs it, what it has said so far, and how it ended."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.trials.tried import Said, Tried, Wrong, hold
from tests.waiting import until

DEADLINE_S = 60.0


class Watching:
    """A watch that runs. ``out`` grows while it does."""

    def __init__(self, process: subprocess.Popen[str], path: Path) -> None:
        self._process, self._path = process, path
        self.out = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def objects(self, key: str = "", value: str = "") -> list[dict[str, Any]]:
        """What it said with ``--json``; with a key those objects alone whose key has this value."""
        return [each for each in spoken(self.out) if not key or each.get(key) == value]

    def lines(self, kind: str, name: str, **like: Any) -> list[dict[str, Any]]:
        """The whole lines of one kind that its record holds of a target so far, whose fields have these values."""
        file = self._path / "watch" / ("events.jsonl" if kind == "event" else "samples.jsonl")
        try:
            raw = file.read_bytes().split(b"\n")[:-1]
        except OSError:
            return []
        found = [json.loads(line) for line in raw if f'"kind":"{kind}"'.encode() in line]
        wanted = {"name": name, **like}
        return [line for line in found if all(line.get(key) == value for key, value in wanted.items())]

    def seen_well(self, *names: str, canaries: int = 0) -> None:
        """Wait until each target's process is known and well for two looks, and its canaries were right so often."""

        def well(name: str) -> bool:
            right = {line["id"] for line in self.lines("ask", name) if line.get("outcome") == "ok"}
            heard = [line for line in self.lines("probe", name) if line.get("health") == 200 and line.get("owner")]
            return len(heard) > 1 and len({ask for ask in right if ask.startswith("canary")}) >= canaries

        until(lambda: all(map(well, names)), f"{', '.join(names)} seen well", DEADLINE_S)

    def until(self, held: Callable[[], object], must: str, seconds: float = DEADLINE_S) -> None:
        """Wait for what must be said.

        Raises:
            Wrong: it is not so after ``seconds``, or the watch ended before.
        """
        try:
            until(lambda: held() or self._process.poll() is not None, must, seconds)
        except AssertionError:
            raise Wrong(f"{must} within {seconds:g} s; what was said: {self.out[-3000:]}") from None
        hold(held(), must, self.out[-3000:])

    @property
    def runs(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    def end(self) -> Said:
        """End it as Ctrl-C does: its exit code, and all that it said."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        return self.ended()

    def ended(self, seconds: float = DEADLINE_S) -> Said:
        """What it said, where it ends by itself."""
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise Wrong(f"the watch ends within {seconds:g} s; what was said: {self.out[-3000:]}") from None
        self._reader.join(DEADLINE_S)
        return Said(code, self.out, self._path)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.out += line


def spoken(out: str) -> list[dict[str, Any]]:
    """The objects of what was said with ``--json``."""
    return [json.loads(line) for line in out.splitlines() if line.startswith("{") and line.endswith("}")]


@contextmanager
def watching(tried: Tried, path: Path, *arguments: str) -> Iterator[Watching]:
    """``seatrial watch ARGUMENTS --record=PATH``, which ends with the block."""
    with tried.start("-m", "seatrial.cli", "watch", *arguments, f"--record={path}") as process:
        try:
            yield Watching(process, path)
        finally:
            if process.poll() is None:
                process.kill()
