"""The server under a load, followed through the record of the watch as it grows: what is to be done once it stops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

import msgspec

from seatrial.given.errors import ServerError
from seatrial.given.soak import AfterStop
from seatrial.records import Endpoint, Stop
from seatrial.run.directory import RunDir
from seatrial.run.follow import Follower
from seatrial.servers.keeper import START_S
from seatrial.servers.keeping import ask
from seatrial.stops import fold
from seatrial.stops.fold import Limits
from seatrial.verdict.reasons import stop_title

RESTART_S = START_S + 15.0
"""Longer than the keeper needs to end one life and to find out that the next does not start."""


def _unheard(_text: str) -> None:
    """Nobody listens."""


class Fallen:
    """Looks for stops of one endpoint. To be closed; or left as a ``with`` block.

    Args:
        run: where the watch is recorded.
        endpoint: who is loaded.
        after_stop: what is to be done.
        keeper: address of who can start the embedded server again.
        say: takes a line for the operator.
    """

    def __init__(
        self,
        run: RunDir,
        endpoint: Endpoint,
        after_stop: AfterStop,
        *,
        keeper: str = "",
        say: Callable[[str], None] = _unheard,
    ) -> None:
        self._run, self._name, self._embedded = run, endpoint.name, endpoint.embedded
        self._after_stop, self._keeper, self._say = after_stop, keeper, say
        self._follower = Follower(run.path / "watch")
        self._state = fold.start(Limits.of(run.info.options))
        self._told: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._follower.close()

    def abort(self) -> str:
        """Why the load is to end now; empty where it goes on: nothing stopped, or ``--after-stop=continue``.

        The embedded server is started again where the load goes on.
        """
        for stop in self._new():
            title = stop_title(stop)
            if self._after_stop is AfterStop.ABORT:
                return f"the server stopped, {title}, and --after-stop=abort"
            if self._embedded and stop.family == "STOPPED":
                self._say(f"{self._name} {title}: {self._again()}")
        return ""

    def _new(self) -> list[Stop]:
        """The silent stops that have come to be known since the last look."""
        found = []
        for line in self._follower.read():
            self._state, given = fold.step(self._state, line)
            found += [s for s in given if s.name == self._name and s.silent and not s.planned]
        fresh = [stop for stop in found if stop.id not in self._told]
        self._told.update(stop.id for stop in fresh)
        return fresh

    def _again(self) -> str:
        """Have the keeper start the embedded server again; what came of it."""
        page = self._run.endpoints()[self._name]
        try:
            order = {"restart": self._name, "generation": page.generation}
            answer = ask(self._keeper, order, timeout_s=RESTART_S)
        except ServerError as error:
            return f"it could not be started again: {error}"
        fresh = msgspec.structs.replace(page, url=answer["url"], pid=answer["pid"], generation=answer["generation"])
        self._run.write_endpoint(fresh)
        return "started again, and the soak goes on (--after-stop=continue)"
