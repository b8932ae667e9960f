"""A command of the operator's that is run at each stop, in a thread of its own: it never delays the watch.

It gets the facts in environment variables and the whole stop as JSON on its standard input. It is no shell's: its words
are taken as they are. It has a time, after which it and all that it started in its session is killed. It never gets the
API key: neither the variable that holds it nor any other in which it stands.
"""

from __future__ import annotations

import collections
import contextlib
import os
import queue
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping
from typing import IO

from seatrial.given.access import Access
from seatrial.text import flat, signal_name, visible
from seatrial.watching.lines import line_of
from seatrial.watching.telling import ToTell
from seatrial.wire.masking.mask import Mask

SECONDS = 30.0
"""How long it may take."""

PENDING = 64
"""Stops that wait for it: a crash loop has thousands of them."""

TAIL = 2000
"""Bytes of what it printed last."""

LONGEST = 4000
"""Characters of a fact."""


class Hook:
    """Runs the command for one stop after another.

    Args:
        words: of the command.
        access: whose key it must not get.
    """

    def __init__(self, words: tuple[str, ...], access: Access) -> None:
        self._words, self._access = words, access
        self._mask = access.mask
        self._stops: queue.Queue[ToTell | None] = queue.Queue(PENDING)
        self._troubles: collections.deque[str] = collections.deque(maxlen=PENDING)
        self._running: subprocess.Popen[bytes] | None = None
        self._over = False
        self._thread = threading.Thread(target=self._work, name="on-stop", daemon=True)
        self._thread.start()

    def stop(self, told: ToTell) -> None:
        """Have the command run for a stop; does not wait for it."""
        try:
            self._stops.put_nowait(told)
        except queue.Full:
            self._troubles.append("--on-stop: it is not run for every stop: more than 64 wait for it")

    def troubles(self) -> Iterator[str]:
        """What went wrong since the last call."""
        while self._troubles:
            yield self._troubles.popleft()

    def close(self, *, patience_s: float = SECONDS + 1) -> None:
        """Wait for the stops that were told, no longer than for one; then nothing of it is left."""
        with contextlib.suppress(queue.Full):
            self._stops.put_nowait(None)
        self._thread.join(patience_s)
        self._over = True
        _kill(self._running)

    def _work(self) -> None:
        while not self._over and (told := self._stops.get()) is not None:
            try:
                trouble = self._run(told)
            except (OSError, ValueError) as error:
                trouble = f"cannot be run: {getattr(error, 'strerror', None) or type(error).__name__}"
            if trouble:
                self._troubles.append(f"--on-stop: {visible(self._words[0], 60)} {trouble}")

    def _run(self, told: ToTell) -> str:
        """Run it for one stop; what went wrong."""
        content = self._mask.bytes(line_of("stop", told.stop, told.wall, back_at=told.back_at))
        self._running = child = subprocess.Popen(
            self._words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment(told, self._access, self._mask),
            start_new_session=True,
        )
        assert child.stdin is not None
        assert child.stdout is not None
        last: collections.deque[int] = collections.deque(maxlen=TAIL)
        for work in ((_feed, child.stdin, content), (_drain, child.stdout, last)):
            threading.Thread(target=work[0], args=work[1:], daemon=True).start()
        try:
            code = child.wait(SECONDS)
        except subprocess.TimeoutExpired:
            _kill(child)
            child.wait()
            return f"was killed: it took longer than {SECONDS:g} s"
        if code == 0:
            return ""
        said = self._mask.text(flat(bytes(last).decode("utf-8", "replace")))[-200:]
        how = f"ended with {code}" if code > 0 else f"was ended by {signal_name(-code)}"
        return f"{how}: {said}" if said else how


def environment(told: ToTell, access: Access, mask: Mask) -> dict[str, str]:
    """Ours without the key, and the facts of a stop."""
    key = access.key
    ours = {name: value for name, value in os.environ.items() if name != access.key_env and not (key and key in value)}
    return {**ours, **{name: mask.text(visible(text, LONGEST)) for name, text in facts(told).items()}}


def facts(told: ToTell) -> Mapping[str, str]:
    """The facts of a stop, a variable each; empty: not known."""
    stop = told.stop
    return {
        "SEATRIAL_ID": stop.id,
        "SEATRIAL_NAME": stop.name,
        "SEATRIAL_VERDICT": stop.family,
        "SEATRIAL_CAUSE": stop.cause,
        "SEATRIAL_PID": str(stop.pid or ""),
        "SEATRIAL_SIGNAL": "" if stop.signal is None else signal_name(stop.signal),
        "SEATRIAL_CODE": "" if stop.code is None else str(stop.code),
        "SEATRIAL_ALIVE_UTC": told.wall.label(stop.alive_at),
        "SEATRIAL_DEAD_UTC": told.wall.label(stop.dead_at),
        "SEATRIAL_TEXT": told.text,
    }


def _feed(pipe: IO[bytes], content: bytes) -> None:
    with contextlib.suppress(OSError), pipe:
        pipe.write(content)


def _drain(pipe: IO[bytes], last: collections.deque[int]) -> None:
    with contextlib.suppress(OSError, ValueError), pipe:
        while piece := os.read(pipe.fileno(), 65536):
            last.extend(piece)


def _kill(child: subprocess.Popen[bytes] | None) -> None:
    """It and what is left of its session."""
    if child is not None:
        with contextlib.suppress(OSError):
            os.killpg(child.pid, signal.SIGKILL)
