"""What a server does to those who use it for hours: no single answer is wrong, and it gets worse or stops for a while.

No rule on one answer sees any of these. Rules on a soak do, and ``python -m tests.live`` shows it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

from tests.golden.answers import Answer
from tests.golden.items import Pause, Piece
from tests.golden.registry import Call, Shot, chat, fault

MEGABYTE = 1 << 20
SLOWER = 1.15
STALL_S = 60.0
LINES_A_SECOND = 10_000
LINE = "slot 0: nothing to do\n"


def engine(call: Call) -> bool:
    """What an engine's own loop must answer."""
    return chat(call) or call.path in {"/slots", "/metrics"}


@fault("keeps-a-megabyte", stage="draft", when=chat, family="watch")
def keeps_a_megabyte(answer: Answer, shot: Shot) -> Answer:
    """With each request a megabyte of memory is taken and never given back."""
    if not shot.fired:
        shot.memory.setdefault("kept", []).append(b"\1" * MEGABYTE)  # of ones: pages of zeros are not taken
        shot.fire()
    return answer


@fault("slower", stage="wire", when=chat, family="watch")
def slower(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """Prompts are read and tokens made 15 % more slowly than the server can."""
    for piece in pieces:
        if isinstance(piece, Pause):
            shot.fire()
        yield Pause(SLOWER * piece.seconds) if isinstance(piece, Pause) else piece


@fault("stands-still", stage="wire", when=engine, family="watch")
def stands_still(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """For a minute, once, the engine answers nothing; then it goes on with what came meanwhile."""
    until = shot.memory.setdefault("until", time.monotonic() + STALL_S)
    if (left := until - time.monotonic()) > 0:
        shot.fire()
        yield Pause(left)
    yield from pieces


@fault("floods-its-log", stage="wire", family="watch")
def floods_its_log(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """Ten thousand lines a second are written to standard error, as many as are due at each request."""
    now = time.monotonic()
    due = int(LINES_A_SECOND * (now - shot.memory.setdefault("at", now)))
    if due:
        shot.memory["at"] += due / LINES_A_SECOND
        sys.stderr.write(LINE * due)
        sys.stderr.flush()
        shot.fire()
    yield from pieces


@fault("forgets-prompts", stage="known", when=chat, family="watch")
def forgets_prompts(known: int, shot: Shot) -> int:
    """What came before of a prompt is worked on again, all of it: nothing is kept."""
    return known and 0
