"""A command of the operator's that is run at each stop, in a thread of its own: it never delays the watch.

It gets the facts in environment variables and the whole stop as JSON on its standard input. It is no shell's: its words
are taken as they are. It has a time, after which it and all that it started in its session is killed; what it
leaves behind in time is the operator's. It never gets the
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
import time
from collections.abc import Iterator, Mapping, Sequence
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

LAST_WORDS_S = 1.0
"""So long what it printed is still read after its end: who has its output after it may keep it open for ever."""

LONGEST = 4000
"""Characters of a fact."""


class OperatorCommand:
    """Runs a command once and again, one at a time, each for at most SECONDS; what is left of it then is killed.

    Args:
        words: of the command.
        mask: of what it must not show in what is told of it.
    """

    def __init__(self, words: tuple[str, ...], mask: Mask) -> None:
        self.words, self._mask = words, mask
        self._running: subprocess.Popen[bytes] | None = None
        self.over = False
        self._lock = threading.Lock()  # while it is held, a command that runs or has ended keeps its number

    def run(self, content: bytes, environment: Mapping[str, str]) -> str:
        """Run it with this input; what went wrong, empty where nothing did.

        Raises:
            OSError: it cannot be started.
        """
        child = subprocess.Popen(
            self.words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )
        with self._lock:
            self._running, over = child, self.over
        if over:
            self._kill(child)
        assert child.stdin is not None
        assert child.stdout is not None
        last = [b""]
        threading.Thread(target=_feed, args=(child.stdin, content), daemon=True).start()
        drain = threading.Thread(target=_drain, args=(child.stdout, last), daemon=True)
        drain.start()
        if self._wait(child):
            return f"was killed: it took longer than {SECONDS:g} s"
        code = child.returncode
        if code == 0:
            return ""
        drain.join(LAST_WORDS_S)
        said = self._mask.text(flat(last[0].decode("utf-8", "replace")))[-200:]
        how = f"ended with {code}" if code > 0 else f"was ended by {signal_name(-code)}"
        return f"{how}: {said}" if said else how

    def end(self) -> None:
        """Kill what runs of it; none runs any more."""
        with self._lock:
            self.over = True
            child = self._running
        self._kill(child)

    def _wait(self, child: subprocess.Popen[bytes]) -> bool:
        """Wait for its end, and reap it; whether it was killed for its time."""
        late = threading.Timer(SECONDS, self._kill, (child,))
        late.daemon = True
        late.start()
        began = time.monotonic()
        try:
            with contextlib.suppress(ChildProcessError):
                os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        finally:
            late.cancel()
        with self._lock:
            self._running = None
            code = child.wait()
        return code == -signal.SIGKILL and time.monotonic() - began >= SECONDS

    def _kill(self, child: subprocess.Popen[bytes] | None) -> None:
        """It and what is left of its session, while its number is its own."""
        with self._lock:
            if child is not None and self._running is child:
                with contextlib.suppress(OSError):
                    os.killpg(child.pid, signal.SIGKILL)


class Hook:
    """Runs the command for one stop after another.

    Args:
        words: of the command.
        access: whose key it must not get.
    """

    def __init__(self, words: tuple[str, ...], access: Access) -> None:
        self._access = access
        self._mask = access.mask
        self._command = OperatorCommand(words, self._mask)
        self._stops: queue.Queue[ToTell | None] = queue.Queue(PENDING)
        self._troubles: collections.deque[str] = collections.deque(maxlen=PENDING)
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
        """Wait for the stops that were told, no longer than for one; then it does not run any more."""
        with contextlib.suppress(queue.Full):
            self._stops.put_nowait(None)
        self._thread.join(patience_s)
        self._command.end()

    def _work(self) -> None:
        while not self._command.over and (told := self._stops.get()) is not None:
            try:
                trouble = self._run(told)
            except Exception as error:  # noqa: BLE001 - one stop's command is lost, and said; later ones get theirs
                trouble = f"cannot be run: {getattr(error, 'strerror', None) or type(error).__name__}"
            if trouble:
                self._troubles.append(f"--on-stop: {visible(self._command.words[0], 60)} {trouble}")

    def _run(self, told: ToTell) -> str:
        """Run it for one stop; what went wrong."""
        content = self._mask.bytes(line_of("stop", told.stop, told.wall, back_at=told.back_at))
        return self._command.run(content, environment(told, self._access, self._mask))


def environment(told: ToTell, access: Access, mask: Mask) -> dict[str, str]:
    """Ours without the key, and the facts of a stop."""
    return {**without_keys([access]), **{name: mask.text(visible(text, LONGEST)) for name, text in facts(told).items()}}


def without_keys(each: Sequence[Access]) -> dict[str, str]:
    """Our environment without the variables that hold these keys, and without others in which one stands."""
    names, keys = {access.key_env for access in each}, [access.key for access in each if access.key]
    return {k: text for k, text in os.environ.items() if k not in names and not any(key in text for key in keys)}


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


def _drain(pipe: IO[bytes], last: list[bytes]) -> None:
    with contextlib.suppress(OSError, ValueError), pipe:
        while piece := os.read(pipe.fileno(), 65536):
            last[0] = (last[0] + piece)[-TAIL:]
