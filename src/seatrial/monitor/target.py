"""One endpoint under observation: its LISTEN socket, the processes behind it, and what /health says.

The processes are the owner of the LISTEN socket (the main process) and everything below it. A pid named by the keeper
is taken as the main process before it listens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from seatrial.monitor import pidfd, proc, sockets
from seatrial.monitor.prober import Prober
from seatrial.records import Event, Probe, Sample

CHILDREN_EVERY = 5
"""Ticks between two looks for new processes below the main one; they are also looked for when a socket is new."""


class Watched(msgspec.Struct):
    """A process with its pidfd. ``parent`` is None for the main one. ``ended_at``: its pidfd has turned readable."""

    process: proc.Process
    parent: int | None
    pidfd: int | None = None
    ended_at: int = 0
    why: str = ""  # why its end will not be seen at once

    def close(self) -> None:
        self.process.close()


class Target:
    """What the keeper asked to watch under one name.

    Args:
        say: writes an event of this endpoint.
        follow: begins to poll a process that was found.
    """

    def __init__(
        self,
        name: str,
        port: int,
        prober: Prober,
        *,
        say: Callable[[Event], None],
        follow: Callable[[Target, Watched], None],
    ) -> None:
        self.name, self.port, self.prober = name, port, prober
        self.generation = 0
        self.watched: dict[int, Watched] = {}
        self.main: Watched | None = None
        self.stopped = False  # by a signal: /health is not asked then, for each question would fill its accept queue
        self.held: Probe | None = None  # what this second's look found, until /health has answered
        self._say, self._follow = say, follow
        self._inode: int | None = None
        self._owner: int | None = None
        self._ticks = 0
        self._said: set[str] = set()

    def named(self, pid: int, now: int) -> None:
        """The keeper says which process it is."""
        self.adopt(pid, None, now)

    def look(self, listeners: list[sockets.Listener] | None, now: int) -> Probe:
        """This second's evidence about the socket; finds a new owner and new children on the way."""
        self._ticks += 1
        if self.prober.local is None:
            return Probe(
                name=self.name, why=self._once("not known whether this host is ours: its name is not resolved")
            )
        if not self.prober.local:
            return Probe(name=self.name, why=self._once("process and socket unobservable: not on this host"))
        if listeners is None:
            return Probe(name=self.name, why=self._once("sockets unobservable: sock_diag is refused"))
        mine = self._mine(listeners)
        if mine is None:
            self._inode = self._owner = None
            return Probe(name=self.name, listens=False)
        why = self._find_owner(mine, now)
        if self._ticks % CHILDREN_EVERY == 1:
            self.look_below(now)
        return Probe(
            name=self.name, listens=True, inode=mine.inode, queue=mine.queue, owner=self._owner, why=self._once(why)
        )

    def look_for_successor(self, listeners: list[sockets.Listener], now: int) -> bool:
        """Between ticks, after the main process has ended: whether somebody listens again."""
        mine = self._mine(listeners)
        if mine is not None:
            self._find_owner(mine, now)
        return self.main is not None

    def look_below(self, now: int) -> None:
        """Take up processes below the main one that are new."""
        if self.main is not None:
            for pid, parent in proc.descendants(self.main.process.pid):
                if pid not in self.watched:
                    self.adopt(pid, parent, now)

    def samples(self) -> Iterable[Sample]:
        """One sample of each process; one that cannot be read any more is left to its end."""
        for watched in self.watched.values():
            reading = None if watched.ended_at else watched.process.look()
            if watched is self.main:
                self.stopped = reading is not None and reading.state in ("T", "t")
            if reading is not None:
                for text in watched.process.trouble.values():
                    self._trouble(text)
                yield Sample(
                    name=self.name,
                    pid=watched.process.pid,
                    incarnation=watched.process.incarnation,
                    parent=watched.parent,
                    **msgspec.structs.asdict(reading),
                )

    def adopt(self, pid: int, parent: int | None, now: int) -> None:
        """Watch a process from now on; ``found`` is said of each incarnation once."""
        known = self.watched.get(pid)
        if known is not None and not known.ended_at:
            if parent is None and self.main is not known:
                self._promote(known, now)
            return
        try:
            process = proc.Process(pid)
        except proc.Gone:
            return
        handle, why = pidfd.open_pidfd(pid)
        if not process.lives():  # the pidfd may be a successor's
            process.close()
            return
        watched = Watched(process, parent, handle, why=why)
        self.watched[pid] = watched
        if why:
            self._trouble(f"the end of {pid} is seen within a second only: {why}")
        if parent is None:
            self._promote(watched, now)
        else:
            self._found(watched, now)
        self._follow(self, watched)

    def drop(self, watched: Watched) -> None:
        """Forget a process whose end has been written."""
        if self.watched.get(watched.process.pid) is watched:
            del self.watched[watched.process.pid]
        watched.close()

    def ended(self, watched: Watched) -> None:
        """A process has ended: it is the main one no longer."""
        if self.main is watched:
            self.main = None
            self._owner = None

    def _promote(self, watched: Watched, now: int) -> None:
        """Make a process the main one; what was the main one before goes on as another process of this endpoint."""
        before = self.main
        watched.parent = None
        self.main = watched
        if before is not None:
            before.parent = watched.process.pid
        self._found(watched, now, "found" if before is None else "replaced")
        self.look_below(now)

    def _found(self, watched: Watched, now: int, what: str = "found") -> None:
        process = watched.process
        self._say(
            Event(
                what=what,
                name=self.name,
                at=now,
                pid=process.pid,
                incarnation=process.incarnation,
                started_ticks=process.started_ticks,
                parent=watched.parent or 0,
                generation=self.generation,
                facts=process.facts,
            )
        )

    def _mine(self, listeners: list[sockets.Listener]) -> sockets.Listener | None:
        """The socket a connection to this endpoint ends in: the most exact one."""
        found = [x for x in listeners if x.port == self.port and x.serves(self.prober.addresses)]
        return min(found, key=lambda x: (x.address.is_unspecified, x.inode)) if found else None

    def _find_owner(self, mine: sockets.Listener, now: int) -> str:
        """Name the process behind the socket when the socket is new or its process has ended; why not, if not."""
        if mine.inode == self._inode and (self._owner is not None or self._ticks % 30):
            return ""
        self._inode = mine.inode
        self._owner, why = sockets.owner_of(mine.inode, [*self.watched])
        if self._owner is not None:
            self.adopt(self._owner, None, now)
        return why

    def _trouble(self, text: str) -> None:
        if self._once(text):
            self._say(Event(what="trouble", name=self.name, at=0, text=text))

    def _once(self, text: str) -> str:
        """The text the first time, nothing after: what cannot be had is said once."""
        if not text or text in self._said:
            return ""
        self._said.add(text)
        return text
