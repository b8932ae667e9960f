"""One endpoint under observation: its LISTEN socket, the processes behind it, and what /health says.

The processes are the owner of the LISTEN socket (the main process) and everything below it. A pid that was named is
the main process, whether it listens or not; an endpoint without a port is that process alone.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from seatrial.kinds.kind import HEALTH
from seatrial.monitor.ladder.price import Price
from seatrial.monitor.ladder.prober import Prober
from seatrial.monitor.process import kin, proc
from seatrial.monitor.process.owners import Finder
from seatrial.monitor.process.tree import Member, Tree
from seatrial.monitor.sources.opening import opened
from seatrial.monitor.sources.source import Place, Source
from seatrial.records import Event, Fact, Happening, Probe
from seatrial.records.targets import Watch
from seatrial.wire.masking.headers import secret_values
from seatrial.wire.masking.mask import Mask
from seatrial.wire.sockdiag import Listener

SILENT = 2
"""Questions to /health in a row without an answer in time that make its rung broken."""


class Target:
    """What the keeper asked to watch under one name.

    Args:
        port: 0: none; then ``prober`` is None.
        finder: names the owners of sockets.
        say: writes an event of this endpoint.
        follow: begins to poll a process that was found.

    Attributes:
        held: what this second's look found, until /health has answered.
        sources: what else tells of the server: its log, where one is named.
    """

    def __init__(
        self,
        name: str,
        port: int,
        prober: Prober | None,
        finder: Finder,
        *,
        mask: Mask,
        say: Callable[[Event], None],
        follow: Callable[[Target, Member], None],
    ) -> None:
        self.name, self.port, self.prober = name, port, prober
        self.tree = Tree(name, mask, say=say, follow=lambda watched: follow(self, watched))
        self.held: Probe | None = None
        self.sources: tuple[Source, ...] = ()
        self._finder = finder
        self._sockets: list[Listener] = []  # that a connection to this endpoint may end in, the most exact one first
        self._kin: tuple[tuple[int, ...], tuple[int, ...]] = ((), ())  # owners as last looked up, and strangers of them
        self._owned = False  # the main process has held the socket
        self._ticks = 0
        self._listened = False
        self._silent = 0
        self._stopped: frozenset[int] = frozenset()

    @property
    def main(self) -> Member | None:
        """The main process, while it lives."""
        return self.tree.main

    def process(self) -> proc.Process | None:
        """The main process, for other threads to look at."""
        main = self.tree.main
        return main.process if main is not None else None

    @property
    def stopped(self) -> bool:
        """By a signal: /health is not asked then, for each question would fill its accept queue."""
        return self.tree.main_stopped

    def name_pid(self, pid: int, now: int) -> None:
        """The keeper or the operator says which process it is."""
        more: dict[str, str] | None = (
            {Fact.JOB: "yes"} if self.prober is None else None
        )  # its own end may be what it was started for
        if self.tree.adopt(pid, None, now, more=more, aloud=True):
            self.tree.named, self._owned = True, False

    def look(self, listeners: list[Listener] | None, now: int) -> Probe:
        """This second's evidence about the socket; finds a new owner and new children on the way."""
        self._ticks += 1
        self.tree.look_below(now, self._ticks)
        if self.prober is None:
            return self._without("a process without a port: it has no socket to ask")
        if self.prober.local is None:
            return self._without("not known whether this host is ours: its name is not resolved")
        if not self.prober.local:
            return self._without("process and socket unobservable: not on this host")
        if listeners is None:
            return self._without("sockets unobservable: sock_diag is refused")
        self._sockets = self._serving(listeners)
        if not self._sockets:
            return Probe(name=self.name, listens=False)
        self._finder.forget_count(self.port)
        self._find_owner(now)
        return Probe(name=self.name, listens=True, inode=self._sockets[0].inode, queue=self._sockets[0].queue)

    def complete(self, now: int, oom_host: int | None) -> Probe | None:
        """This second's look, with what /health and the finder have said by now; None: it has been written already."""
        if self.held is None:
            return None
        told = self._owners(self.held, now)
        answer = None if self.prober is None else self.prober.take()
        if answer is not None:
            told |= {"health": answer.status, "health_ns": answer.took_ns, "error": answer.error}
        elif self.prober is not None:
            told["error"] = "not asked: the process is stopped" if self.stopped else "deadline"
        if self.prober is not None and self.prober.page != HEALTH:
            told["page"] = self.prober.page
        told["oom_host"] = oom_host if self.prober is None or self.prober.local else None
        told["oom_cgroup"] = self.main.process.oom_kills() if self.main is not None else None
        probe, self.held = msgspec.structs.replace(self.held, **told), None
        return probe

    def seek(self, listeners: list[Listener] | None, now: int) -> None:
        """Between ticks, after an end: whether somebody listens again, whether a parent has replaced its child."""
        found = self.tree.seek(now)
        if self.main is None and self.prober is not None and self.prober.local and listeners is not None:
            self._sockets = self._serving(listeners)
            self._find_owner(now)
            found = found and self.main is not None
        elif self.main is None and self.prober is None:
            found = True
        if found:
            self.tree.seek_until = 0

    def owner_told(self, now: int) -> None:
        """The finder has found something: perhaps an owner of ours."""
        if self._sockets:
            self._find_owner(now)

    def ended(self, watched: Member, now: int) -> None:
        """A process has ended: what it held, another may hold now."""
        self._finder.forget(watched.process.pid)
        self.tree.ended(watched, now)

    def broke(self, probe: Probe) -> bool:
        """Whether a rung broke with this second's look: no LISTEN socket any more, or /health silent again.

        Called once for each Probe, when it is complete.
        """
        deaf = self._listened and probe.listens is False
        self._listened = self._listened if probe.listens is None else probe.listens
        self._silent = self._silent + 1 if probe.error == "deadline" else 0
        return deaf or self._silent == SILENT

    def stopped_anew(self) -> bool:
        """Whether a signal has stopped a process since the last call."""
        fresh = self.tree.stopped - self._stopped
        self._stopped = self.tree.stopped
        return bool(fresh)

    @property
    def troubled(self) -> bool:
        """Whether a rung is broken now."""
        return self._silent > 0 or bool(self.tree.stopped)

    def close(self) -> None:
        if self.prober is not None:
            self.prober.close()
        for source in self.sources:
            source.close()

    def _without(self, why: str) -> Probe:
        """A look that cannot see the socket; why is said once."""
        return Probe(name=self.name, why=self.tree.once(why))

    def _serving(self, listeners: list[Listener]) -> list[Listener]:
        assert self.prober is not None
        found = [x for x in listeners if x.port == self.port and x.serves(self.prober.addresses)]
        return sorted(found, key=lambda x: (x.address.is_unspecified, x.inode))

    def _owner(self, socket: Listener, now: int) -> Any:
        return self._finder.owner(socket.inode, self.tree.watched, now)

    def _find_owner(self, now: int) -> None:
        """Take the process behind the socket for the main one, unless another was named and lives."""
        found = self._owner(self._sockets[0], now) if self._sockets else None
        if found is None or found.pid is None:
            return
        main = self.main
        if main is not None and main.process.pid == found.pid:
            self._owned = True
            return
        if main is not None and self.tree.named and self._stays(main, found.pid, now):
            return
        address = self._sockets[0].address
        where = f"[{address}]:{self.port}" if address.version == 6 else f"{address}:{self.port}"
        more: dict[str, str] = {Fact.SOCKET: str(self._sockets[0].inode), Fact.ADDRESS: where}
        if self.tree.adopt(found.pid, None, now, more=more):
            self._owned = True
        else:
            self._finder.forget(found.pid)

    def _stays(self, main: Member, owner: int, now: int) -> bool:
        """Whether the process that was named stays the main one though another holds the socket."""
        pid = main.process.pid
        above = proc.ancestors(owner)
        if pid in above:
            self.tree.adopt(owner, above[0], now)
            return True
        if self._owned:
            return False
        if owner not in proc.ancestors(pid):
            self.tree.trouble(f"port {self.port} belongs to {_called(owner)}, not to process {pid} that was named")
        return True

    def _owners(self, probe: Probe, now: int) -> dict[str, Any]:
        """Fields of a Probe: who holds its socket, as far as it is known by now."""
        if probe.listens is False and self.main is not None:
            return {"established": self._finder.established(self.port)}
        if not probe.listens or not self._sockets:
            return {}
        found = [self._owner(x, now) for x in self._sockets]
        first = found[0]
        told: dict[str, Any] = {}
        if first is not None:
            told = {"owner": first.pid, "why": self.tree.once(first.why)}
        if len(found) > 1:
            told["owners"] = tuple(x.pid for x in found if x is not None and x.pid is not None)
            told["strangers"] = None
            if all(x is not None for x in found):
                self._say_shared(told["owners"])
                told["strangers"] = self._strangers(told.get("owner"), now)
        return told

    def _strangers(self, first: int | None, now: int) -> tuple[int, ...]:
        """Owners of another server: of sockets in which a connection may end too, the most exact ones of either IP.

        Who belongs to whom is looked up when other processes own them than before; of one that cannot be named it is
        not known.
        """
        if first is None:
            return ()
        assert self.prober is not None
        families = {x.version for x in self.prober.addresses} & {x.address.version for x in self._sockets}
        exact = {x.address.version for x in self._sockets if not x.address.is_unspecified}
        asked = [x for x in self._sockets if not families or x.address.version in families]
        meant = [x for x in asked if not x.address.is_unspecified or x.address.version not in exact]
        found = [self._owner(x, now) for x in meant]
        pids = (first, *sorted(x.pid for x in found if x is not None and x.pid is not None))
        if pids != self._kin[0]:
            self._kin = (pids, kin.strangers(first, pids[1:]))
        return self._kin[1]

    def _say_shared(self, pids: tuple[int, ...]) -> None:
        addresses = ", ".join(sorted({str(x.address) for x in self._sockets}))
        who = ", ".join(_called(pid) for pid in sorted(set(pids))) or "processes that cannot be named"
        if self.tree.once(f"shared {sorted({_called(pid).partition(' ')[2] for pid in pids})}"):
            self.tree.trouble(f"{len(self._sockets)} sockets share port {self.port} ({addresses}): {who}")


def open_target(
    command: Watch,
    finder: Finder,
    wake: int,
    *,
    say: Callable[[Event], None],
    follow: Callable[[Target, Member], None],
) -> Target:
    """The target that a command of the keeper speaks of.

    Raises:
        ValueError: its base is no http or https URL.
    """
    mask = Mask(command.key).also(secret_values(command.headers))

    def found(text: str) -> None:
        say(Event(what=Happening.PRICE, name=command.name, at=0, text=text))

    price = Price(command.name, command.behind, learns=command.engine, say=found)
    prober = Prober(command.host, command.base, wake, price) if command.base else None
    target = Target(command.name, command.port, prober, finder, mask=mask, say=say, follow=follow)
    target.sources = opened(Place(command, mask, wake))
    return target


def _called(pid: int) -> str:
    """A pid with the name of its program."""
    try:
        return f"{pid} ({Path(f'/proc/{pid}/comm').read_text(errors='replace').strip()})"
    except OSError:
        return f"{pid} (its program cannot be read)"
