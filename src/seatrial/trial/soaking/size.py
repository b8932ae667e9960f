"""How large the record of a soak becomes, told before it begins. All sizes in bytes.

What one line of each kind takes was counted in records of soaks. Requests come from the phases: their rates where they
are given; of closed users, and of shares of what they reach, what a server of the speed that was measured would answer.
"""

from __future__ import annotations

import math
import os
import shutil
from pathlib import Path
from typing import NamedTuple

from seatrial.given.errors import ConfigError
from seatrial.given.phases import SoakPhase
from seatrial.given.soak import SoakAsked
from seatrial.given.workload import TrafficPart
from seatrial.records import Endpoint, PhaseSort
from seatrial.run.space import LOG_BYTES
from seatrial.run.writer import LOAD_BYTES

A_REQUEST = 750
"""Its line before, its row after."""
A_SECOND = 1500
"""Clocks of all writers, and looks at a server of one process without a GPU."""
A_WORKER = 250
"""A second of one more process of the load: its clocks, and how it kept its times."""
A_TOKEN = 260
"""Of a stream, as it is stored, with the line that tells when its reads came."""
A_WORD = 7
A_SAMPLE = 50
"""Of sound streams the n-th keeps its bytes with a chance of this part of n."""
A_REPORT = 6_000_000
A_STREAM = 50.0
"""Tokens a second of one stream, where no speed was measured: of a server that is fast."""
BASELINE_RPS = 1.0
USERS = 4
ANSWER = 48
PROMPT = 60
"""Tokens of an answer and words of a prompt, where the traffic does not say."""


class Size(NamedTuple):
    """What the record of one endpoint's soak takes. ``rps``: what closed users are taken to reach."""

    requests: int
    rps: float
    rows: int
    watch: int
    answers: int

    @property
    def whole(self) -> int:
        return self.rows + self.watch + self.answers + A_REPORT


def size_of(asked: SoakAsked, endpoint: Endpoint | None) -> Size:
    """The size of a soak's record.

    Args:
        endpoint: who is loaded; None: that is not known yet.
    """
    parts = asked.traffic.parts
    tokens = _mean(parts, "answer", ANSWER)
    users = asked.users or (endpoint.slots if endpoint is not None else None) or USERS
    speed = (endpoint.speed if endpoint is not None else None) or users * A_STREAM
    reached = speed / tokens
    n = math.ceil(sum(_requests(phase, reached) for phase in asked.phases) + asked.seconds / asked.canary_s)
    workers = asked.crew.workers
    sample = A_SAMPLE * max(workers, 1)  # each worker has one of its own
    kept = min(n, sample * (1 + math.log(max(n / sample, 1))))
    answers = kept * (tokens * A_TOKEN + _mean(parts, "prompt", PROMPT) * A_WORD)
    return Size(
        n,
        reached,
        n * A_REQUEST,
        round(asked.seconds * (A_SECOND + workers * A_WORKER)),
        round(min(answers, LOAD_BYTES)),
    )


def check_room(asked: SoakAsked, endpoints: int, folder: Path) -> None:
    """Check that there is room for the record of a soak of so many endpoints.

    Raises:
        ConfigError: there is not.
    """
    needed, free = endpoints * size_of(asked, None).whole, _free(folder)
    if needed > free:
        raise ConfigError(
            f"the record of this soak takes about {shown(needed)}, and {shown(free)} are free in {folder.parent}: free "
            "space, or name another folder with --run-dir"
        )


def told(size: Size, folder: Path, *, logs: bool) -> str:
    """The size in words, what bounds it, and what there is room for.

    Args:
        folder: where the record is kept, or will be.
        logs: a server of ours writes its log there.
    """
    free = _free(folder)
    bounds = f"answers at most {shown(LOAD_BYTES)}" + (f", the server's log {shown(LOG_BYTES)}" if logs else "")
    return (
        f"record about {shown(size.whole)}: {size.requests} requests {shown(size.rows)}, watch {shown(size.watch)}, "
        f"answers {shown(size.answers)}, report {shown(A_REPORT)}; {bounds}; {shown(free)} are free"
    )


def taken(run: Path) -> int:
    """What the record of a soak takes on the disk, with all of the watch and of a server's log, in a run directory."""
    folders = [run / "load", run / "watch", run / "server", *(run / "writers").glob("load*")]
    files = (Path(at) / name for folder in folders for at, _, names in os.walk(folder) for name in names)
    return sum(file.lstat().st_blocks * 512 for file in files)


def shown(size: int) -> str:
    """``41 MB``, ``1.2 GB``."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{max(size / 1e6, 0.1):.{0 if size >= 1e6 else 1}f} MB"


def _free(folder: Path) -> int:
    return shutil.disk_usage(next(each for each in (folder, *folder.parents) if each.exists())).free


def _requests(phase: SoakPhase, reached: float) -> float:
    """How many requests a phase sends, where closed users reach so many a second."""
    if phase.sort is PhaseSort.REST:
        return 0.0
    if phase.sort is PhaseSort.BASELINE:
        return phase.seconds * BASELINE_RPS
    rates = phase.rps or tuple(share * reached for share in phase.share) or (reached,)
    return phase.seconds * sum(rates) / len(rates)


def _mean(parts: tuple[TrafficPart, ...], key: str, usual: int) -> float:
    """The mean over the parts of a traffic by weight, of a range each."""
    spans = [(part.weight, getattr(part, key) or (usual, usual)) for part in parts]
    return sum(weight * (low + high) / 2 for weight, (low, high) in spans) / sum(weight for weight, _ in spans)
