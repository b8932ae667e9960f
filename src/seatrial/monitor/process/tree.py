"""The processes of one endpoint: the main one, and all below it. Each is an incarnation with an end of its own."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping

import msgspec

from seatrial.monitor.process import fingerprint, pidfd, proc
from seatrial.records import Event, Fact, Happening, Sample
from seatrial.wire.masking.mask import Mask

CHILDREN_EVERY, ALL_EVERY = 2, 4
"""Ticks between two looks for new children of the main process, and for all below it; both also when it is new."""
SEEK_NS = 3_000_000_000
"""For so long after an end a successor is looked for between ticks."""
LIVED_NS = 1_000_000_000
"""A child that lived less is no runner: its parent starts and ends such all the time."""
OTHERS = 16
"""Processes beside the main one of which a second writes samples. Of more these are the busiest, and others in turn."""
IN_TURN = 4
"""Of them so many are those whose last sample is the oldest, however little they do."""
YOUNG_NS = 1_000_000_000
"""A child that still looks like its parent may be about to become another program, on a busy machine for so long."""


class Member(msgspec.Struct):
    """A process with its pidfd. ``parent`` is None for the main one. ``ended_at``: its pidfd has turned readable."""

    process: proc.Process
    parent: int | None
    pidfd: int | None = None
    ended_at: int = 0
    why: str = ""  # why its end will not be seen at once
    told_at: int = 0  # its last sample, and what CPU time that told
    told_cpu: int = 0

    def close(self) -> None:
        self.process.close()


class Tree:
    """The processes of the endpoint ``name``.

    Args:
        mask: hides the endpoint's secrets in command lines.
        say: writes an event of this endpoint.
        follow: begins to poll a process that was found.
    """

    def __init__(
        self, name: str, mask: Mask, *, say: Callable[[Event], None], follow: Callable[[Member], None]
    ) -> None:
        self.name, self.generation = name, 0
        self.watched: dict[int, Member] = {}
        self.main: Member | None = None
        self.named = False  # the main process is the one that was named by its pid
        self.stopped: frozenset[int] = frozenset()  # by a signal, each at its last look
        self.shown: frozenset[int] = frozenset()  # whose samples the last look gave
        self.seek_until = 0
        self._mask, self._say, self._follow = mask, say, follow
        self._bereaved: set[int] = set()  # parents whose child has ended a moment ago
        self._said: set[str] = set()

    @property
    def main_stopped(self) -> bool:
        """Whether a signal has stopped the main process."""
        return self.main is not None and self.main.process.pid in self.stopped

    def adopt(
        self, pid: int, parent: int | None, now: int, *, more: Mapping[str, str] | None = None, aloud: bool = False
    ) -> bool:
        """Watch a process from now on; ``found`` is said of each incarnation once.

        Args:
            parent: None makes it the main process.
            more: facts of it that its folder of /proc does not hold.
            aloud: say why it cannot be watched; else somebody may ask again a moment later.

        Returns:
            Whether it is watched.
        """
        known = self.watched.get(pid)
        if known is not None and not known.ended_at:
            if parent is None and self.main is not known:
                self._promote(known, now, more or {})
            return True
        try:
            process = proc.Process(pid)
        except proc.Gone as gone:
            if aloud:
                self.trouble(str(gone))
            return False
        if Fact.ARGUMENTS in process.facts:
            process.facts[Fact.ARGUMENTS] = fingerprint.shown(process.arguments, self._mask)
        handle, why = pidfd.open_pidfd(pid)
        if not process.lives() or self._unfinished(process, parent):  # the pidfd may be a successor's
            process.close()
            if handle is not None:
                os.close(handle)
            return False
        watched = Member(process, parent, handle, why=why)
        self.watched[pid] = watched
        if why:
            self.trouble(f"the end of {pid} is seen within a second only: {why}")
        if parent is None:
            self._promote(watched, now, more or {})
        else:
            self._found(watched, now, more or {})
        self._follow(watched)
        return True

    def look_below(self, now: int, ticks: int = 0) -> None:
        """Take up processes below the main one that are new; those whose turn it is after so many ticks."""
        if self.main is None:
            return
        main = self.main.process.pid
        below: list[tuple[int, int]] = []
        if ticks % ALL_EVERY == 0:
            below = proc.descendants(main)
        elif ticks % CHILDREN_EVERY == 0:
            below = [(pid, main) for pid in proc.children(main)]
        for pid, parent in below:
            if pid not in self.watched:
                self.adopt(pid, parent, now)

    def seek(self, now: int) -> bool:
        """Between ticks: whether a parent has replaced its child, or there is none to wait for."""
        for parent in list(self._bereaved):
            known = {pid for pid, watched in self.watched.items() if not watched.ended_at}
            fresh = [self.adopt(pid, parent, now) for pid in proc.children(parent) if pid not in known]
            if any(fresh) or parent not in known:
                self._bereaved.discard(parent)
        return not self._bereaved

    def samples(self, *, closely: bool) -> Iterator[Sample]:
        """One sample of the main process and of ``OTHERS``; one that cannot be read any more is left to its end.

        What a process used since its last sample is in its next one, so that no CPU time is lost of those left out.

        Args:
            closely: a rung is broken: count the context switches of every process that rests, not of the main one
                alone.
        """
        looked = self._looked_at()
        self.shown = frozenset(watched.process.pid for watched in looked)
        stopped = {pid for pid in self.stopped - self.shown if pid in self.watched and not self.watched[pid].ended_at}
        now = time.monotonic_ns()
        for watched in looked:
            process = watched.process
            main = watched is self.main
            reading = None if watched.ended_at else process.look(closely=closely or main, held=main)
            if reading is None:
                continue
            watched.told_at, watched.told_cpu = now, reading.cpu_ns or 0
            if reading.state in ("T", "t"):
                stopped.add(process.pid)
            if process.unread:
                hidden, owner = ", ".join(sorted(process.unread)), process.facts.get(Fact.UID, "?")
                self.trouble(
                    f"of processes of user {owner} this user may not read: {hidden}; the watch goes on without"
                )
            yield Sample(
                name=self.name,
                pid=process.pid,
                incarnation=process.incarnation,
                parent=watched.parent,
                **msgspec.structs.asdict(reading),
            )
        self.stopped = frozenset(stopped)

    def _looked_at(self) -> list[Member]:
        """Those of which this second gives samples: all, or the main one, the busiest and whose turn it is."""
        every = [watched for watched in self.watched.values() if not watched.ended_at]
        others = [watched for watched in every if watched is not self.main]
        if len(others) <= OTHERS:
            return every
        busiest = OTHERS - IN_TURN
        self.trouble(
            f"it has more than {OTHERS} processes beside its main one: the {busiest} busiest are looked at each "
            f"second, and {IN_TURN} in turn"
        )
        fresh = [watched for watched in others if not watched.told_at]  # what it used before is no news later
        known = sorted((watched for watched in others if watched.told_at), key=lambda watched: watched.told_at)
        turn, rest = known[:IN_TURN], known[IN_TURN:]
        rest.sort(key=lambda watched: watched.told_cpu - watched.process.cpu_ns())
        main = [watched for watched in every if watched is self.main]
        return [*main, *fresh, *turn, *rest[:busiest]]

    def ended(self, watched: Member, now: int) -> None:
        """A process has ended: it is the main one no longer, and its parent may replace it."""
        if self.main is watched:
            self.main = None
            self.seek_until = now + SEEK_NS
        elif watched.parent is not None and watched.process.age_ns() >= LIVED_NS:
            self._bereaved.add(watched.parent)
            self.seek_until = now + SEEK_NS

    def drop(self, watched: Member) -> None:
        """Forget a process whose end has been written."""
        if self.watched.get(watched.process.pid) is watched:
            del self.watched[watched.process.pid]
        watched.close()

    def trouble(self, text: str) -> None:
        """Say once that something cannot be had."""
        if self.once(text):
            self._say(Event(what=Happening.TROUBLE, name=self.name, at=0, text=text))

    def once(self, text: str) -> str:
        """The text the first time, nothing after: what cannot be had is said once."""
        if not text or text in self._said:
            return ""
        self._said.add(text)
        return text

    def _unfinished(self, process: proc.Process, parent: int | None) -> bool:
        """Whether a child has been forked a moment ago and has not yet become the program it is meant to be."""
        above = self.watched.get(parent) if parent is not None else None
        if above is None or process.read_at_age_ns >= YOUNG_NS:
            return False
        if not process.arguments or not process.is_as_read():  # it became another while it was read
            return True
        return all(process.facts.get(what) == above.process.facts.get(what) for what in (Fact.EXE, Fact.ARGUMENTS))

    def _promote(self, watched: Member, now: int, more: Mapping[str, str]) -> None:
        """Make a process the main one; what was the main one before goes on as another process of this endpoint."""
        before = self.main
        watched.parent = None
        self.main, self.named = watched, False
        if before is not None:
            before.parent = watched.process.pid
        self._found(watched, now, more, Happening.FOUND if before is None else Happening.REPLACED)
        self.look_below(now)

    def _found(self, watched: Member, now: int, more: Mapping[str, str], what: Happening = Happening.FOUND) -> None:
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
                facts={**process.facts, **more},
            )
        )
