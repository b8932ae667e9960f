"""Faults of processes: deaths, replacements, freezing, closed listeners, blocked loops."""

from __future__ import annotations

import contextlib
import http.client
import json
import signal
import socket
import time
import urllib.request

from msgspec.structs import replace

from seatrial.records import SECOND, Clock, Event, Sample
from tests.faults.processes import Process, until
from tests.faults.rows import Expected, Row, Trial
from tests.faults.watching import wait_until

LIMIT = "its address-space limit was reached"


def plain(t: Trial) -> None:
    """A server, and now and then a client and a canary."""
    server = t.serve()
    t.watch.add(server, canary=t.rng.random() < 0.3)
    if t.rng.random() < 0.7:
        t.watch.traffic(server, clients=2)


def talking(t: Trial) -> None:
    """A server with clients."""
    server = t.serve()
    t.watch.add(server)
    t.watch.traffic(server)


def asked(t: Trial) -> None:
    """A server with a canary, and half of the time a client."""
    server = t.serve()
    t.watch.add(server, canary=True)
    if t.rng.random() < 0.5:
        t.watch.traffic(server, clients=1)


def logged(t: Trial) -> None:
    """A server whose log is named to the watch, or is not."""
    server = t.serve()
    t.facts["log"] = t.rng.random() < 0.5
    t.watch.add(server, log=t.facts["log"])


def supervised(t: Trial) -> None:
    """A server that a supervisor starts again within milliseconds."""
    server = t.serve("--supervised")
    t.watch.add(server)
    t.watch.traffic(server, clients=1)


def parental(t: Trial) -> None:
    """A server whose work is done by a child."""
    server = t.serve()
    server.order("runner").get()
    t.watch.add(server)
    t.watch.traffic(server, clients=1)
    t.facts["runner"] = server.order("runner_pid").get()["pid"]

    def known() -> bool:
        return any(isinstance(x, Event) and x.what == "found" and x.pid == t.facts["runner"] for x in t.watch.lines())

    until(known, "the runner is found")


def beset(t: Trial) -> None:
    """A server, and another program that waits for its port."""
    server = t.serve()
    t.watch.add(server, canary=t.rng.random() < 0.3)
    t.add(Process(t.folder, "impostor", str(server.port), orders=False))


def two(t: Trial) -> None:
    """Two servers with clients."""
    first, second = t.serve(), t.serve()
    for server, name in ((first, "b"), (second, "a")):
        t.watch.add(server, name)
        t.watch.traffic(server, name, clients=1)


def kill(t: Trial) -> None:
    t.signal(signal.SIGKILL)
    t.server.reap()


def segv(t: Trial) -> None:
    if t.server.real or t.rng.random() < 0.5:
        t.signal(signal.SIGSEGV)
    else:
        t.dies(lambda: t.server.order("raise", number=int(signal.SIGSEGV)).at)
    t.server.reap()


def abort(t: Trial) -> None:
    """In mid-stream, after a token."""
    if t.server.real:
        t.signal(signal.SIGABRT)
    else:
        t.dies(lambda: t.server.order("abort", event=t.rng.randrange(2, 15)).at)
    t.server.reap()


def exhaust(t: Trial) -> None:
    """Memory runs out while the recorder looks: a moment after it has seen the address space grown."""
    filled_at = t.server.order("fill", more_mb=t.rng.choice([30, 200])).at

    def seen() -> bool:
        return any(isinstance(x, Sample) and x.pid == t.server.pid and x.t > filled_at for x in t.watch.lines())

    until(seen, "the recorder has looked at it")
    t.dies(lambda: t.server.order("exhaust").at)
    t.server.reap()


def leave(code: int):
    def strike(t: Trial) -> None:
        t.dies(lambda: t.server.order("exit", code=code).at)
        t.server.reap()

    return strike


def freeze(t: Trial) -> None:
    t.struck_at = t.server.send(signal.SIGSTOP)
    wait_until(t.struck_at + 5 * SECOND)
    t.facts["over"] = t.server.send(signal.SIGCONT)


def replaced(t: Trial) -> None:
    t.signal(signal.SIGKILL)


def deafen(t: Trial) -> None:
    t.struck_at = t.server.order("deaf").at


def wedge(t: Trial) -> None:
    t.struck_at = t.server.order("wedge").at


def squat(t: Trial) -> None:
    """The server dies, or closes its listener; the other program has the port at once."""
    if t.rng.random() < 0.5:
        kill(t)
    else:
        deafen(t)


def orphan(t: Trial) -> None:
    """The child dies, by a signal of either kind; its parent starts another."""
    t.struck_at = t.server.send(t.rng.choice([signal.SIGKILL, signal.SIGSEGV]), t.facts["runner"])


def unseen(t: Trial) -> None:
    """The recorder is stopped, and meanwhile the server is replaced."""
    paused = t.watch.suspend()
    wait_until(paused + int(t.rng.uniform(0.2, 3) * SECOND))
    t.struck_at = t.server.send(signal.SIGKILL)
    wait_until(paused + 5 * SECOND)
    t.watch.go_on()


def restarted(t: Trial) -> None:
    """Killed, and started again by hand."""
    kill(t)
    t.again()


def ask_for_ten(t: Trial) -> None:
    """A request of the wrong type, which has stopped a server that is known."""
    body = json.dumps({"model": t.server.model, "max_tokens": "ten", "stream": True,
                       "messages": [{"role": "user", "content": "Say hello."}]}).encode()  # fmt: skip
    request = urllib.request.Request(f"http://127.0.0.1:{t.server.port}/v1/chat/completions", body)
    t.struck_at = time.monotonic_ns()
    with contextlib.suppress(OSError, http.client.HTTPException), urllib.request.urlopen(request, timeout=3) as answer:
        answer.read()


def what_became(t: Trial) -> tuple[Expected, ...]:
    """What the injector finds itself afterwards: the exit status, as the server's parent; else whether it accepts."""
    status = t.server.process.poll()
    if status is not None:
        signalled = -status if status < 0 else None
        return (Expected(family="STOPPED", signal=signalled, code=None if signalled else status),)
    try:
        socket.create_connection(("127.0.0.1", t.server.port), 2).close()
    except OSError:
        return (Expected(family="DEAF"),)
    return ()


def round_uptime(t: Trial, lines):
    """The record with the server's start moved back, so that its life was 1800.x s long."""
    uptime = int((1800 + t.rng.random()) * 100)
    offset = next(x.boot_ns - x.t for x in lines if isinstance(x, Clock))
    ticks = (t.struck_at + offset) // (SECOND // 100) - uptime
    return [replace(x, started_ticks=ticks) if isinstance(x, Event) and x.started_ticks else x for x in lines]


FAULTS = (
    Row(id="F01", title="SIGKILL", setup=plain, strike=kill, real=True,
        expected=(Expected(family="STOPPED", kind="signal", signal=9),)),
    Row(id="F02", title="SIGABRT in mid-stream", setup=talking, strike=abort, real=True,
        expected=(Expected(family="STOPPED", kind="crash", signal=6),)),
    Row(id="F03", title="SIGSEGV", setup=plain, strike=segv, real=True,
        expected=(Expected(family="STOPPED", kind="crash", signal=11),)),
    Row(id="F04", title="address space used up, bad_alloc", setup=logged, strike=exhaust,
        expected=(Expected(family="STOPPED", kind="crash", signal=6, cause=(LIMIT,)),)),
    Row(id="EXIT", title="exit 3", setup=plain, strike=leave(3),
        expected=(Expected(family="STOPPED", kind="exit", code=3),)),
    Row(id="F06", title="SIGSTOP for 5 s, SIGCONT", setup=plain, strike=freeze, real=True, ticks=4,
        expected=(Expected(family="FROZEN", also=("STREAM STALL",)),)),
    Row(id="F07", title="replaced by a supervisor within 100 ms", setup=supervised, strike=replaced,
        expected=(Expected(family="RESTARTED", kind="signal", signal=9),)),
    Row(id="F07b", title="killed, and started again by hand", setup=talking, strike=restarted, real=True,
        expected=(Expected(family="RESTARTED", kind="signal", signal=9),)),
    Row(id="F08", title="port taken by another program", setup=beset, strike=squat,
        expected=(Expected(family="IMPOSTOR", also=("STOPPED",)),)),
    Row(id="F09", title="listener closed, process alive", setup=plain, strike=deafen,
        expected=(Expected(family="DEAF"),)),
    Row(id="F10", title="engine's loop blocked, /health 200", setup=asked, strike=wedge, ticks=11,
        expected=(Expected(family="WEDGED", also=("STREAM STALL",)),)),
    Row(id="F22", title="child replaced under a living parent", setup=parental, strike=orphan, ticks=8,
        expected=(Expected(family="RUNNER REPLACED"),)),
    Row(id="F24", title="recorder stopped for 5 s, server replaced meanwhile", setup=supervised, strike=unseen,
        expected=(Expected(family="UNOBSERVED"), Expected(family="RESTARTED"))),
    Row(id="F26", title="exit 0 at an uptime of 1800 s (start moved back in the record)", setup=plain,
        strike=leave(0), history=round_uptime,
        expected=(Expected(family="STOPPED", kind="exit", code=0, says=("speaks for it",)),)),
    Row(id="TEN", title='"max_tokens": "ten"', setup=talking, strike=ask_for_ten, ticks=12, only=("dasllama",),
        truth=what_became, expected=(Expected(family="DEAF"), Expected(family="STOPPED"))),
    Row(id="TWO", title="the second of two servers replaced", setup=two, strike=restarted,
        expected=(Expected(family="RESTARTED", name="b", kind="signal", signal=9),)),
)  # fmt: skip
