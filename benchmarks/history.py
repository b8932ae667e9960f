"""Eight hours of two servers, judged: every line the watch and a soak would write, beside reading the same as JSON.

The history is synthetic and seeded. In it one server is killed and started again by a supervisor, and the other stands
still for a minute: what is judged must be found, or the time taken means nothing.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from seatrial.records import (
    SECOND,
    Ask,
    Clock,
    Endpoint,
    Event,
    Gpu,
    Line,
    LoadRow,
    Meter,
    Phase,
    Probe,
    RunInfo,
    Sample,
    Sent,
    Threads,
)
from seatrial.run import sums
from seatrial.run.directory import RunDir

HOURS = 8
BOOT_NS = 5_000 * SECOND
NAMES = ("8080", "11436")
RATE = 1.4
"""Requests a second to each server."""
PROCESSES, WATCHED_PROCESSES = 2, 5
"""Of each server: with a runner; with as many as make ten of two."""
CANARY_S, THREADS_S = 30, 10
"""How often a server of a night that is only watched is asked for a token, and its threads are looked at."""
LIMIT_S = 10.0
LIMIT_MB = 500.0

CHILD = """
import resource, sys, time
from seatrial.judging.run import judge
from seatrial.run.directory import RunDir
from pathlib import Path
began = time.perf_counter()
judged = judge(RunDir.open(Path(sys.argv[1])))
took = time.perf_counter() - began
print(took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, *[f"{s.name}:{s.family}" for s in judged.stops])
"""

_encode = msgspec.json.Encoder().encode


class History:
    """Writes the lines of a night, second by second: of a soak, or of a watch without load, with canaries."""

    def __init__(self, run: RunDir, seconds: int, *, watch: bool = False) -> None:
        self.seconds = seconds
        self._watch = watch
        self._processes = WATCHED_PROCESSES if watch else PROCESSES
        self._random = random.Random(8)
        self._run = run
        self._begin = sums.start(run.info.id)
        self._n = dict.fromkeys(("recorder", "load1"), 0)
        self._pids = dict(zip(NAMES, (36439, 34679), strict=True))
        self._cpu = dict.fromkeys(NAMES, 0)
        self._tokens = dict.fromkeys(NAMES, 0)
        self.lines = 0

    def write(self) -> None:
        """All files of the run."""
        for name in NAMES:
            self._run.write_endpoint(
                Endpoint(name=name, url=f"http://127.0.0.1:{name}/v1", kind="llama.cpp", model="m", models=("m",))
            )
        watch, load = self._run.path / "watch", self._run.path / "load"
        with (
            (watch / "samples.jsonl").open("wb") as samples,
            (watch / "events.jsonl").open("wb") as events,
            (load / "load1.jsonl").open("wb") as rows,
        ):
            for line in self._found():
                events.write(self._stamped(line, "recorder", 0))
            if not self._watch:
                rows.write(self._stamped(Phase(endpoint=NAMES[0], what="start", at=0), "load1", 0))
            for second in range(1, self.seconds):
                for line in self._watched(second):
                    samples.write(self._stamped(line, "recorder", second * SECOND))
                for line in self._happened(second):
                    events.write(self._stamped(line, "recorder", second * SECOND + SECOND // 2))
                for line in () if self._watch else self._served(second):
                    at = line.ended_at if isinstance(line, LoadRow) else second * SECOND + 200_000_000
                    rows.write(self._stamped(line, "load1", at))

    def _stamped(self, line: Line, writer: str, t: int) -> bytes:
        n = self._n[writer] = self._n[writer] + 1
        self.lines += 1
        stamped = _encode(msgspec.structs.replace(line, v=2, w=writer, n=n, t=t + n % 1000))
        return sums.signed(stamped, self._begin) + b"\n"

    def _found(self) -> Iterator[Line]:
        for name in NAMES:
            yield self._birth(name, 0)

    def _birth(self, name: str, at: int) -> Event:
        pid = self._pids[name]
        ticks = (at + BOOT_NS) // (SECOND // 100)
        facts = {"exe": "/usr/local/bin/llama-server", "arguments": f"llama-server --port {name}"}
        return Event(what="found", name=name, at=at, pid=pid, incarnation=f"b-n-{pid}-{ticks}", started_ticks=ticks,
                     facts=facts)  # fmt: skip

    def _stands(self, name: str, second: int) -> bool:
        return name == NAMES[1] and self.seconds // 2 <= second < self.seconds // 2 + 60

    def _watched(self, second: int) -> Iterator[Line]:
        t = second * SECOND
        yield Clock(wall_ns=t + 1_700_000_000 * SECOND, boot_ns=t + BOOT_NS, raw_ns=t)
        for name in NAMES:
            stands = self._stands(name, second)
            if not stands:
                self._cpu[name] += self._random.randrange(SECOND // 2, SECOND)
                self._tokens[name] += self._random.randrange(20, 60)
            pid, cpu = self._pids[name], self._cpu[name]
            state = "T" if stands else "S"
            for number in range(self._processes):  # a server and its runners
                yield Sample(name=name, pid=pid + number, incarnation=f"i-{pid + number}", state=state, cpu_ns=cpu,
                             parent=pid if number else None, memory=17_000_000_000 + second * 1000, threads=24, fds=40,
                             switches=cpu // 100_000, io=cpu, size=30_000_000_000)  # fmt: skip
            health = None if stands else 200
            if self._watch:
                yield from self._seen_by_the_watch(name, second, stands=stands)
            yield Probe(name=name, listens=True, inode=77, queue=0, owner=pid, health=health, health_ns=800_000,
                        error="deadline" if stands else "", oom_host=3, oom_cgroup=0)  # fmt: skip
            yield Ask(name=name, rung="scheduler", id=f"scheduler-{second}", asked_at=t, status=health,
                      ended_at=0 if stands else t + 3_000_000, outcome="" if stands else "ok")  # fmt: skip
            if not stands:
                yield Meter(name=name, source="llama.cpp /slots", running=2, progress=self._tokens[name])
            yield Gpu(index=NAMES.index(name), uuid=f"GPU-{name}", busy=44, memory=17_900_000_000,
                      processes={str(pid): 17_900_000_000}, power_mw=230_000)  # fmt: skip

    def _seen_by_the_watch(self, name: str, second: int, *, stands: bool) -> Iterator[Line]:
        t, pid = second * SECOND, self._pids[name]
        if second % CANARY_S == 0:
            asked = Ask(name=name, rung="canary", id=f"canary-{second}", asked_at=t)
            yield asked
            if not stands:
                yield msgspec.structs.replace(asked, ended_at=t + SECOND // 3, status=200, first_at=t + SECOND // 4,
                                              last_at=t + SECOND // 4, deltas=1, outcome="ok", right=True)  # fmt: skip
        if second % THREADS_S == 0:
            for number in range(self._processes):
                threads = tuple(
                    (pid + 100 * number + n, "worker", "S", self._cpu[name] // 9, "futex") for n in range(9)
                )
                yield Threads(name=name, pid=pid + number, incarnation=f"i-{pid + number}", threads=threads, total=9)

    def _happened(self, second: int) -> Iterator[Line]:
        if second == self.seconds // 3:
            name, at = NAMES[0], second * SECOND + SECOND // 2
            old = self._birth(name, 0)
            kills = {"oom_host": "3", "oom_cgroup": "0"}
            yield msgspec.structs.replace(old, what="exit", at=at, signalled_at=at, status=9, source="pidfd-info",
                                          facts=kills)  # fmt: skip
            self._pids[name] += 91
            self._cpu[name] = 0
            yield self._birth(name, at + 109_000_000)

    def _served(self, second: int) -> Iterator[Line]:
        t = second * SECOND + 200_000_000
        yield Clock(wall_ns=t + 1_700_000_000 * SECOND, boot_ns=t + BOOT_NS, raw_ns=t)
        sent: list[tuple[str, int]] = []
        for name in NAMES:
            if not self._stands(name, second) and self._random.random() <= RATE / 2:
                for _ in range(2):
                    yield Sent(endpoint=name, scenario="soak", method="POST", path="/chat/completions", load=True)
                    sent.append((name, self._n["load1"]))
        for name, n in sent:
            yield LoadRow(id=f"load1-{n}", endpoint=name, outcome="ok", intended_at=t, sent_at=t,
                          ended_at=t + SECOND // 3, first_at=t + SECOND // 10, last_at=t + SECOND // 3, deltas=24,
                          gap_from=t + SECOND // 10, gap_to=t + SECOND // 8, tokens=24, prompt_tokens=90,
                          finish_reason="stop", status=200)  # fmt: skip


def main() -> int:
    """Write the night, judge it in a process of its own; 1 when it takes more than its figure or finds other stops."""
    with tempfile.TemporaryDirectory() as folder:
        info = RunInfo(id="night", started="2026-02-01T20:00:00+00:00", started_ns=0, boot_id="", arguments=(),
                       versions={}, seed=8)  # fmt: skip
        run = RunDir.create(Path(folder) / "night", info)
        history = History(run, HOURS * 3600)
        history.write()
        files = [*run.path.glob("watch/*.jsonl"), *run.path.glob("load/*.jsonl")]
        size = sum(path.stat().st_size for path in files)
        took = time.perf_counter()
        for path in files:
            with path.open("rb") as file:
                for line in file:
                    json.loads(line)
        peer = time.perf_counter() - took
        done = subprocess.run([sys.executable, "-c", CHILD, str(run.path)], capture_output=True, text=True, check=False,
                              env={**os.environ, "PYTHONHASHSEED": "0"})  # fmt: skip
    if done.returncode:
        print(done.stderr[-2000:])
        return 1
    seconds, memory, *found = done.stdout.split(" ")
    found = [stop.strip() for stop in found]
    mb = float(memory) / 1e6
    print(f"  {HOURS} hours, {len(NAMES)} servers: {history.lines} lines, {size / 1e6:.0f} MB")
    print(f"  judged in {float(seconds):.1f} s and {mb:.0f} MB; json.loads of each line alone {peer:.1f} s: "
          f"{float(seconds) / peer:.1f}x")  # fmt: skip
    wanted = [f"{NAMES[0]}:RESTARTED", f"{NAMES[1]}:FROZEN"]
    if found != wanted:
        print(f"MISSED: found {found}, not {wanted}")
        return 1
    if float(seconds) > LIMIT_S or mb > LIMIT_MB:
        print(f"MISSED: more than {LIMIT_S:.0f} s or {LIMIT_MB:.0f} MB")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
