"""A simulated server with a process tree, a program of its own, a log, limits and a GPU: what the later families need.

``Tree`` extends the simulated run; who dies, who comes and what is said is called by the test. The detector is given
the lines alone.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from seatrial.records import Event, Line, Log, Meter, Sample, Threads
from tests.stops.simulation import MS, Life, S, World

GIB = 1 << 30
SERVER = "/opt/llama/llama-server"
RUNNER = "/usr/lib/ollama/runner"
SUPERVISOR = 900


class Tree(World):
    """``child`` is its runner; ``exe`` and ``arguments`` are of the program that is started next."""

    def __init__(self, seed: int, *, clients: int = 4, cgroup: bool = True, runner: bool = False, **facts: str) -> None:
        self.exe, self.arguments = SERVER, "llama-server -m x.gguf"
        self.facts = {"session leader": "there", "signals ignored": "0000000000001000", **facts}
        self.size, self.size_limit = 2 * GIB, None
        self.thread_states = "SSSS"
        self.mark = 1
        super().__init__(seed, clients=clients, cgroup=cgroup)
        self.child: Life | None = None
        self.child_gone: Life | None = None
        if runner:
            self.child = Life(self.life.pid + 1, self.start - 15 * S)
            self._found_child(self.child)

    # the runner

    def end_runner(self, status: int | None) -> Tree:
        """The runner ends now; its parent lives on and answers /health."""
        life = self.child
        assert life is not None
        self.child, self.child_gone, life.dead_at = None, life, self.now
        facts = {"oom_host": str(self.oom_host), "oom_cgroup": str(self.oom_cgroup)}
        self._put(self.now + 2 * MS, Event(what="exit", name="a", at=self.now + MS, signalled_at=self.now + MS,
                                           status=status, source="pidfd-info" if status is not None else "unobservable",
                                           facts=facts, parent=self.life.pid, **self._who(life)))  # fmt: skip
        for stream in self._running():
            self._end(stream, self.now - self.random.randrange(MS), clean=False)
        return self

    def start_runner(self, *, arguments: str = "runner --model m --port 4001", exe: str = RUNNER) -> Tree:
        """Another runner below the same parent; the recorder looks for children every five seconds."""
        pid = (self.child_gone or self.life).pid + 11
        self.child = Life(pid, self.now)
        self._found_child(self.child, arguments=arguments, exe=exe, late=self.random.randrange(5 * S))
        return self

    def _found_child(self, life: Life, *, arguments: str = "runner --model m --port 4000", exe: str = RUNNER,
                     late: int = 0) -> None:  # fmt: skip
        at = self.now + late
        facts = {"exe": exe, "arguments": arguments, "parent": str(self.life.pid)}
        self._put(at, Event(what="found", name="a", at=at, parent=self.life.pid, facts=facts, **self._who(life, {})))

    # who owns the port

    def squat(self, after_ms: float, *, exe: str = "/usr/bin/python3", arguments: str = "python3 -m http.server",
              lives: bool = False, parent: int = SUPERVISOR) -> Tree:  # fmt: skip
        """Another program owns the port. lives: the declared one lives on beside it."""
        self.run_for(after_ms / 1000)
        life = Life(self.life.pid + 7, self.now - 5 * MS)
        self.lives.append(life)
        self.deaf = self.frozen = False
        facts = self.facts | {"exe": exe, "arguments": arguments, "parent": str(parent)}
        what = "replaced" if lives else "found"
        self._put(self.now, Event(what=what, name="a", at=self.now, facts=facts, **self._who(life, {})))
        return self

    def end_old(self, status: int) -> Tree:
        """The one before the newest ends, which the monitor takes for a process of the newest by then."""
        self._put(
            self.now,
            Event(
                what="exit",
                name="a",
                at=self.now,
                signalled_at=self.now,
                status=status,
                source="pidfd-info",
                parent=self.life.pid,
                **self._who(self.lives[-2], {}),
            ),
        )
        return self

    # witnesses

    def log(self, *text: str, note: str = "", after_ms: float = 60) -> Tree:
        at = self.now + int(after_ms * MS)
        self._put(at + MS, Log(name="a", file="/var/log/a", at=at, text=text, note=note))
        return self

    def xid(self, number: int, *, gpu: int = 0, ago_s: float = 1.0, what: str = "xid") -> Tree:
        at = self.now - int(ago_s * S)
        self._put(at, Event(what=what, name="gpu", at=at, facts={"gpu": str(gpu), "xid": str(number)}))
        return self

    def step_clock(self, seconds: float) -> Tree:
        self.wall_step += int(seconds * S)
        return self

    # what the parties write

    def replace(self, after_ms: float, *, generation: int | None = None) -> Tree:
        self.mark += 1
        super().replace(after_ms, generation=generation)
        return self

    def _tick(self) -> None:
        super()._tick()
        if not self.alive:
            return
        t = self.now + 900 * MS
        self._put(t, Meter(name="a", source="llama.cpp /metrics", start=f"mark-{self.mark}"))
        if self.child is not None:
            self._put(t, Sample(name="a", pid=self.child.pid, incarnation=self.child.incarnation, state="S",
                                parent=self.life.pid, cpu_ns=5, switches=5))  # fmt: skip
        if self.frozen or self.deaf:
            states = "TTTT" if self.frozen else self.thread_states
            rows = tuple((n, f"t{n}", state, n, "futex_wait") for n, state in enumerate(states))
            line = Threads(
                name="a", pid=self.life.pid, incarnation=self.life.incarnation, threads=rows, total=len(rows)
            )
            self._put(t + MS, line)

    def _put(self, t: int, line: Line, writer: str = "recorder") -> None:
        if isinstance(line, Sample) and line.parent is None:
            line = replace(line, size=self.size, size_limit=self.size_limit)
        super()._put(t, line, writer)

    def _who(self, life: Life, facts: dict[str, str] | None = None) -> dict[str, Any]:
        """What an event says of a life; the fingerprint where the event has no facts of its own."""
        who = super()._who(life)
        if facts is None and not life.dead_at and not life.signalled_at and life is not getattr(self, "child", None):
            who["facts"] = self.facts | {"exe": self.exe, "arguments": self.arguments, "parent": str(SUPERVISOR)}
        return who
