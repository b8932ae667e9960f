"""What may be behind a stop: each idea, and what would show it. ``{}`` stands for a name or a figure."""

from __future__ import annotations

import enum
from typing import Literal

import msgspec

from seatrial.stops.evidence.testified import orderly
from seatrial.stops.state.case import Case

Speaks = Literal[0, 1, 2]
FOR: Literal[0] = 0
OPEN: Literal[1] = 1
AGAINST: Literal[2] = 2


class Idea(enum.Enum):
    """What may be behind stops of several families, and what would show it."""

    BEHIND_ENDED = "what stands behind the address ended", "its own process, watched where it runs"
    MISCONFIGURED = "what hands the connections on is misconfigured", "the same question, asked behind it"
    OTHER_PROTOCOL = "the address speaks another protocol now", "the scheme of its URL changed"
    WORK_DONE = "its work was done", "exit status 0"
    BY_PARENT = "its parent ended it: a model unloaded, a health check failed", "a line in the parent's log"
    SENT_BY_SOMEBODY = "a person, an agent or a supervisor", "an audit record or a process event"
    OWN_ERROR = "an error it found itself", "the last lines of its log"
    OOM = "the OOM killer", "oom_kill grows"
    OOM_OF_CGROUP = "the OOM killer", "oom_kill of its cgroup grows"
    OOM_OF_USERS = (
        "systemd-oomd, earlyoom or a watcher like them, which kills before the kernel must",
        "a line in its log",
    )
    OOM_BEHIND = "the OOM killer ended the server behind it", "oom_kill of that server's cgroup grows"
    FORWARDED_ENDED = "the server behind {} ended, and {} with it", "the exit status its launcher tells"
    FORWARDER_ALONE = "{} alone ended", "the server still answers at its own address"
    GPU_ERROR = "a GPU error", "an error of the driver's at that moment, and a line of it in its log"
    OWN_FAULT = "its own fault", "a core dump or a last word in its log"
    SENT_SIGNAL = "a signal sent by another process", "an audit record"
    NO_READER = "it wrote to a pipe or a connection whose reader had gone", "its output piped to a program that ended"
    CPU_LIMIT = "its limit of CPU time", "so much CPU time used"
    FILE_LIMIT = "its limit of the size of a file", "a file of that size, as its log"
    ADDRESS_SPACE = "its address-space limit", "a size near the limit, and std::bad_alloc in its log"
    LAUNCHER = "its launcher's time-out", "uptime at a round {} s"
    SESSION_ENDED = "the end of a login session", "session leader gone at the same moment"
    ORDERLY = "an orderly shutdown it was asked for", "a line in its log"


class Guess(msgspec.Struct, frozen=True):
    """``idea``: an :class:`Idea`, or one of an enum of its family alone.

    ``speaks``: whether what was seen speaks for the idea, was not seen at all, or speaks against it.
    """

    idea: enum.Enum
    seen: str
    speaks: Speaks = OPEN
    of: str = ""  # the name or figure that the idea is about

    def __str__(self) -> str:
        what, shows = (text.replace("{}", self.of) for text in self.idea.value)
        return f"{what}; would show: {shows} ({self.seen})"


def speaks_if(seen: bool) -> Literal[0, 2]:  # noqa: FBT001 - the fact itself
    """Speaks for an idea where something was seen, and against it where it was not."""
    return FOR if seen else AGAINST


def of_its_end(case: Case) -> tuple[str, Speaks]:
    """What a fresh line of the server's log says of an end in order, and whether one does."""
    said = orderly(case)
    return (f"seen: {said}", FOR) if said else (no_line(case), OPEN)


def no_line(case: Case) -> str:
    """That no line of a log speaks for an idea."""
    return "no such line in its log" if case.testimony.log else "no log is open to us"
