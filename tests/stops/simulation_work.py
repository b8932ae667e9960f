"""A simulated server with an engine: what it works on, who waits for it, and what its upper rungs would tell.

It extends the simulated run by the scheduler's answers, counters, a canary, a GPU and clients that give up. The
detector is given the lines alone; ``mode`` is what really happens.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from msgspec.structs import replace

from seatrial.records import Ask, Clock, Event, Gpu, Line, LoadRow, Meter, Probe, Sample, Sent
from tests.stops.simulation import BOOT_OFFSET, MS, S, Stream, World

Mode = Literal["serve", "prefill", "quiet prefill", "wedged", "queue", "asleep", "loading", "cuda error", "http hangs"]
"""quiet prefill: nothing but the engine's own progress shows it; queue: others have every slot."""

IDLE_NS = 30 * S
DEADLINE_NS = 60 * S


@dataclass(frozen=True)
class Rig:
    """What there is to be seen of the server."""

    scheduler: bool = True
    canary: bool = True
    process: bool = True
    gpu: bool = False
    clients: int = 3
    elsewhere: bool = False  # its engine is no process of its tree: it is a proxy
    name: str = "a"
    canary_s: float = 10.0


class Engine(World):
    """``mode`` may be set at any time; ``run_for`` lets it last."""

    def __init__(self, seed: int, rig: Rig | None = None) -> None:
        self.rig = rig or Rig()
        super().__init__(seed, clients=self.rig.clients)
        self.mode: Mode = "serve"
        self.reads = True  # clients read what they are sent
        self.engine_stands = False  # its process idles, whatever it has to do
        self.moved = self.io = 0
        self.asked: Ask | None = None
        self.canary: Ask | None = None
        self.ends: Callable[[int], dict[str, Any] | None] = lambda _: None
        """How the n-th canary ends, as fields of its line; None: as the mode has it."""
        self.health: int | None = 200
        self._answer_at = 0
        self._numbers = [0, 0]
        self.began = self.ended = 0  # of the mode that a run is about
        self._canary_due = self.start + self.random.randrange(int(self.rig.canary_s * S))

    # each second

    def _tick(self) -> None:
        t = self.now + self.random.randrange(3 * MS)
        for at in (t, t + self.random.choice([MS, 30 * MS, 600 * MS])):  # each thread of the recorder dates its lines
            self._put(at, Clock(wall_ns=at + 1_700_000_000 * S, boot_ns=at + BOOT_OFFSET, raw_ns=at))
        if self.rig.process:
            self._sample(t + 1)
        listens = True if self.rig.process else None
        answers = self.mode != "http hangs"
        health = self.health if answers else None
        self._put(t + (MS if answers else 900 * MS), Probe(
            name=self.rig.name, listens=listens, owner=self.life.pid if listens else None, health=health,
            error="" if health is not None else "deadline", oom_host=3, oom_cgroup=0))  # fmt: skip
        if self.rig.scheduler:
            self._ask_scheduler(t + 2 * MS)
        if self.rig.canary:
            self._ask_canary(t + 3 * MS)
        self._give_up()

    def _sample(self, t: int) -> None:
        works = self.mode in ("prefill", "queue") or (self.mode == "serve" and bool(self._running()) and self.reads)
        works = works and not (self.engine_stands or self.rig.elsewhere)
        self.cpu += self.random.randrange(300 * MS, S) if works else self.random.randrange(8 * MS)
        self.switches += self.random.randrange(10, 200)
        self.io += self.random.randrange(3000)
        if self.mode == "loading":
            self.io += self.random.randrange(20_000_000, 200_000_000)
        self._put(t, Sample(name=self.rig.name, pid=self.life.pid, incarnation=self.life.incarnation, state="S",
                            cpu_ns=self.cpu, switches=self.switches, io=self.io))  # fmt: skip
        if self.rig.gpu:
            busy = self.random.randrange(40, 100) if works else self.random.randrange(3)
            self._put(t + MS, Gpu(index=0, uuid="GPU-0", busy=busy, processes={str(self.life.pid): 10**9}))

    def _ask_scheduler(self, t: int) -> None:
        if self.mode in ("wedged", "http hangs"):  # its loop does not come round to answer
            self.asked = self.asked or self._question("scheduler", t)
            if t - self.asked.asked_at >= 400 * MS:
                self._put(t, self.asked)
            return
        asked = self.asked or self._question("scheduler", t)
        self.asked = None
        self._put(t, replace(asked, ended_at=t, status=200, outcome="ok"))
        self.moved += self.mode in ("serve", "queue", "quiet prefill") and self._anybody()
        running = {"queue": 4, "cuda error": 0}.get(self.mode, len(self._running()) if self.reads else 0)
        waits = self.canary is not None and self.mode != "serve"
        self._put(t + 1, Meter(name=self.rig.name, source="llama.cpp /slots", running=running + waits,
                               progress=self.moved, asleep=self.mode == "asleep"))  # fmt: skip

    def _anybody(self) -> bool:
        canary = self.canary is not None and self.ends(self._numbers[True]) is None
        return self.mode == "queue" or canary or (bool(self._running()) and self.reads)

    def _ask_canary(self, t: int) -> None:
        if self.canary is None:
            if t < self._canary_due or self.mode == "asleep":
                return
            self._canary_due = t + int(self.rig.canary_s * S)
            self.canary = self._question("canary", t)
            self._answer_at = t + self.random.randrange(20 * MS, 700 * MS)
            return
        asked = self.canary
        ends = self.ends(self._numbers[True])
        if ends is not None:
            self._put(t, replace(asked, ended_at=t, **ends))
        elif self.mode == "cuda error":
            self._put(t, replace(asked, ended_at=t, status=500, outcome="http_5xx", detail="CUDA error"))
        elif self.mode == "serve":
            at = max(self._answer_at, asked.asked_at + MS) if self._answer_at > t - S else t
            self.cpu += 0 if self.rig.elsewhere else self.random.randrange(150 * MS, 900 * MS)
            self._put(t, replace(asked, ended_at=at, status=200, first_at=at, last_at=at, deltas=1, outcome="ok"))
        else:
            self._put(t, asked)
            return
        self.canary = None

    def _question(self, rung: Literal["scheduler", "canary"], t: int) -> Ask:
        self._numbers[rung == "canary"] += 1
        return Ask(name=self.rig.name, rung=rung, id=f"{rung}-{self._numbers[rung == 'canary']}", asked_at=t)

    # clients

    def _work(self) -> None:
        if self.mode == "serve" and self.reads:
            for stream in self._running():
                stream.tokens.append(self.now + self.random.randrange(MS))
                if len(stream.tokens) > 40 and self.random.random() < 0.1:
                    self._end(stream, self.now + 2 * MS, clean=True)
        while not self.silent and len(self._running()) < self.clients:
            self._seq += 1
            stream = Stream(f"load1-{self._seq}", self._seq, self.now + 3 * MS)
            self.streams.append(stream)
            line = Sent(
                endpoint=self.rig.name, scenario="soak/closed", method="POST", path="/chat/completions", load=True
            )
            self.out.append(replace(line, v=1, w="load1", n=stream.n, t=stream.sent_at))

    def _give_up(self) -> None:
        for stream in self._running() if self.reads else ():
            last = stream.tokens[-1] if stream.tokens else stream.sent_at
            if self.now - last >= IDLE_NS:
                self.end_with(stream, "stall")

    def end_with(self, stream: Stream, outcome: str, **fields: object) -> None:
        """A client's request is over, with what came of it until now."""
        stream.ended_at = self.now
        tokens = [at for at in stream.tokens if at <= self.now]
        row = LoadRow(
            id=stream.id, endpoint=self.rig.name, outcome=outcome, intended_at=stream.sent_at, sent_at=stream.sent_at,
            ended_at=self.now, first_at=tokens[0] if tokens else 0, last_at=tokens[-1] if tokens else 0,
            deltas=len(tokens),
        )  # fmt: skip
        self._put(self.now + MS, replace(row, **fields), "load1")

    def seal(self) -> tuple[Line, ...]:
        """End while it runs, as a watch ends."""
        self._put(self.now + MS, Event(what="seal", name="", at=self.now))
        return self.lines()

    def _put(self, t: int, line: Line, writer: str = "recorder") -> None:
        if isinstance(line, Event) and line.name == "a":
            if not self.rig.process:
                return
            line = replace(line, name=self.rig.name)
        super()._put(t, line, writer)


def lasting(seed: int, mode: Mode, seconds: float, rig: Rig | None = None, *, after: float = 12.0) -> Engine:
    """A run of some seconds in order, then so long in a mode, then in order again; at a phase of its own."""
    world = Engine(seed, rig)
    world.run_for(12 + world.random.uniform(0, 11))
    world.mode = mode
    world.began = world.now
    world.run_for(seconds)
    world.mode = "serve"
    world.ended = world.now
    return world.run_for(after)
