"""What one process knows of the run it takes part in: directory, options, endpoints, and a writer of its own."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from seatrial.clients.profile import ClientTable, named
from seatrial.given.options import Options
from seatrial.judging.waivers import Waivers, waivers_of
from seatrial.records import Endpoint, NotTested
from seatrial.run.directory import RunDir
from seatrial.run.writer import Writer
from seatrial.servers.locks import Claim
from seatrial.wire.transports.http import Client

Say = Callable[[str], None]
"""Takes one line of text for the operator."""


def unheard(_text: str) -> None:
    """Nobody listens."""


class Trial:
    """A process's part in a run. Threads may share it; the writer locks itself.

    Args:
        path: the run directory, there already.
        keeper: address of the keeper's socket; empty where there is none.
        role: whose part it is: the writer's name, one per process.
        say: takes a line that stays.
        progress: takes a line that the next one may replace.

    Raises:
        RunDirError: there is no run at the path, or nothing can be written there.
    """

    def __init__(
        self,
        options: Options,
        path: Path,
        *,
        keeper: str = "",
        role: str = "main",
        say: Say = unheard,
        progress: Say = unheard,
    ) -> None:
        self.options = options
        self.keeper = keeper
        self.worker = role != "main"
        self.rundir = RunDir.open(path)
        self.writer: Writer = self.rundir.writer(role)
        self.say, self.progress = say, progress

    @cached_property
    def waivers(self) -> Waivers:
        """The operator's waivers, as the run keeps them."""
        return waivers_of(self.rundir)

    @cached_property
    def clients(self) -> tuple[ClientTable, ...]:
        """The tables of the clients that the run was asked for."""
        return named(self.options.clients)

    @cached_property
    def planned(self) -> frozenset[str]:
        """The names of all cases that the run asks; complete before the first is judged."""
        return frozenset(line.case for line in self.rundir.planned() if not line.of_run)

    def endpoint(self, name: str) -> Endpoint:
        """The endpoint as its page in the run directory has it now: another process may have had it started again."""
        return self.rundir.endpoints()[name]

    def client(self, url: str, *, keep_alive: bool = False) -> Client:
        """Open a transport for one thread, with the operator's key, headers, certificates and deadline."""
        return self.options.access.client(url, deadline_s=self.options.timeout_s, keep_alive=keep_alive)

    def claim(self, what: str = "") -> Claim:
        """This run as one who wants an endpoint, and for what: told to others who wait for it."""
        return Claim(str(self.rundir.path), what, os.getppid() if self.worker else os.getpid(), self.say)

    def not_tested(self, what: str, why: str, endpoint: str = "", rule: str = "") -> None:
        """Write down what is not tested and why; without an endpoint, of the whole run.

        Args:
            rule: of what may be tested after all.
        """
        self.writer.write("judgements.jsonl", NotTested(what=what, why=why, endpoint=endpoint, rule=rule))
