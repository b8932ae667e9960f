"""A simulated run: a server, its clients, the recorder and the keeper on one clock, and the lines they would write.

Everything is drawn from a seed: phases of ticks against faults, speeds, how long dying takes. The detector is given the
lines alone; what really happened stands in the simulation's own fields.
"""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from seatrial.records import Clock, Event, Line, LoadRow, Probe, Sample, Sent

S = 1_000_000_000
MS = 1_000_000
BOOT_OFFSET = 5_000 * S


@dataclass
class Stream:
    """One request: its tokens' times; ``ended_at`` is 0 while it runs."""

    id: str
    n: int
    sent_at: int
    tokens: list[int] = field(default_factory=list)
    ended_at: int = 0
    clean: bool = True


@dataclass
class Life:
    """One incarnation of the server."""

    pid: int
    born_at: int
    generation: int = 0
    dead_at: int = 0
    signalled_at: int = 0

    @property
    def incarnation(self) -> str:
        return f"boot-ns-{self.pid}-{self.ticks}"

    @property
    def ticks(self) -> int:
        return (self.born_at + BOOT_OFFSET) // (S // 100)


class World:
    """Begins with a server that was born 20 s ago; ``run_for`` lets time pass, ``seal`` gives the record."""

    def __init__(self, seed: int, *, clients: int = 4, cgroup: bool = True) -> None:
        self.random = random.Random(seed)
        self.start = 10_000 * S + self.random.randrange(S)
        self.now = self.start
        self.lives = [Life(4123, self.start - 20 * S)]
        self.out: list[Line] = []
        self.streams: list[Stream] = []
        self.clients, self.cgroup = clients, cgroup
        self.silent = self.frozen = self.deaf = self.mute = self.paused = self.busy = False
        self.frozen_by = ""
        self.oom_host, self.oom_cgroup = 3, 0
        self.cpu, self.switches = 20 * S, 5_000
        self.wall_step = 0
        self._tick_due = self.start + self.random.randrange(S)
        self._token_due = self.start + self.random.randrange(90 * MS)
        self._seq = 0
        self._put(self.start, Event(what="found", name="a", at=self.start, **self._who(self.life)))

    @property
    def life(self) -> Life:
        return self.lives[-1]

    @property
    def alive(self) -> bool:
        return not self.life.dead_at

    def run_for(self, seconds: float) -> World:
        """Let time pass in steps of whatever is due next."""
        end = self.now + int(seconds * S)
        while True:
            due = min(self._tick_due, self._token_due)
            if due > end:
                self.now = end
                return self
            self.now = due
            if due == self._tick_due:
                self._tick_due += S
                if not self.paused:
                    self._tick()
            else:
                self._token_due += int(self.random.uniform(60, 120) * MS)
                self._work()

    # what happens to the server

    def die(self, status: int, *, reports: str = "rk", oom: bool = False, facts: dict[str, str] | None = None) -> World:
        """It is killed now and is gone 24 to 71 ms later. reports: r the recorder's, k the keeper's."""
        life = self.life
        life.signalled_at = self.now
        life.dead_at = self.now + self.random.randrange(24 * MS, 71 * MS)
        self.oom_host += oom
        self.oom_cgroup += oom
        counts = {"oom_host": str(self.oom_host)} | ({"oom_cgroup": str(self.oom_cgroup)} if self.cgroup else {})
        seen = life.dead_at + self.random.randrange(3 * MS)
        if "r" in reports:
            self._put(
                seen + self.random.randrange(500 * MS),
                Event(what="exit", name="a", at=seen, signalled_at=seen, status=status, source="pidfd-info",
                      facts=counts | {"session leader": "there"} | (facts or {}), **self._who(life)),
            )  # fmt: skip
        if "k" in reports:
            at = life.dead_at + self.random.randrange(5 * MS)
            self._put(at + MS, Event(what="exit", name="a", at=at, signalled_at=at, pid=life.pid, status=status,
                                     source="waitid", generation=life.generation), "keeper")  # fmt: skip
        for stream in self._running():
            self._end(stream, life.dead_at - self.random.randrange(20 * MS), clean=False)
        return self

    def replace(self, after_ms: float, *, generation: int | None = None) -> World:
        """A successor listens ``after_ms`` from now."""
        self.run_for(after_ms / 1000)
        life = Life(self.life.pid + 7, self.now - 5 * MS, self.life.generation if generation is None else generation)
        self.lives.append(life)
        self.deaf = self.frozen = False
        self.cpu, self.switches = S // 10, 50
        self._put(self.now, Event(what="found", name="a", at=self.now, **self._who(life)))
        return self

    def announce(self) -> World:
        self._put(self.now, Event(what="planned-stop", name="a", at=self.now, text="restart"), "keeper")
        self._put(self.now + 2 * MS, Event(what="planned-stop", name="a", at=self.now + 2 * MS))
        return self

    def freeze(self, by: str = "signal") -> World:
        """It does not run. by: a signal; its cgroup; empty: nothing that its samples show."""
        self.frozen, self.frozen_by = True, by
        return self

    def thaw(self) -> World:
        self.frozen = False
        return self

    def seal(self) -> tuple[Line, ...]:
        """End as the keeper does it, and give the whole record in order of time."""
        for stream in self._running():
            self._end(stream, self.now, clean=True)
        if self.alive:
            self.announce()
            self.run_for(0.01)
            self.die(15)
            self.run_for(0.2)
        self._put(self.now + S, Event(what="seal", name="", at=self.now + S))
        return self.lines()

    def lines(self) -> tuple[Line, ...]:
        return tuple(sorted(self.out, key=lambda line: line.t))

    # what the parties write

    def _tick(self) -> None:
        t = self.now + self.random.randrange(3 * MS)
        self._put(t, Clock(wall_ns=t + 1_700_000_000 * S + self.wall_step, boot_ns=t + BOOT_OFFSET, raw_ns=t))
        works = self.alive and not self.frozen
        if self.alive:
            if works:
                self.cpu += self.random.randrange(MS, S)
                self.switches += self.random.randrange(10, 2_000)
            state = "S" if self.frozen else self.random.choice("RS")
            state = "T" if self.frozen and self.frozen_by == "signal" else state
            self._put(t + 1, Sample(name="a", pid=self.life.pid, incarnation=self.life.incarnation, state=state,
                                    cpu_ns=self.cpu, switches=self.switches,
                                    frozen=True if self.frozen and self.frozen_by == "cgroup" else None))  # fmt: skip
        listens = self.alive and not self.deaf
        answers = works and listens and not self.mute
        at = t + (MS if answers or not listens else 800 * MS)
        probe = Probe(
            name="a", listens=listens, owner=self.life.pid if listens else None, health=200 if answers else None,
            error="" if answers else ("deadline" if listens else "refused"),
            oom_host=self.oom_host, oom_cgroup=self.oom_cgroup if self.cgroup else None,
        )  # fmt: skip
        self._put(at, probe)

    def _work(self) -> None:
        """A step of the engine: every stream gets a token; clients send anew."""
        if not self.alive or self.frozen or self.mute:
            return
        for stream in self._running():
            stream.tokens.append(self.now + self.random.randrange(MS))
            if len(stream.tokens) > 40 and self.random.random() < 0.1:
                self._end(stream, self.now + 2 * MS, clean=True)
        while not self.silent and not self.deaf and len(self._running()) < self.clients:
            self._seq += 1
            stream = Stream(f"load1-{self._seq}", self._seq, self.now + 3 * MS)
            self.streams.append(stream)
            line = Sent(endpoint="a", scenario="soak", method="POST", path="/chat/completions", load=True)
            self.out.append(replace(line, v=1, w="load1", n=stream.n, t=stream.sent_at))

    def _running(self) -> list[Stream]:
        return [s for s in self.streams if not s.ended_at]

    def _end(self, stream: Stream, at: int, *, clean: bool) -> None:
        stream.ended_at, stream.clean = at, clean
        tokens = [t for t in stream.tokens if t <= at]
        gaps = sorted(itertools.pairwise(tokens), key=lambda g: g[1] - g[0])
        start, stop = gaps[-1] if gaps else (0, 0)
        row = LoadRow(
            id=stream.id, endpoint="a", outcome="ok" if clean else "cut", intended_at=stream.sent_at,
            sent_at=stream.sent_at, ended_at=at, first_at=tokens[0] if tokens else 0,
            last_at=tokens[-1] if tokens else 0, gap_from=start, gap_to=stop, deltas=len(tokens),
            finish_reason="stop" if clean else "",
        )  # fmt: skip
        self._put(at + self.random.randrange(50 * MS), row, "load1")

    def _who(self, life: Life) -> dict[str, Any]:
        return {"pid": life.pid, "incarnation": life.incarnation, "started_ticks": life.ticks,
                "generation": life.generation}  # fmt: skip

    def _put(self, t: int, line: Line, writer: str = "recorder") -> None:
        self.out.append(replace(line, v=1, w=writer, n=len(self.out) + 1, t=t))
