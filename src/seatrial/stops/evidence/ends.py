"""How a process ended, in numbers: its wait status, kills for want of memory around it, its limit, how long it ran."""

from __future__ import annotations

import signal

import msgspec

from seatrial.records import SECOND, Fact
from seatrial.stops.evidence.programs import exe_of, forwards
from seatrial.stops.state.case import Case
from seatrial.stops.state.incarnations import Exit
from seatrial.text import signal_name

CRASHES = frozenset(
    {signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGTRAP, signal.SIGSYS}
)
OF_ITS_DOING = frozenset({signal.SIGPIPE, signal.SIGXCPU, signal.SIGXFSZ})
"""The kernel sends these to a process for what the process does: hardly anybody else does."""
CLOSE = 0.9
"""An address space this near to its limit at the last look may have reached the limit: the next piece did not fit."""
GREW = 0.25
"""A space near its limit was on its way there if in the last looks it grew by so much of what was left."""
FULL = 0.99
"""A space is full with less than a hundredth left: the next piece of work does not fit, and it cannot grow."""


class Room(msgspec.Struct, frozen=True):
    """A process's address space and its limit, bytes; None: not known, or without a limit.

    ``grown``: by how much it grew in the last looks.
    """

    size: int | None
    limit: int | None
    grown: int = 0

    @property
    def share(self) -> float | None:
        """Size by limit."""
        return self.size / self.limit if self.size is not None and self.limit else None

    @property
    def percent(self) -> str:
        """``99 %`` of the limit; empty where that is not known."""
        return "" if self.share is None else f"{100 * self.share:.0f} %"

    @property
    def near(self) -> bool:
        """Whether the space stood near its limit at the last look. Many a server's space does so all its life."""
        return self.share is not None and self.share >= CLOSE

    @property
    def reached(self) -> bool:
        """Whether the limit was reached, as far as the last looks tell: full, or near and growing."""
        left = max(0, (self.limit or 0) - (self.size or 0))
        full = self.share is not None and self.share > FULL
        return full or (self.near and self.grown > 0 and self.grown >= GREW * left)


def signal_of(end: Exit | None) -> int | None:
    """The signal that ended a process, from its raw wait status."""
    return None if end is None or end.status is None else (end.status & 0x7F) or None


def code_of(end: Exit | None) -> int | None:
    """The exit code of a process that ended itself."""
    if end is None or end.status is None or end.status & 0x7F:
        return None
    return end.status >> 8 & 0xFF


def how(end: Exit | None) -> str:
    """``ended by SIGKILL``, ``ended with status 3``, or that the manner of the end is not observable."""
    number, code = signal_of(end), code_of(end)
    if number is not None:
        return f"ended by {signal_name(number)}"
    return f"ended with status {code}" if code is not None else "ended, how is not observable"


def kind_of(case: Case) -> str:
    """signal, exit, crash, oom or unknown, of a case in which a process ended."""
    number = signal_of(case.exit)
    if number is not None:
        if number == signal.SIGKILL and (killed_for_memory(case)[1] or 0) > 0:
            return "oom"
        return "crash" if number in CRASHES else "signal"
    return "unknown" if code_of(case.exit) is None else "exit"


def killed_for_memory(case: Case) -> tuple[int | None, int | None]:
    """How many processes were killed for want of memory around the end: on the host, and in the server's cgroup."""
    before, after = case.oom_before, case.oom_after
    facts = case.exit.facts if case.exit else {}
    host = _later(after.host if after else None, facts.get(Fact.OOM_HOST))
    cgroup = _later(after.cgroup if after else None, facts.get(Fact.OOM_CGROUP))
    return (
        None if before is None or before.host is None or host is None else host - before.host,
        None if before is None or before.cgroup is None or cgroup is None else cgroup - before.cgroup,
    )


def room_of(case: Case) -> Room:
    """The address space at the last look, and its limit: as told at the end, at the last look, or when it was found."""
    look = case.look
    told = [
        facts.get(Fact.LIMIT_OF_ADDRESS_SPACE, "") for facts in (_facts(case), case.main.facts if case.main else {})
    ]
    limits = [number_in(told[0]), look.size_limit if look else None, number_in(told[1])]
    if told[0] == "unlimited":
        limits = []
    size = look.size if look else None
    return Room(size, next((limit for limit in limits if limit), None), _grown(case, size))


def number_in(fact: str) -> int | None:
    """The number a fact of an event holds, if it holds one."""
    return int(fact) if fact.isascii() and fact.isdecimal() and len(fact) <= 20 else None


def forwarder_of(case: Case) -> str:
    """The name of a case's process, if the process only hands connections on: the server behind it may live on."""
    return exe_of(case.main.facts).rpartition("/")[2] if case.main is not None and forwards(case.main) else ""


def uptime_s(case: Case, boot_offset: int | None) -> float | None:
    """Seconds from the start of a case's process, by its start ticks, to its end."""
    if case.main is None or not case.main.started_ticks or boot_offset is None:
        return None
    return max(0.0, (case.dead_at + boot_offset) / SECOND - case.main.started_ticks / 100)


def ignores(case: Case, number: int) -> bool | None:
    """Whether the process ignored a signal, by the mask read while it lived; None where no mask was read."""
    return _bit(case, "signals ignored", number)


def catches(case: Case, number: int) -> bool | None:
    """Whether the process had a handler for a signal."""
    return _bit(case, "signals caught", number)


def _bit(case: Case, fact: str, number: int) -> bool | None:
    text = case.main.facts.get(fact, "") if case.main else ""
    try:
        return bool(int(text, 16) >> (number - 1) & 1) if text and len(text) <= 32 else None
    except ValueError:
        return None


def _grown(case: Case, size: int | None) -> int:
    """By how much the address space grew from its least size in the last looks to its last size."""
    if size is None or case.look is None:
        return 0
    return size - min([size, *(before for at, before in case.sizes if at <= case.look.at)])


def _facts(case: Case) -> dict[str, str]:
    return case.exit.facts if case.exit else {}


def _later(probe: int | None, fact: str | None) -> int | None:
    known = [n for n in (probe, number_in(fact or "")) if n is not None]
    return max(known, default=None)
