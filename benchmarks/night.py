"""Eight hours of a soak at ten requests a second, judged by every rule on soaks, beside reading the same as JSON.

Both are told in seconds of CPU, user and system, of one process that starts no other, and the least of three rounds
counts: what judging imports when it begins (the rules, scipy) is counted, what Python imports before it is not.

Synthetic and seeded: phases, canaries, counters, what the watch writes each second. The server leaks a little, and a
part of its streams is cut from the sixth hour on: what is judged must be found, or the time taken means nothing.
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

from seatrial.checks.areas.soak import parts
from seatrial.checks.catalogue import AREAS, load_all
from seatrial.records import (
    SECOND,
    Ask,
    Clock,
    Counters,
    Endpoint,
    Event,
    Expect,
    Judgement,
    Line,
    LoadRow,
    Meter,
    Phase,
    Planned,
    Probe,
    RunInfo,
    Sample,
    Sent,
)
from seatrial.run import sums
from seatrial.run.directory import RunDir

HOURS, RATE = 8, 10
NAME = "8080"
ROUNDS = 3
MOST = 2.0
WANTED = {"soak/streams-terminate": "FAIL", "soak/memory-does-not-grow": "FAIL", "soak/threads-do-not-grow": "PASS"}
PHASES = (("warm-up", 0.0), ("baseline", 0.02), ("closed", 0.04), ("open", 0.25), ("rest", 0.99))

CHILD = """
import resource, sys, time
from seatrial.judging.run import judge
from seatrial.run.directory import RunDir
from pathlib import Path
began = time.process_time()
judged = judge(RunDir.open(Path(sys.argv[1])))
took = time.process_time() - began
held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(took, held, *[f"{c.rule}={c.outcome.value}" for c in judged.cases])
"""
PEER = """
import json, sys, time
began = time.process_time()
for path in sys.argv[1:]:
    with open(path, "rb") as file:
        for line in file:
            json.loads(line)
print(time.process_time() - began)
"""

_encode = msgspec.json.Encoder().encode


class Night:
    """Writes the lines of a night."""

    def __init__(self, run: RunDir, seconds: int) -> None:
        self.lines, self.tokens, self.requests = 0, 0, 0
        self._run, self._seconds = run, seconds
        self._begin, self._random = sums.start(run.info.id), random.Random(8)
        self._n = dict.fromkeys(("recorder", "load1", "main", "keeper"), 0)
        self._row = 0

    def write(self) -> None:
        """All files of the run."""
        page = Endpoint(name=NAME, url="http://127.0.0.1:8080/v1", kind="generic", model="m", models=("m",), slots=8)
        self._run.write_endpoint(page)
        rules = [rule for rule in load_all(AREAS).values() if rule.shape == "soak"]
        cases = [(f"{rule.id}[closed]@{NAME}", rule.id) for rule in rules]
        traits = tuple(sorted(map(str, parts.COUNTED | parts.CANARIED)))
        self._run.write_planned(
            [Planned(case=case, endpoint=NAME, rule=rule, scenario="closed", suite="soak", traits=traits)
             for case, rule in cases]
        )  # fmt: skip
        files = {
            "samples": "watch/samples",
            "events": "watch/events",
            "load": "load/load1",
            "seal": "watch/keeper/events",
        }
        (self._run.path / "watch" / "keeper").mkdir(exist_ok=True)
        for name in ("sent", "judged"):
            files[name] = "writers/load1-7/exchanges" if name == "sent" else "writers/main-1/judgements"
            (self._run.path / files[name]).parent.mkdir(parents=True)
        opened = {name: (self._run.path / f"{place}.jsonl").open("wb") for name, place in files.items()}
        for file, writer, at, line in self._written():
            opened[file].write(self._stamped(line, writer, at))
        expect = msgspec.to_builtins(Expect.of(page, settings={"stopped": [], "cache": 0}))
        for case, rule in cases:
            line = Judgement(case=case, endpoint=NAME, rule=rule, expect=expect)
            opened["judged"].write(self._stamped(line, "main", self._seconds * SECOND))
        last = {**{writer: n for writer, n in self._n.items() if n}, "plan": len(cases)}
        facts = {"lines": json.dumps(last)}
        seal = Event(what="seal", name="keeper", at=self._seconds * SECOND, facts=facts)
        opened["seal"].write(self._stamped(seal, "keeper", (self._seconds + 1) * SECOND))
        for file in opened.values():
            file.close()

    def _written(self) -> Iterator[tuple[str, str, int, Line]]:
        facts = {"exe": "/usr/local/bin/llama-server", "arguments": "llama-server --port 8080"}
        found = Event(what="found", name=NAME, at=0, pid=7, incarnation="i", started_ticks=5, facts=facts)
        yield "events", "recorder", 0, found
        yield "load", "load1", 0, Counters(endpoint=NAME, phase="before", requests=0, tokens=0, source="/metrics")
        yield "load", "load1", 0, Phase(endpoint=NAME, what="start", at=1, facts={"users": "8", "slots": "8"})
        starts = {int(share * self._seconds): name for name, share in PHASES}
        phase = ""
        for second in range(self._seconds):
            t = second * SECOND
            if second in starts:
                phase = starts[second]
                line = Phase(endpoint=NAME, what="phase", at=t + 1, name=phase, sort=phase, facts={})
                yield "load", "load1", t, line
            yield from (("samples", "recorder", t, line) for line in self._watched(second))
            yield "load", "load1", t, Clock(wall_ns=t + 1_700_000_000 * SECOND, boot_ns=t, raw_ns=t)
            if phase != "rest":
                yield from self._served(second, phase)
        end = self._seconds * SECOND
        yield "load", "load1", end, Phase(endpoint=NAME, what="drain", at=end)
        yield "load", "load1", end, Counters(endpoint=NAME, phase="after", requests=self.requests, tokens=self.tokens,
                                             source="/metrics")  # fmt: skip
        yield "load", "load1", end, Phase(endpoint=NAME, what="end", at=end, facts={"how": "drained"})

    def _watched(self, second: int) -> Iterator[Line]:
        t = second * SECOND
        yield Clock(wall_ns=t + 1_700_000_000 * SECOND, boot_ns=t, raw_ns=t)
        memory = 17_000_000_000 + second * 60_000 + self._random.randrange(4_000_000)
        yield Sample(name=NAME, pid=7, incarnation="i", state="S", cpu_ns=second * SECOND // 2, memory=memory,
                     threads=24, fds=40, switches=second * 900, io=second * 10_000, size=30_000_000_000)  # fmt: skip
        yield Probe(name=NAME, listens=True, inode=77, queue=0, owner=7, health=200, health_ns=800_000, oom_host=3,
                    oom_cgroup=0)  # fmt: skip
        yield Ask(name=NAME, rung="scheduler", id=f"scheduler-{second}", asked_at=t, status=200,
                  ended_at=t + 3_000_000, outcome="ok")  # fmt: skip
        running = 0 if second >= int(0.99 * self._seconds) else 2
        yield Meter(name=NAME, source="llama.cpp /slots", running=running, progress=second * 400)

    def _served(self, second: int, phase: str) -> Iterator[tuple[str, str, int, Line]]:
        draw = self._random
        for number in range(RATE):
            t = second * SECOND + number * SECOND // RATE
            sent = Sent(endpoint=NAME, scenario="soak", method="POST", path="/chat/completions", load=True)
            yield "sent", "load1", t, sent
            name = f"load1-{self._n['load1']}"
            canary = second % 60 == 0 and number == 0
            cut = not canary and second > 0.75 * self._seconds and draw.random() < 0.01
            first, pace, tokens = t + draw.randrange(80, 160) * 1_000_000, draw.randrange(19, 22), 24
            last = first + (tokens - 1) * pace * 1_000_000
            row = LoadRow(id=name, endpoint=NAME, outcome="truncated" if cut else "ok", intended_at=t, sent_at=t,
                          ended_at=last + 1000, first_at=first, last_at=last, deltas=tokens, gap_from=first,
                          gap_to=first + 30_000_000, tokens=None if cut else tokens, prompt_tokens=None if cut else 90,
                          finish_reason="" if cut else "stop", status=200, phase=phase, cap=48,
                          workload="canary" if canary else "chat", canary=canary, named=("m",),
                          cached=None if cut else 60,
                          byte_at=t + 5_000_000, content_at=first)  # fmt: skip
            self.requests += 1
            self.tokens += tokens
            yield "load", "load1", last, row

    def _stamped(self, line: Line, writer: str, t: int) -> bytes:
        n = self._n[writer] = self._n[writer] + 1
        self.lines += 1
        stamped = _encode(msgspec.structs.replace(line, v=2, w=writer, n=n, t=t + n % 1000))
        return sums.signed(stamped, self._begin) + b"\n"


def _said(code: str, *arguments: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False,
                          env={**os.environ, "PYTHONHASHSEED": "0"})  # fmt: skip
    if done.returncode:
        raise SystemExit(f"MISSED: {done.stderr[-2000:]}")
    return done.stdout.split()


def main() -> int:
    """Write the night, judge it in processes of their own; 1 when it takes more than its figure or finds otherwise."""
    with tempfile.TemporaryDirectory() as folder:
        info = RunInfo(id="night", started="2026-02-01T20:00:00+00:00", started_ns=0, boot_id="", arguments=(),
                       versions={}, seed=8)  # fmt: skip
        run = RunDir.create(Path(folder) / "night", info)
        night = Night(run, HOURS * 3600)
        began = time.perf_counter()
        night.write()
        files = [str(path) for path in sorted(run.path.rglob("*.jsonl"))]
        size = sum(Path(path).stat().st_size for path in files)
        print(f"  {HOURS} h at {RATE}/s: {night.requests} requests, {night.lines} lines, {size / 1e6:.0f} MB "
              f"(written in {time.perf_counter() - began:.0f} s)", flush=True)  # fmt: skip
        seconds, peer, outcomes, memory = float("inf"), float("inf"), dict[str, str](), 0.0
        for _ in range(ROUNDS):
            took, held, *cases = _said(CHILD, str(run.path))
            seconds, memory = min(seconds, float(took)), float(held) / 1e6
            peer = min(peer, float(_said(PEER, *files)[0]))
            outcomes = dict(case.split("=") for case in cases)
    found = {rule: outcomes.get(rule, "") for rule in WANTED}
    kept = seconds <= MOST * peer and found == WANTED
    print(f"  judged by {len(outcomes)} rules in {seconds:.1f} s of CPU and {memory:.0f} MB; json.loads of each line "
          f"alone {peer:.1f} s: {seconds / peer:.2f}x (at most {MOST:g}); found {json.dumps(found)}: "
          f"{'ok' if kept else 'MISSED'}")  # fmt: skip
    return int(not kept)


if __name__ == "__main__":
    sys.exit(main())
