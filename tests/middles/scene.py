"""A deed acted out on a middle and what stands behind it, while both are watched."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from random import Random

from tests.faults.processes import TrialError, free_port, until
from tests.faults.real import ways
from tests.middles import client, watches
from tests.middles.account import Account, Struck, account
from tests.middles.backends import Backend, Child, Server
from tests.middles.middles import MIDDLES, Middle, Router
from tests.middles.programs import NotTried, Programs

TOLD_S = 80.0
"""So long a strike may stay untold: a series of failed canaries is told within a minute."""
BACK_S = 20.0
SETTLE = 4
"""Heartbeats after the last deed, for what might be said too much."""
RUNNING = 5
"""Events of a stream before its server is struck."""
ANSWERED = 4
"""So many streams of a load must have been answered: a pair that stood idle was not loaded."""
MORE = 30
"""And as many after it, of one that runs on."""


class Deed(StrEnum):
    """What is done to a pair."""

    IDLE = "idle"
    LOADED = "loaded"
    BACKEND_STOPPED = "backend stopped"
    BACKEND_RESTARTED = "backend restarted"
    BACKEND_KILLED = "backend killed"
    MIDDLE_RELOADED = "middle reloaded"
    MIDDLE_KILLED = "middle killed"


ALIAS = "gemma"
QUIET = (Deed.IDLE, Deed.LOADED)


@dataclass(frozen=True)
class Stage:
    """A middle and its backend, which are started anew where a deed has ended them."""

    middle: Middle
    backend: Backend
    folder: Path

    def well(self) -> None:
        """Wait until a chat is answered through the middle; what has ended is started anew."""
        if not self.middle.alive:
            self.middle.start(self.backend.port)
        if isinstance(self.backend, Child):
            self.backend.again()
        answered = "the middle answers a chat"
        until(lambda: client.chat(self.middle.port, self.middle.model) == "200", answered, watches.READY_S)


@contextmanager
def stage(name: str, programs: Programs, folder: Path, rng: Random, way: str = "") -> Iterator[Stage]:
    """A middle of that name in front of a backend; both end with the block.

    Raises:
        NotTried: a program cannot be had.
    """
    kind = MIDDLES[name]
    folder.mkdir(parents=True)
    with contextlib.ExitStack() as undo:
        if issubclass(kind, Router):
            programs.llama_server()  # without it a model is of no use
            models = folder / "models"
            models.mkdir()
            (models / f"{ALIAS}.gguf").symlink_to(_model())
            router = kind(programs, folder, free_port(rng), ALIAS)
            undo.callback(router.close)
            router.start(0)
            yield Stage(router, Child(router), folder)
        else:
            server = Server(folder, free_port(rng), _way(way))
            undo.callback(server.close)
            middle = kind(programs, folder, free_port(rng), server.model)
            undo.callback(middle.close)
            middle.start(server.port)
            yield Stage(middle, server, folder)


def act(on: Stage, deed: Deed, seconds: float) -> list[Account]:
    """Act it out; an account of each of both watches."""
    on.well()
    folder = on.folder / deed.replace(" ", "-")
    folder.mkdir()
    return _quiet(on, deed, folder, seconds) if deed in QUIET else _struck(on, deed, folder)


def _quiet(on: Stage, deed: Deed, folder: Path, seconds: float) -> list[Account]:
    """Nothing is done to the pair, beside the load.

    Raises:
        TrialError: too little of the load was answered.
    """
    load = None
    ports = on.middle.port, on.backend.port
    with contextlib.ExitStack() as undo, watches.pair(folder, *ports, f"--for={seconds:g}s") as pair:
        if deed is Deed.LOADED:
            load = client.Load(on.middle.port, on.middle.model)
            undo.callback(load.close)
        said = pair.ended(seconds + watches.READY_S)
    if load is not None and load.answered < ANSWERED:
        raise TrialError(f"{load.answered} streams of the load were answered, not {ANSWERED}: {load.ends[-5:]}")
    return [account(deed, view, each) for view, each in said.items()]


def _struck(on: Stage, deed: Deed, folder: Path) -> list[Account]:
    """One of the two is struck while a stream runs.

    Raises:
        TrialError: none ran.
    """
    middle, backend = on.middle, on.backend
    with watches.pair(folder, middle.port, backend.port, *watches.SHORT) as pair:
        pair.ready(asked=deed.startswith("backend"))  # a canary tells of what stands behind
        stream = client.Stream(middle.port, middle.model)
        until(lambda: stream.events >= RUNNING or stream.end, "a stream runs")
        if stream.end:
            raise TrialError(f"the stream ended before the strike: {stream.end}")
        pid, since = middle.pid, time.monotonic_ns()
        _strike(on, deed)
        until_ns = time.monotonic_ns()
        sees = {"stream": _outcome(stream), **client.seen(middle.port, middle.model)}
        stream.close()
        with contextlib.suppress(TrialError):  # then it is missed, and the account says so
            untold = _must_tell(on, deed)
            until(lambda: all(pair.stops(view) for view in untold), "each watch tells it", TOLD_S)
        died_by = 0 if deed.startswith("middle") or _lives(middle, pid) else time.monotonic_ns()
        _mend(on, deed)
        with contextlib.suppress(TrialError):  # what never ends is told in the account
            until(lambda: not pair.lasting(), "every stop is over", BACK_S)
        pair.beats(SETTLE)
        said = pair.end()
    struck = Struck(since, until_ns, sees, died_by=died_by, middle_lives_on=middle.reloads, child=middle.bears_backend)
    return [account(deed, view, each, struck) for view, each in said.items()]


def _outcome(stream: client.Stream) -> str:
    """How it ended, or that it runs on: a word that is still on its way does not say so yet."""
    before = stream.events
    with contextlib.suppress(TrialError):
        until(lambda: stream.end or stream.events >= before + MORE, "the stream ends", client.PATIENCE_S + 1)
    return stream.end or "runs on"


def _strike(on: Stage, deed: Deed) -> None:
    middle, backend = on.middle, on.backend
    ways: dict[Deed, Callable[[], None]] = {
        Deed.BACKEND_STOPPED: backend.stop,
        Deed.BACKEND_RESTARTED: backend.restart,
        Deed.BACKEND_KILLED: backend.kill,
        Deed.MIDDLE_RELOADED: lambda: middle.reload(backend.port),
        Deed.MIDDLE_KILLED: middle.kill,
    }
    ways[deed]()


def _must_tell(on: Stage, deed: Deed) -> tuple[str, ...]:
    """The views that must tell it."""
    if deed is Deed.MIDDLE_RELOADED and on.middle.reloads:
        return ()
    return (watches.BEHIND,) if deed is Deed.BACKEND_RESTARTED else (watches.ALONE, watches.BEHIND)


def _mend(on: Stage, deed: Deed) -> None:
    if deed is Deed.BACKEND_STOPPED:
        on.backend.go_on()
    elif deed is Deed.BACKEND_KILLED and not isinstance(on.backend, Child):
        on.backend.again()
    if not on.middle.alive:
        on.middle.start(on.backend.port)


def _lives(middle: Middle, pid: int) -> bool:
    return middle.alive and middle.pid == pid


def _way(name: str) -> Callable[[int], list[str]]:
    found = ways()
    for each in (name,) if name else ("llama-server", "embedded"):
        if each in found:
            return found[each]
    raise NotTried("there is no server to stand behind it: neither llama-server on PATH nor the extra 'embedded'")


def _model() -> str:
    from seatrial.given.errors import EmbeddedMissing
    from seatrial.servers import embedded

    try:
        return str(embedded.model_file())
    except (EmbeddedMissing, OSError, ValueError) as error:
        raise NotTried(f"there is no model: {error}") from error
