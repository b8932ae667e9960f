"""The part of the fold that reads witnesses of a stop: its threads, its log, its counters, the GPU's driver."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from msgspec.structs import replace

from seatrial.records import SECOND, Event, Fact, Log, Meter, Threads
from seatrial.stops.state.server import Case, Server, Sign, State

LOG_NS = 10 * SECOND
"""A log read so long after a stop may speak of what came after it."""
THREADS_NS = SECOND
"""Threads read so shortly before the first proof of a stop were read for it: a rung had just broken."""
LOOKS_NS = 5 * SECOND
"""The last looks at its address space: what grew before them is no sign of how it ended."""
SIZES_KEPT = 16
GPU_KEPT = 8
LOGS_KEPT = 2
MARKED = ("STOPPED", "RESTARTED", "IMPOSTOR")


def threads(server: Server, line: Threads) -> Server:
    """What each thread does. Of a stop the first reading after its beginning tells."""
    server = replace(server, threads=line)
    return _attached(server, lambda case: _with_threads(case, line))


def log(server: Server, line: Log) -> Server:
    """The last lines of its log; of them those are new that the reading before did not show."""
    server = replace(server, logs=(*server.logs, line)[-LOGS_KEPT:])
    return _attached(server, lambda case: _with_log(case, line))


def meter(server: Server, line: Meter) -> Server:
    """Whether it sleeps, and its own mark of its start: another one, and its counters began anew."""
    if line.asleep is not None:
        server = _slept(server, line.t, asleep=line.asleep)
    if not line.start or line.start == server.mark:
        return server
    said = f"its own mark of its start changed: {server.mark} -> {line.start}"
    new = replace(server, mark=line.start)
    if not server.mark:
        return new
    last = next((c for c in reversed(new.cases) if c.family in MARKED and c.successor is not None), None)
    if last is None or last.counters:
        return new
    cases = tuple(replace(c, counters=said) if c.id == last.id else c for c in new.cases)
    return replace(new, cases=cases)


def _slept(server: Server, at: int, *, asleep: bool) -> Server:
    if not asleep:
        return replace(server, awake_at=at)
    since, until = server.asleep
    return replace(server, asleep=(since if since and server.awake_at < until else at, at))


def sized(sizes: tuple[tuple[int, int], ...], sign: Sign) -> tuple[tuple[int, int], ...]:
    """The latest sizes of its address space with that of a sample, where it is another than the one before."""
    if sign.size is None or (sizes and sign.size == sizes[-1][1]):
        return sizes
    return (*sizes, (sign.at, sign.size))[-SIZES_KEPT:]


def lately(server: Server) -> tuple[tuple[int, int], ...]:
    """The sizes of the last looks: the one at their beginning, and each that followed it."""
    if server.sign is None:
        return ()
    since = server.sign.at - LOOKS_NS
    return (*[size for size in server.sizes if size[0] <= since][-1:], *[s for s in server.sizes if s[0] > since])


def driver(state: State, event: Event) -> State:
    """An error of a GPU's driver: it bears on every server of this host, but for those that are on another GPU."""
    servers = {name: _with_driver(server, event, state) for name, server in state.servers.items()}
    return replace(state, servers=servers)


def at_open(server: Server) -> Server:
    """The newest stop, with what was read for it before it was known to be one."""
    case = server.cases[-1]
    new = case
    for line in server.logs:
        old = line.at < new.alive.at
        new = replace(new, log_old=frozenset(line.text)) if old else _with_log(new, line)
    if server.threads is not None:
        new = _with_threads(new, server.threads)
    return server if new is case else replace(server, cases=(*server.cases[:-1], new))


def near(at: int, dead_at: int) -> bool:
    """Whether an error of the GPU's driver came with a stop: up to 10 s before it, or told up to 2 s after it."""
    return -10 * SECOND <= at - dead_at <= 2 * SECOND


def thread_words(line: Threads) -> str:
    """All threads in one phrase: who waits in the kernel, who runs, or that all sleep."""
    states = Counter(state for _, _, state, _, _ in line.threads)
    number = line.total or len(line.threads)
    for _, name, state, _, place in line.threads:
        if state == "D":
            return f"thread {name} in state D{f' at {place}' if place else ''}, of {number}"
    if states["R"]:
        name = next(name for _, name, state, _, _ in line.threads if state == "R")
        return f"thread {name} in state R, of {number}"
    if not line.threads or len(states) > 1:
        return f"{number} threads: {', '.join(f'{n} in state {state}' for state, n in states.most_common())}"
    what = {"S": "sleep", "T": "are stopped", "t": "are held by a debugger"}.get(next(iter(states)), "")
    return f"all {number} threads {what or f'in state {next(iter(states))}'}"


def _attached(server: Server, change: Callable[[Case], Case]) -> Server:
    """The server with the late evidence in its latest stops."""
    if not server.cases:
        return server
    cases = tuple(map(change, server.cases[-4:]))
    if all(new is old for new, old in zip(cases, server.cases[-4:], strict=True)):
        return server
    return replace(server, cases=(*server.cases[:-4], *cases))


def _with_threads(case: Case, line: Threads) -> Case:
    mine = case.main is not None and case.main.pid == line.pid
    late = case.until is not None and line.t > case.until
    if not mine or late or case.threads is not None or line.t < case.dead_at - THREADS_NS or case.exit is not None:
        return case
    return replace(case, threads=line)


def _with_log(case: Case, line: Log) -> Case:
    """Two readings at one moment are of two files: a log that was rotated."""
    lasts = case.until is None and case.exit is None
    if case.family == "UNOBSERVED" or line.at < case.alive.at or (line.at > case.dead_at + LOG_NS and not lasts):
        return case
    text = (*case.log, *line.text) if line.at == case.log_at else line.text or case.log
    return replace(case, log=text, log_at=line.at, log_note=line.note or case.log_note)


def _with_driver(server: Server, event: Event, state: State) -> Server:
    if server.remote or _on_another(server, event.facts.get(Fact.GPU, ""), state):
        return server
    server = replace(server, gpu=(*server.gpu, event)[-GPU_KEPT:])
    return _attached(server, lambda case: _with_error(case, event))


def _with_error(case: Case, event: Event) -> Case:
    if case.family == "UNOBSERVED" or not near(event.at, case.dead_at) or len(case.gpu) >= GPU_KEPT:
        return case
    return replace(case, gpu=(*case.gpu, event))


def _on_another(server: Server, index: str, state: State) -> bool:
    """Whether its processes are known to be on other GPUs than this one."""
    pids = {str(pid) for pid in server.children} | ({str(server.main.pid)} if server.main else set())
    on = {str(gpu) for gpu, there in state.gpus.items() if there & pids}
    return bool(on) and index not in on
