"""Who serves after a restart: another model, another build, two servers at one port; and what looks like that."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

from seatrial.records import SECOND, Identity, Probe
from tests.faults.faults_living import family
from tests.faults.processes import Process, until
from tests.faults.rows import Expected, Row, Trial
from tests.faults.watching import wait_until

ASKED_S = 90.0
"""By then it has been asked who serves: beside a client a question waits for its turn, on a loaded machine for long."""
GRACE_S = 5.0
"""Between TERM and KILL of an announced restart."""


def known(*arguments: str) -> Callable[[Trial], None]:
    """A server with a client, whose models and build the watch knows."""

    def setup(t: Trial) -> None:
        server = t.serve(*arguments)
        t.watch.add(server)
        t.watch.traffic(server, clients=1)
        until(lambda: any(isinstance(x, Identity) for x in t.watch.lines()), "it is known what it serves", ASKED_S)

    return setup


def comes_back(*arguments: str, planned: bool = True) -> Callable[[Trial], None]:
    """It is restarted, by an announcement or without; it says again what it serves."""

    def strike(t: Trial) -> None:
        if planned:
            t.watch.command(planned_stop="a")
            t.struck_at = time.monotonic_ns()
            wait_until(t.struck_at + SECOND // 20)
            t.server.send(signal.SIGTERM)
            t.server.ended_or_killed(GRACE_S)
        else:
            t.signal(signal.SIGKILL)
            t.server.reap()
        t.again(*arguments)
        if planned:
            t.struck_at = t.facts["over"]
        seen = "it is known what it serves now"
        until(lambda: sum(isinstance(x, Identity) for x in t.watch.lines()) > 1, seen, ASKED_S)

    return strike


def nothing(t: Trial) -> None:
    t.struck_at = time.monotonic_ns()


def beside(t: Trial) -> None:
    """Another server is started at its port, and the old one lives on."""
    t.add(Process(t.folder, "fixture", f"--port={t.server.port}", "--shared"))
    t.struck_at = time.monotonic_ns()


def handed_over(t: Trial) -> None:
    """The same, and once the new one is known to own the port the old one is ended in order."""
    beside(t)
    until(lambda: any(isinstance(x, Probe) and x.strangers for x in t.watch.lines()), "both own the port")
    t.server.send(signal.SIGTERM)
    t.server.reap()
    t.facts["over"] = time.monotonic_ns()


HANDED_BY = ("samples", "probes", "/health", "exit status", "exits", "start ticks", "fingerprint")
"""Each alone may acquit a server that ended within a second of the handover: of the fingerprint it is the fact of when
it lived last."""

FAULTS = (
    Row(id="MODEL", title="an announced restart that brings another model", setup=known(),
        strike=comes_back("--model=other"),
        expected=(Expected(family="OTHER MODEL", says=("it listed golden, and lists other",)),)),
    Row(id="MODEL2", title="killed, and started again with another model", setup=known(),
        strike=comes_back("--model=other", planned=False),
        expected=(Expected(family="RESTARTED", kind="signal", signal=9),
                  Expected(family="OTHER MODEL", says=("it listed golden, and lists other",)))),
    Row(id="OWNERS", title="an old server lives on beside the new one at its port", setup=known("--shared"),
        strike=beside, ticks=22, expected=(Expected(family="TWO OWNERS", says=("of another server",)),)),
)  # fmt: skip
TWINS = (
    Row(id="BUILD", title="an announced restart that brings another build", setup=known(),
        strike=comes_back("--build=b6100"), notices=("OTHER BUILD",), must_notice="OTHER BUILD"),
    Row(id="ALIAS", title="the same model under another name, which knows the old one as an alias", setup=known(),
        strike=comes_back("--model=renamed", "--alias=golden")),
    Row(id="FAMILY", title="workers of one master, each with a LISTEN socket of its own, for 20 s",
        setup=family("--own"), strike=nothing, ticks=20),
    Row(id="HANDED", title="a server hands its port over to the next one, with which it shared it for a moment",
        setup=known("--shared"), strike=handed_over, ticks=20,
        rests_on=HANDED_BY),
)  # fmt: skip
