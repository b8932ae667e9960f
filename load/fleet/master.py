"""The master of a load: who takes part, what they are told, what came of it, and who is missing.

It sends no request itself. All that a worker says shows that it lives; one of which nothing is heard for ``LOST_S`` is
lost, and so is the load's claim to have measured the server. What it says later counts for nothing, and it is told so.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gevent
import msgspec

from load.fleet.inbox import Inbox, RefusedError
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
from seatrial.given.phases import SoakPhase
from seatrial.records import SECOND, Crew, CrewWord, Fact
from seatrial.run.directory import RunDir
from seatrial.run.follow import last_numbers
from seatrial.run.writer import RunDirError
from seatrial.text import visible

LOST_S = 15.0
"""A worker says something each second, and ends by itself before this: see ``load.fleet.worker.SILENT_S``."""

TOO_LATE = "it was given up before"

STEP_S = 0.02
"""Between two looks at whether workers have said what they were asked for."""

LEAD_NS = SECOND // 5
"""A command is given so long before its time: so long it may take to every worker."""


@dataclass(slots=True)
class Mate:
    """A worker that takes part."""

    client: str
    name: str
    here: bool
    pid: int
    heard: int
    users: int = -1  # below 0: it is not ready yet
    done: bool = False
    lost: bool = False
    offset: tuple[int, int] = (0, 0)
    told: dict[int, PhaseTold] = field(default_factory=dict)


class FleetMaster:
    """Knows the workers of one load.

    Args:
        terms: what each is told when it comes.
        note: takes each line about a worker.
        say: takes a line for the operator.
        generation: tells which life of the server is there now.

    Attributes:
        mates: the workers, by what Locust calls them.
    """

    def __init__(
        self,
        channel: Channel,
        rundir: RunDir,
        terms: Welcome,
        note: Callable[[Crew], object],
        say: Callable[[str], object],
        generation: Callable[[], int] = lambda: 0,
    ) -> None:
        assert terms.endpoint is not None
        self.mates: dict[str, Mate] = {}
        self.ended: list[Done] = []
        self.refused: set[str] = set()
        self._channel, self._rundir, self._terms, self._note, self._say = channel, rundir, terms, note, say
        self._endpoint, self._generation = terms.endpoint.name, generation
        self._inbox = Inbox(rundir, self._endpoint, self._gap)
        self._commands = 0
        channel.hear(Hello, self._hello)
        channel.hear(AskTime, self._asked)
        channel.hear(Mustered, self._settled)
        channel.hear(Batch, self._batch)
        channel.hear(PhaseTold, self._told)
        channel.hear(Done, self._done)
        channel.hear(Failing, self._failing)
        self._watch: Any = gevent.spawn(self._look_after)

    @property
    def living(self) -> list[Mate]:
        """Those that were not lost, and go on."""
        return [mate for mate in self.mates.values() if not mate.lost and not mate.done]

    @property
    def whole(self) -> bool:
        """Whether all workers were there to the end, and all that they wrote is here."""
        ended = [mate for mate in self.mates.values() if mate.done and not mate.lost]
        return len(ended) == self._terms.of

    def ready(self, users: int) -> int:
        """How many workers are ready, and have so many users each."""
        return sum(mate.users >= users for mate in self.living)

    def gather(self, seconds: float, users: int) -> bool:
        """Wait until all workers are ready and have so many users each; whether they had in time."""
        return self._until(lambda: self.ready(users) >= self._terms.of, seconds)

    def command(self, phase: SoakPhase, until: int, slots: int, measured: float | None, **step: Any) -> int:
        """Have a phase sent, from a moment ahead on. Returns when it begins, on our clock in ns."""
        self._commands += 1
        begin = time.monotonic_ns() + LEAD_NS
        order = SendPhase(
            number=self._commands, phase=phase, begin=begin, until=until, slots=slots, measured=measured, **step
        )
        for mate in self.living:
            self._channel.say(order, mate.client)
        return begin

    def answers(self, seconds: float) -> list[PhaseTold]:
        """What came of the last command by the end of its time, of those who say so within these seconds."""
        number = self._commands
        self._until(lambda: all(number in mate.told for mate in self.living), seconds)
        return [mate.told[number] for mate in self.mates.values() if number in mate.told]

    def quiet(self, seconds: float) -> bool:
        """Wait until nothing of the last command is under way."""
        number = self._commands
        if not number:
            return True
        return self._until(lambda: all(n.quiet for n in self._last(number)), seconds)

    def halt(self, seconds: float, *, cut: bool = False) -> None:
        """Have all end, and wait until they have; whoever has not by then is lost."""
        for mate in self.living:
            self._channel.say(Halt(cut=cut), mate.client)
        self._until(lambda: not self.living, seconds)
        for mate in self.living:
            self._lose(mate)
        self._watch.kill()

    def _last(self, number: int) -> Iterator[PhaseTold]:
        nothing = PhaseTold(number=number, answered=0)
        return (mate.told.get(number, nothing) for mate in self.living)

    def _until(self, holds: Callable[[], bool], seconds: float) -> bool:
        end = time.monotonic() + seconds
        while not holds():
            if time.monotonic() >= end:
                return False
            gevent.sleep(STEP_S)
        return True

    # what workers say

    def _hello(self, client: str, hello: Hello) -> None:
        mate = self.mates.get(client)
        if mate is not None and mate.lost:
            self._channel.say(GivenUp(), client)
            return
        if mate is None:
            if why := self._unwanted(hello):
                if client not in self.refused:
                    self._say(f"refused a worker of {visible(hello.host, 80)}: {why}")
                self.refused.add(client)
                self._channel.say(Welcome(refusal=why), client)
                return
            mate = self._admit(client, hello)
        index = list(self.mates).index(client)
        self._channel.say(msgspec.structs.replace(self._terms, name=mate.name, index=index), client)

    def _unwanted(self, hello: Hello) -> str:
        if hello.version != VERSION_TOLD:
            theirs = visible(hello.version, 40)
            return f"it is Seatrial {theirs}, its master is {VERSION_TOLD}: install the same version on both"
        if len(self.mates) >= self._terms.of:
            return f"all {self._terms.of} workers of this load are there"
        return ""

    def _admit(self, client: str, hello: Hello) -> Mate:
        name = f"{self._terms.name}w{len(self.mates) + 1}"
        now = time.monotonic_ns()
        mate = self.mates[client] = Mate(client, name, hello.here, hello.pid, now)
        if not mate.here:
            self._inbox.open(name, hello.pid)
        host, where = visible(hello.host, 80), "here" if mate.here else "elsewhere"
        self._write(mate, CrewWord.JOINED, facts={"host": host, "pid": str(hello.pid), Fact.WRITES: where})
        return mate

    def _heard(self, client: str) -> Mate | None:
        """Who says something; None: nobody who takes part, any more or ever."""
        mate = self.mates.get(client)
        if mate is not None and mate.lost:
            self._channel.say(GivenUp(), client)
            return None
        if mate is not None:
            mate.heard = time.monotonic_ns()
        return mate

    def _asked(self, client: str, ask: AskTime) -> None:
        heard = time.monotonic_ns()
        if self._heard(client) is not None:
            generation = self._generation()
            told = TellTime(sent=ask.sent, heard=heard, told=time.monotonic_ns(), generation=generation)
            self._channel.say(told, client)

    def _settled(self, client: str, settled: Mustered) -> None:
        if (mate := self._heard(client)) is not None:
            mate.users = settled.users

    def _told(self, client: str, told: PhaseTold) -> None:
        if (mate := self._heard(client)) is not None and told.number <= self._commands:
            mate.told[told.number] = told
            mate.told.pop(told.number - 2, None)  # nobody asks for it any more

    def _batch(self, client: str, batch: Batch) -> None:
        mate = self._heard(client)
        if mate is None and client in self.mates:
            self._channel.say(Ack(number=batch.number, refused=TOO_LATE), client)
        if mate is None or mate.here:
            return
        if (batch.offset_ns, batch.error_ns) != mate.offset:
            mate.offset = batch.offset_ns, batch.error_ns
            self._write(mate, CrewWord.ALIGNED, offset_ns=batch.offset_ns, error_ns=batch.error_ns)
        why = ""
        try:
            self._inbox.take(mate.name, batch)
        except (RefusedError, RunDirError) as error:
            why = str(error)
            self._lose(mate, why)
        self._channel.say(Ack(number=batch.number, refused=why), client)

    def _done(self, client: str, done: Done) -> None:
        mate = self._heard(client)
        if mate is None or mate.done:
            return
        last = done.lines if mate.here else self._inbox.lines(mate.name)
        if last < done.lines:
            self._gap(mate.name, last + 1, done.lines)
        mate.done = True
        self.ended.append(done)
        self._write(mate, CrewWord.DONE, last=last)

    def _failing(self, client: str, failing: Failing) -> None:
        mate = self._heard(client)
        if mate is not None and not mate.done:
            self._lose(mate, visible(failing.why, 300))

    # who is missing

    def _look_after(self) -> None:
        while True:
            gevent.sleep(1.0)
            now = time.monotonic_ns()
            for mate in self.living:
                if now - mate.heard > LOST_S * SECOND or (mate.here and not _lives(mate.pid)):
                    self._lose(mate)

    def _lose(self, mate: Mate, why: str = "") -> None:
        mate.lost = True
        last = last_numbers(self._rundir.path).get(mate.name, 0) if mate.here else self._inbox.lines(mate.name)
        self._write(mate, CrewWord.LOST, last=last, facts={"why": why} if why else {})
        self._gap(mate.name, last + 1, 0)
        told = f" ({why})" if why else ""
        self._say(f"worker {mate.name} went away{told}: this load is no verdict on the server any more")

    def _gap(self, name: str, first: int, last: int) -> None:
        now = time.monotonic_ns()
        line = Crew(endpoint=self._endpoint, worker=name, what=CrewWord.GAP, at=now, first=first, last=last)
        self._note(line)

    def _write(self, mate: Mate, what: CrewWord, **more: Any) -> None:
        self._note(Crew(endpoint=self._endpoint, worker=mate.name, what=what, at=time.monotonic_ns(), **more))


def _lives(pid: int) -> bool:
    """Whether a child of ours lives: one that has ended is a zombie until Locust has asked for its exit."""
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] != b"Z"
    except OSError:
        return False
