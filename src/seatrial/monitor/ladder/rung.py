"""A rung of the ladder that is asked in a thread of its own: one question at a time, never two.

The recorder's loop calls :meth:`Rung.tick` each second; what is under way is written then, so that the record shows it
hanging. Nothing a server does reaches the loop.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Literal

import msgspec

from seatrial.monitor.ladder.questions import Questions
from seatrial.records import Ask, Event, Happening, Line

Write = Callable[[Line], None]
Say = Callable[[Event], None]

TOLD = 300
"""Characters of a trouble that are told."""

YOUNG_NS = 400_000_000
"""A question asked so short a time ago is not written as hanging."""


class Rung:
    """The frame: subclasses say when a question is due and ask it.

    Args:
        name: of the endpoint.
        rung: which one.
        questions: asks the endpoint, and knows the secrets that no line may show.
        write: takes each line, from both threads.
        say: takes each trouble, once.
    """

    def __init__(
        self, name: str, rung: Literal["scheduler", "canary"], questions: Questions, write: Write, say: Say
    ) -> None:
        self.name, self.rung, self.questions = name, rung, questions
        self._write, self._say = write, say
        self._lock = threading.Lock()  # no line of a question follows its last one, and none at all a close
        self._go = threading.Event()
        self._busy = self._over = False
        self._flight: Ask | None = None
        self._number = 0
        self._said: set[str] = set()
        self._skipped = ""
        self._thread = threading.Thread(target=self._work, name=f"{rung} {name}", daemon=True)
        self._thread.start()

    def tick(self, now: int, *, ask: bool) -> None:
        """Write what hangs; with ``ask``, let a question begin that is due. Does not wait for the server."""
        with self._lock:
            if self._flight is not None and now - self._flight.asked_at >= YOUNG_NS:
                self._put(self.shown(self._flight))
        if ask and not self._busy and self.due(now):
            self._busy = True
            self._go.set()

    def close(self) -> None:
        """Ask and write nothing more. A question under way ends unheard, at the latest with this process."""
        with self._lock:
            self._over = True
        self._go.set()

    def due(self, now: int) -> bool:
        """Whether a question may begin; called by the recorder's loop while none is under way."""
        raise NotImplementedError

    def step(self) -> None:
        """Ask; called in this rung's own thread."""
        raise NotImplementedError

    def shown(self, ask: Ask) -> Ask:
        """A question under way as it stands now."""
        return ask

    def begin(self) -> Ask:
        """A question leaves now."""
        self._number += 1
        self._skipped = ""
        number = f"{self.rung}-{self._number}"
        self._flight = Ask(name=self.name, rung=self.rung, id=number, asked_at=time.monotonic_ns())
        return self._flight

    def end(self, ask: Ask, **told: Any) -> None:
        """It is over: written now, and by nobody else afterwards."""
        with self._lock:
            self._flight = None
            self._put(msgspec.structs.replace(ask, **({"ended_at": time.monotonic_ns()} | told)))

    def write(self, line: Line) -> None:
        """Write a line that is not about a question."""
        with self._lock:
            self._put(line)

    def skip(self, why: str) -> None:
        """It is not asked, and why: written once, until another reason or a question comes."""
        if why == self._skipped:
            return
        self._number += 1
        now = time.monotonic_ns()
        number = f"{self.rung}-{self._number}"
        self.write(Ask(name=self.name, rung=self.rung, id=number, asked_at=now, ended_at=now, skipped=why))
        self._skipped = why

    def trouble(self, text: str) -> None:
        """Said once."""
        text = self.questions.mask.start(text, TOLD)
        with self._lock:
            if text not in self._said and not self._over:
                self._said.add(text)
                self._say(Event(what=Happening.TROUBLE, name=self.name, at=time.monotonic_ns(), text=text))

    def _put(self, line: Line) -> None:
        """The lock is held."""
        if not self._over:
            self._write(line)

    def _work(self) -> None:
        while True:
            self._go.wait()
            self._go.clear()
            if self._over:
                return
            try:
                self.step()
            except Exception as error:  # noqa: BLE001 - one rung lost is said; the others and the heartbeat go on
                self._flight = None
                self.trouble(f"the {self.rung} rung failed: {type(error).__name__}: {error}")
            self._busy = False
