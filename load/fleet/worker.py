"""A worker of a load: it asks to take part, sends its part of each phase at its time, and tells what came of it."""

from __future__ import annotations

import os
import re
import socket
import time
from collections.abc import Callable
from typing import Any, Protocol

import gevent
import msgspec
from gevent.event import AsyncResult, Event
from gevent.queue import Queue

from load.fleet.clocks import ClockOffset
from load.fleet.messages import (
    VERSION_TOLD,
    Ack,
    AskTime,
    Batch,
    Channel,
    Done,
    Failing,
    GivenUp,
    Halt,
    Hello,
    Mustered,
    PhaseTold,
    SendPhase,
    TellTime,
    Welcome,
)
from seatrial.given.words import LONGEST_S
from seatrial.records import SECOND
from seatrial.statistics.knee import Tried
from seatrial.text import visible

AGAIN_S = 0.5
"""Between two greetings."""

WELCOME_S = 60.0
FIRST_ASKS, ASK_S = 8, 1.0
"""So many times in a row the master's time is asked for at first, and then so often."""

FOREVER_S = 1e6
MOST = 1000
"""Workers of a load."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:\-]{0,99}")

SILENT_S = 10.0
"""A master of which nothing is heard for so long has gone, and so does its worker: before the master gives it up, as it
does after ``load.fleet.master.LOST_S``. What was sent after that would be a load that nobody counts."""

SILENT = f"nothing was heard of its master for {SILENT_S:.0f} s"
GIVEN_UP = "its master had given it up"
DESERTED = "its master has ended"


class NotWantedError(Exception):
    """The master does not want this worker, or does not answer; the message says why in one line."""


class Sailor(Protocol):
    """Who sends what a command says: see :class:`load.worker.WorkerSession`."""

    def send(self, command: SendPhase, begin: float, until: float) -> Tried | None:
        """Send it, from one of our times to another; of a step of a sweep, what came of it."""

    def users(self) -> int:
        """How many there are now."""

    def answered(self) -> int:
        """How many requests of the command were answered well so far."""

    def quiet(self, seconds: float) -> bool:
        """Wait until nothing is under way."""

    def finish(self, *, cut: bool) -> Done:
        """End, and say what came of it all."""

    def broken(self, error: BaseException | None) -> None:
        """What a command asks for cannot be done."""


class FleetWorker:
    """This process's part in a load.

    Args:
        here: it was started by the master, and writes into the run directory itself.

    Attributes:
        generation: which life of the server is there, as the master last told.
    """

    def __init__(self, channel: Channel, *, here: bool) -> None:
        self._channel, self._here = channel, here
        self._welcome: AsyncResult = AsyncResult()
        self._commands: Queue = Queue()
        self._clock = ClockOffset()
        self._heard = time.monotonic()
        self._commands_heard = 0
        self._parent = os.getppid()
        self._answered = Event()
        self._given_up = False
        self.generation = 0
        self.halted: Event = Event()
        self.acknowledged: Callable[[Ack], None] = lambda _: None
        channel.hear(Welcome, lambda _, welcome: self._welcome.set(welcome))
        channel.hear(TellTime, self._time)
        channel.hear(SendPhase, lambda _, command: self._commands.put(command))
        channel.hear(Halt, lambda _, halt: self._commands.put(halt))
        channel.hear(Ack, lambda _, ack: self.acknowledged(ack))
        channel.hear(GivenUp, self._left_behind)

    @property
    def offset(self) -> tuple[int, int]:
        """What is added to our times to come to the master's, and by how much that may be wrong, ns."""
        return (0, 0) if self._here else self._clock.found

    def ship(self, batch: Batch) -> None:
        """Send what was written to the master."""
        self._channel.say(batch)

    def fail(self, why: str) -> None:
        """Say that we go, and why."""
        self._channel.say(Failing(why=why))

    def join(self) -> Welcome:
        """Ask to take part.

        Raises:
            NotWantedError: the master says no, or nothing.
        """
        hello = Hello(version=VERSION_TOLD, host=socket.gethostname(), pid=os.getpid(), here=self._here)
        until = time.monotonic() + WELCOME_S
        while time.monotonic() < until:
            self._channel.say(hello)
            if self._welcome.wait(AGAIN_S) is not None:
                welcome: Welcome = self._welcome.get()
                if welcome.refusal:
                    raise NotWantedError(f"the master refuses this worker: {visible(welcome.refusal, 300)}")
                if not sound(welcome):
                    raise NotWantedError("what listens there is no master of a load: its welcome makes no sense")
                return welcome
        raise NotWantedError(
            f"who listens there did not answer a worker of Seatrial {VERSION_TOLD} in {WELCOME_S:.0f} s"
        )

    def serve(self, sailor: Sailor, gone: Callable[[str], None]) -> None:
        """Say that we are there, and do what we are told, until we are told to end.

        Args:
            gone: called with the reason where there is no master any more that counts what we do.
        """
        self._heard = time.monotonic()
        gevent.spawn(self._beat, sailor, gone)
        gevent.spawn(self._obey, sailor)

    def _time(self, _: str, told: TellTime) -> None:
        self._heard, self.generation = time.monotonic(), told.generation
        self._clock.exchange(told.sent, told.heard, told.told, time.monotonic_ns())
        self._answered.set()

    def _left_behind(self, _: str, __: GivenUp) -> None:
        self._given_up = True
        self._answered.set()

    def _deserted(self) -> str:
        """Why nobody counts what we do; empty where somebody does."""
        if self._given_up:
            return GIVEN_UP
        if self._here and os.getppid() != self._parent:
            return DESERTED
        return SILENT if time.monotonic() - self._heard > SILENT_S else ""

    def _beat(self, sailor: Sailor, gone: Callable[[str], None]) -> None:
        for _ in range(FIRST_ASKS):
            self._answered.clear()
            self._channel.say(AskTime(sent=time.monotonic_ns()))
            self._answered.wait(ASK_S)
            if self._given_up:
                break
        while not self.halted.is_set():
            if self._clock.known:
                self._channel.say(Mustered(users=sailor.users()))
            self._channel.say(AskTime(sent=time.monotonic_ns()))
            self.halted.wait(ASK_S / 4 if self._commands_heard == 0 else ASK_S)
            if why := "" if self.halted.is_set() else self._deserted():
                gone(why)
                return

    def _obey(self, sailor: Sailor) -> None:
        busy: Any = None
        while True:
            told = self._commands.get()
            self._commands_heard += 1
            if isinstance(told, Halt):
                ending = gevent.spawn(self._finish, sailor, cut=told.cut)  # who drains may be told to cut
                ending.link_exception(lambda dead: sailor.broken(dead.exception))
                continue
            if busy is not None:
                busy.kill()
            busy = gevent.spawn(self._sail, sailor, told)
            busy.link_exception(lambda dead: sailor.broken(dead.exception))

    def _finish(self, sailor: Sailor, *, cut: bool) -> None:
        self._channel.say(sailor.finish(cut=cut))
        self.halted.set()

    def _sail(self, sailor: Sailor, command: SendPhase) -> None:
        offset, _ = self.offset
        begin, until = ((at - offset) / SECOND for at in (command.begin, command.until))
        tried = sailor.send(command, begin, until) or Tried(0.0, ())
        told = PhaseTold(number=command.number, answered=sailor.answered(), waits=tried.waits, lost=tried.lost)
        self._channel.say(told)
        sailor.quiet(FOREVER_S)
        self._channel.say(msgspec.structs.replace(told, answered=sailor.answered(), quiet=True))


def sound(welcome: Welcome) -> bool:
    """Whether a welcome can be followed: what it names becomes names of files here, and it counts workers."""
    endpoint = welcome.endpoint
    if endpoint is None or welcome.workload is None or not welcome.workload.parts:
        return False
    named = _NAME.fullmatch(welcome.name) and _NAME.fullmatch(endpoint.name)
    counted = 0 <= welcome.index < welcome.of <= MOST and welcome.users > 0 and welcome.max_tokens > 0
    timed = all(0 < seconds <= LONGEST_S for seconds in (welcome.deadline_s, welcome.idle_s, welcome.canary_s))
    return bool(named) and counted and timed
