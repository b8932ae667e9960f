"""Which life of the server a load is sent to: who starts it again in the middle says so on its page."""

from __future__ import annotations

from collections.abc import Callable

from seatrial.records import Endpoint
from seatrial.run.directory import RunDir


def followed(rundir: RunDir, endpoint: Endpoint) -> Callable[[], int]:
    """The generation that an endpoint's page tells now; its page is read again only where it was written again."""
    page = rundir.path / "endpoints" / f"{endpoint.name}.json"
    known, written = endpoint.generation, 0

    def generation() -> int:
        nonlocal known, written
        try:
            at = page.stat().st_mtime_ns
        except OSError:
            return known
        if at != written:
            written = at
            told = rundir.endpoints().get(endpoint.name)
            known = known if told is None else told.generation
        return known

    return generation
