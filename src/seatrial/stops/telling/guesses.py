"""What may be behind a stop: each idea, and what would show it. ``{}`` stands for a name or a figure."""

from __future__ import annotations

import enum
from typing import Literal

import msgspec

Speaks = Literal[0, 1, 2]
FOR: Literal[0] = 0
OPEN: Literal[1] = 1
AGAINST: Literal[2] = 2


class Idea(enum.Enum):
    """What may be behind a stop, and what would show it."""

    TWO_LISTENERS = "two processes listen at the port (SO_REUSEPORT)", "more than one LISTEN socket"
    TAKEN_OVER = "the declared one closed its listener and another program took the port", "DEAF before it"
    BEHIND_ENDED = "what stands behind the address ended", "its own process, watched where it runs"
    MISCONFIGURED = "what hands the connections on is misconfigured", "the same question, asked behind it"
    OTHER_PROTOCOL = "the address speaks another protocol now", "the scheme of its URL changed"
    SHUTDOWN_HANGS = "its shutdown began and hangs", "a log line of shutting down, or its exit soon"
    LISTENER_DIED = (
        "its listening thread died",
        "its last words in the log, or established connections still served",
    )
    CHILD_LISTENED = "the process that listened was its child", "a child that ended just before"
    TRACED = "a debugger holds it", "state t"
    JOB_CONTROL = "a job-control stop or a debugger", "state T or t, with no CPU time used"
    FREEZER = "the cgroup freezer or swapping", "no CPU time and no state T"
    DRIVER_OR_DISK = "a driver or a disk that does not answer", "a thread in state D"
    WORK_DONE = "its work was done", "exit status 0"
    BY_PARENT = "its parent ended it: a model unloaded, a health check failed", "a line in the parent's log"
    SENT_BY_SOMEBODY = "a person, an agent or a supervisor", "an audit record or a process event"
    OWN_ERROR = "an error it found itself", "the last lines of its log"
    OOM = "the OOM killer", "oom_kill grows"
    OOM_OF_CGROUP = "the OOM killer", "oom_kill of its cgroup grows"
    OOM_BEHIND = "the OOM killer ended the server behind it", "oom_kill of that server's cgroup grows"
    FORWARDED_ENDED = "the server behind {} ended, and {} with it", "the exit status its launcher tells"
    FORWARDER_ALONE = "{} alone ended", "the server still answers at its own address"
    GPU_ERROR = "a GPU error", "an error of the driver's at that moment, and a line of it in its log"
    OWN_FAULT = "its own fault", "a core dump or a last word in its log"
    SENT_SIGNAL = "a signal sent by another process", "an audit record"
    ADDRESS_SPACE = "its address-space limit", "a size near the limit, and std::bad_alloc in its log"
    LAUNCHER = "its launcher's time-out", "uptime at a round {} s"
    SESSION_ENDED = "the end of a login session", "session leader gone at the same moment"
    ORDERLY = "an orderly shutdown it was asked for", "a line in its log"


class Guess(msgspec.Struct, frozen=True):
    """``speaks``: whether what was seen speaks for the idea, was not seen at all, or speaks against it."""

    idea: Idea
    seen: str
    speaks: Speaks = OPEN
    of: str = ""  # the name or figure that the idea is about

    def __str__(self) -> str:
        what, shows = (text.replace("{}", self.of) for text in self.idea.value)
        return f"{what}; would show: {shows} ({self.seen})"


def speaks_if(seen: bool) -> Literal[0, 2]:  # noqa: FBT001 - the fact itself
    """Speaks for an idea where something was seen, and against it where it was not."""
    return FOR if seen else AGAINST
