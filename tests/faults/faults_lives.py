"""Lives that follow each other without an answer, and last words in a log that are not the server's own."""

from __future__ import annotations

import signal
import time

from tests.faults.faults_process import logged, plain
from tests.faults.processes import pause
from tests.faults.rows import Expected, Row, Trial

LIVES = 4
LIFE_S = 1.5
"""Long enough for the recorder to find the one who listens."""
LOADS_S = 4.0


def loop(t: Trial) -> None:
    """Killed; those who follow listen, answer nobody and leave with status 1; the last one serves."""
    t.signal(signal.SIGKILL)
    t.server.reap()
    for _ in range(LIVES):
        life = t.add(t.server.again(t.folder, "--manner=never", f"--leaves={LIFE_S}"))
        life.reap()
        pause(0.3)
    t.again()


def once(t: Trial) -> None:
    """Killed; the one that follows loads for a while, and then serves."""
    t.signal(signal.SIGKILL)
    t.server.reap()
    t.add(t.server.again(t.folder, f"--manner=loads:{LOADS_S}"))
    t.facts["over"] = time.monotonic_ns()


def killed_after_words(t: Trial) -> None:
    """Its log gets a line of another program's about an orderly end; then it is killed."""
    t.server.order("write", text="proxy: worker received SIGTERM, shutting down gracefully").get()
    t.signal(signal.SIGKILL)
    t.server.reap()


FAULTS = (
    Row(id="LOOP", title=f"killed, and {LIVES} lives after it that end before they answer", setup=plain, strike=loop,
        ticks=8, expected=(Expected(family="RESTARTED", kind="signal", signal=9, once=True, loops=LIVES),)),
    Row(id="ONCE", title=f"killed, and followed by one that loads for {LOADS_S:.0f} s", setup=plain, strike=once,
        ticks=10, expected=(Expected(family="RESTARTED", kind="signal", signal=9, once=True, loops=0),)),
    Row(id="WORDS", title="killed after a line of another program's orderly end in its log", setup=logged,
        strike=killed_after_words, expected=(Expected(family="STOPPED", kind="signal", signal=9),)),
)  # fmt: skip
