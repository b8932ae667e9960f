"""A day of the load generator in a process of its own, on a clock that jumps from request to request.

All is what a load runs: Locust's environment, its statistics and their history, the user, the desk, the traffic, the
recorder. Only the socket is not there: an answer comes at once, and is one of a few.
"""

from __future__ import annotations

import gc
import itertools
import os
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import locust.stats
from gevent.event import Event
from locust.env import Environment

import load.pool
from load.desk import Desk
from load.engine import trimming
from load.inspection import Inspector
from load.pool import PoolUser
from load.record import RowWriter
from load.users.asked import AskedOf, Sending
from load.users.ticket import Ticket
from load.users.traffic import Traffic
from seatrial.given import workload
from seatrial.records import SECOND, Endpoint, RunInfo
from seatrial.run.directory import RunDir
from seatrial.wire.masking.mask import Unseen
from seatrial.wire.transports.load import LoadTarget, Stream

RATE = 10
HISTORY_S = int(locust.stats.HISTORY_STATS_INTERVAL_SEC)
WARM = 0.02
"""Part of the day after which growth counts."""
FAILS = ("stall", "truncated", "http_5xx", "refused", "no_terminator", "busy")
ENDPOINT = Endpoint(name="day", url="http://h/v1", kind="generic", model="m", models=("m",), slots=8, context=8192)
PIECE = b'data: {"id":"c","model":"m","choices":[{"index":0,"delta":{"content":"word "}}]}\n\n'


class Day:
    """The clock of a day, in its place for all that asks for the time."""

    def __init__(self) -> None:
        self.wall, self.mono = time.time(), time.monotonic_ns()
        self.at = 0.0
        self.rss = Path("/proc/self/statm")
        vars(time).update(
            time=lambda: self.wall + self.at,
            monotonic=lambda: self.now() / SECOND,
            monotonic_ns=self.now,
            perf_counter=lambda: self.now() / SECOND,
        )

    def now(self) -> int:
        return self.mono + round(self.at * SECOND)

    def used(self) -> float:
        """Resident memory in MB."""
        gc.collect()
        return int(self.rss.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def answered(day: Day, numbers: itertools.count[int]) -> Any:
    """What stands in for the socket: whole answers, and one in a hundred of another sort, each with its own words."""

    def sent(_: LoadTarget, asked: Sending, s: Stream) -> str:
        n = next(numbers)
        at = day.now()
        tokens = 16 + n % 64
        s.sent, s.came, s.status = Unseen(asked.body), Unseen(PIECE * tokens), 200
        s.sent_at, s.first_at, s.last_at, s.ended_at = at, at + SECOND // 4, at + SECOND, at + SECOND
        s.gap_from, s.gap_to, s.tokens, s.prompt_tokens, s.deltas = at + SECOND // 2, at + SECOND, tokens, 40, tokens
        s.frames = tuple((at + k, len(PIECE)) for k in range(tokens))
        s.named, s.finish_reason = ("m",), "stop"
        if n % 100:
            return "ok"
        s.detail = f"upstream said no to request {n:x} of {at}"
        return FAILS[n // 100 % len(FAILS)]

    return sent


def main(folder: Path, hours: float, *, trims: bool) -> None:
    """Run it; prints the memory after the warm-up and at the end, in MB."""
    info = RunInfo(id="day", started="", started_ns=0, boot_id="", arguments=(), versions={}, seed=0)
    run = RunDir.create(folder / "run", info)
    environment = Environment(user_classes=[PoolUser])
    runner = environment.create_local_runner()
    stopped = Event()
    inspector = Inspector(ENDPOINT)
    session = environment.session = SimpleNamespace(
        desk=Desk(stopped), recorder=RowWriter(run.load_writer("load1"), ENDPOINT.name, 0), draining=stopped,
        endpoint=ENDPOINT, settings=SimpleNamespace(deadline_s=60.0), target=SimpleNamespace(turn=lambda: None),
        inspector=inspector,
    )  # fmt: skip
    traffic = Traffic(workload.named("short"), AskedOf(ENDPOINT, 0, 48, 8))
    names = ("chat", "agent", "structured", "long", "cancel", "canary", "invalid", "look")
    day = Day()
    load.pool.sent = answered(day, itertools.count(1))
    inspect = inspector.findings
    inspector.findings = lambda name, s: inspect(name, s) if not s.tokens or not s.tokens % 79 else ()
    user = PoolUser(environment)
    user.on_start()
    requests = round(hours * 3600 * RATE)
    for n in range(requests):
        day.at += 1 / RATE
        asked = traffic.request()
        named = Sending(asked.body, names[n % len(names)], asked.cap)
        user._ask(Ticket(named, "open", at=day.now()))
        if not n % (HISTORY_S * RATE):
            locust.stats.update_stats_history(runner)
            if trims:
                trimming.trim(environment.stats)
        if n == round(requests * WARM):
            warm = day.used()
            print(f"{warm:.1f}", flush=True)
    print(f"{day.used():.1f} {session.recorder.outcomes.total()}", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]), trims=sys.argv[3] == "trims")
