"""A server, and a gateway of no known name in front of it, on trial under one watch."""

from __future__ import annotations

import random
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.processes import Gateway, Golden
from tests.trials.tried import Tried
from tests.trials.watch.watched import Watching, watching


class Doors:
    """The server, its gateway, and the watch of both: ``gw`` and ``direct``."""

    def __init__(self, server: Golden, gateway: Gateway, watch: Watching) -> None:
        self.server, self.gateway, self.watch = server, gateway, watch

    def kill(self) -> None:
        """End the server by SIGKILL once both have been seen well."""
        self.server.send(signal.SIGKILL)
        self.server.reap()


@contextmanager
def doors(tried: Tried, folder: Path, *arguments: str, dead: str, own: bool, behind: bool = True) -> Iterator[Doors]:
    """Both, watched.

    Args:
        dead: what the gateway says once the server takes no connection.
        own: the gateway answers /health itself.
        behind: the watch is told how they stand.
    """
    rng = random.Random()
    server = Golden(folder, rng)
    gateway = Gateway(folder, rng, server, f"--dead={dead}", *(["--own"] if own else []))
    told = ["--behind=gw=direct"] if behind else []
    named = [f"--endpoint={n}=http://127.0.0.1:{p.port}" for n, p in (("gw", gateway), ("direct", server))]
    try:
        with watching(tried, folder / "record", *named, *told, *arguments) as watch:
            yield Doors(server, gateway, watch)
    finally:
        gateway.close()
        server.close()
